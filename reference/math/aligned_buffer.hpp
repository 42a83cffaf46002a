// A zero-initialised array of doubles on a cache line boundary, for packed operands and tiles.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace dca::reference {

class AlignedBuffer {
public:
    AlignedBuffer() = default;
    explicit AlignedBuffer(std::size_t count) : data_(allocate(count)) {}

    [[nodiscard]] double* data() { return data_.get(); }
    [[nodiscard]] const double* data() const { return data_.get(); }

private:
    struct Free {
        void operator()(double* p) const { std::free(p); }
    };
    static double* allocate(std::size_t count) {
        constexpr std::size_t line = 64;
        const std::size_t bytes = (count * sizeof(double) + line - 1) / line * line + line;
        auto* p = static_cast<double*>(std::aligned_alloc(line, bytes));
        if (p == nullptr) throw std::bad_alloc();
        std::memset(p, 0, bytes);
        return p;
    }
    std::unique_ptr<double, Free> data_;
};

}  // namespace dca::reference
