// A sum of many terms in two doubles: what one addition rounds off is kept and added at the end.
#pragma once

#include <cmath>
#include <vector>

namespace dca::reference::sampled {

/// High and low parts of several sums. The value high + low is off by about n eps^2 sum |term| after n additions.
class LongSums {
public:
    explicit LongSums(std::size_t count = 0) : high_(count), low_(count) {}

    /// sum[at] += x * factor, without rounding the product.
    void add(std::size_t at, double x, double factor = 1) {
        const double product = x * factor;
        const double lost = std::fma(x, factor, -product);
        // TwoSum (Knuth, The Art of Computer Programming 2, 4.2.2): exact for any two doubles.
        double& sum = high_[at];
        const double total = sum + product, part = total - sum;
        low_[at] += (sum - (total - part)) + (product - part) + lost;
        sum = total;
    }
    /// sum[at] *= factor.
    void scale(std::size_t at, double factor) {
        const double product = high_[at] * factor;
        low_[at] = std::fma(low_[at], factor, std::fma(high_[at], factor, -product));
        high_[at] = product;
    }
    [[nodiscard]] double value(std::size_t at) const { return high_[at] + low_[at]; }

private:
    std::vector<double> high_, low_;
};

}  // namespace dca::reference::sampled
