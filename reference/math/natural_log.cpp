#include "reference/math/natural_log.hpp"

#include <cmath>
#include <numbers>

namespace dca::reference {

double natural_log(double x) {
    int exponent = 0;
    double m = std::frexp(x, &exponent);
    if (m < std::numbers::sqrt2 / 2) {
        m *= 2;
        --exponent;
    }
    // ln m = 2 artanh z, z = (m - 1) / (m + 1), |z| <= 0.1716: the first term left out, z^22 / 23, is below 2^-60.
    const double z = (m - 1) / (m + 1), z2 = z * z;
    double series = 0;
    for (int k = 21; k >= 3; k -= 2) series = series * z2 + 1.0 / k;
    return exponent * std::numbers::ln2 + 2 * z * (1 + z2 * series);
}

}  // namespace dca::reference
