#include "verify/measure/order_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "reference/spec/error.hpp"
#include "verify/measure/replicas.hpp"

namespace dca::measure {

int least_repeats(double side) {
    int k = 1;
    while (std::ldexp(1.0, -k) > side) ++k;
    return k;
}

std::optional<Estimate> median_interval(std::vector<double> values, double side) {
    const auto k = static_cast<int>(values.size());
    if (k < least_repeats(side)) return std::nullopt;
    std::sort(values.begin(), values.end());
    expects(k <= 1000, "a thousand repeats at most: 2^-k is a double");
    double probability = std::ldexp(1.0, -k), below = 0;
    int j = 0;
    while (2 * j < k && below + probability <= side) {
        below += probability;
        probability = probability * (k - j) / (j + 1);
        ++j;
    }
    j = std::max(j, 1);
    return Estimate{median(values), values[static_cast<std::size_t>(j - 1)], values[static_cast<std::size_t>(k - j)]};
}

}  // namespace dca::measure
