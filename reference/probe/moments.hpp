// Sums over the chunks of a sequence that stay exact to one rounding: each chunk's contribution is a block of doubles,
// and running sums over chunks carry their rounding errors along (TwoSum).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

namespace dca::reference::probe {

class Moments {
public:
    Moments() = default;
    Moments(std::int64_t chunks, std::size_t size)
        : chunks_(chunks), size_(size), values_(zeros(static_cast<std::size_t>(chunks) * size)) {}

    [[nodiscard]] std::int64_t chunks() const { return chunks_; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] double* of(std::int64_t chunk) { return values_.get() + static_cast<std::size_t>(chunk) * size_; }
    [[nodiscard]] const double* of(std::int64_t chunk) const {
        return values_.get() + static_cast<std::size_t>(chunk) * size_;
    }

private:
    std::int64_t chunks_ = 0;
    std::size_t size_ = 0;
    struct Free {
        void operator()(double* p) const { std::free(p); }
    };
    /// Whoever first writes to a page gets it from the system: not one thread all of them, as in a vector.
    static double* zeros(std::size_t count) {
        auto* p = static_cast<double*>(std::calloc(count + 1, sizeof(double)));
        if (p == nullptr) throw std::bad_alloc();
        return p;
    }
    std::unique_ptr<double, Free> values_;
};

/// A sum of blocks of doubles in the order they are added, rounded once.
class CompensatedSum {
public:
    explicit CompensatedSum(std::size_t size) : high_(size), low_(size) {}
    void add(const double* block) {
        for (std::size_t e = 0; e < high_.size(); ++e) {
            const double a = high_[e], b = block[e], sum = a + b, part = sum - a;
            low_[e] += (a - (sum - part)) + (b - part);
            high_[e] = sum;
        }
    }
    void read(double* out) const {
        for (std::size_t e = 0; e < high_.size(); ++e) out[e] = high_[e] + low_[e];
    }

private:
    std::vector<double> high_, low_;
};

}  // namespace dca::reference::probe
