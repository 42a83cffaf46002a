#include "verify/measure/draws.hpp"

#include <cmath>

#include "golden/philox.hpp"
#include "verify/measure/elementary.hpp"

namespace dca::measure {

std::uint64_t Draws::bits() {
    const golden::PhiloxBlock block =
        golden::philox4x32({counter_++, replicate_, stream_, 0}, {0x6D656173, 0x75726573});  // "meas", "ures"
    return std::uint64_t{block[0]} << 32 | block[1];
}

double Draws::uniform() {
    return static_cast<double>(bits() >> 11) * 0x1p-53;
}

std::size_t Draws::below(std::size_t count) {
    return static_cast<std::size_t>((bits() >> 32) * count >> 32);  // a bias of count / 2^32 at most
}

double Draws::normal() {
    // Marsaglia's polar method: a point of the unit disc.
    while (true) {
        const double a = 2 * uniform() - 1, b = 2 * uniform() - 1, square = a * a + b * b;
        if (square > 0 && square < 1) return a * std::sqrt(-2 * log_of(square) / square);
    }
}

double Draws::chi_square(int degrees) {
    double sum = 0;
    for (int i = 0; i < degrees; ++i) {
        const double z = normal();
        sum += z * z;
    }
    return sum;
}

}  // namespace dca::measure
