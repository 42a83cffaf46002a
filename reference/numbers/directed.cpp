#include "reference/numbers/directed.hpp"

#include <cmath>
#include <limits>

namespace dca::numbers::bounded {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The result of one MPFR operation of 53 bits, rounded in one direction twice, which stays on that side.
class Narrow {
public:
    explicit Narrow(Bound bound) : bound_(bound), result_(53) {}
    [[nodiscard]] mpfr_ptr result() { return result_.get(); }
    [[nodiscard]] mpfr_rnd_t rounding() const { return direction(bound_); }
    [[nodiscard]] double value() const { return to_double(result_, direction(bound_)); }

private:
    Bound bound_;
    BigFloat result_;
};

BigFloat exact_double(double x) {
    BigFloat exact(53);
    mpfr_set_d(exact.get(), x, MPFR_RNDN);
    return exact;
}

template <class Operation>
double by_mpfr(double a, double b, Bound bound, Operation operation) {
    Narrow narrow(bound);
    const BigFloat x = exact_double(a), y = exact_double(b);
    operation(narrow.result(), x.get(), y.get(), narrow.rounding());
    return narrow.value();
}

/// rounded, or its neighbour where the exact result, rounded + error, lies beyond it.
double moved(double rounded, double error, Bound bound) {
    if (bound == Bound::lower) return error < 0 ? std::nextafter(rounded, -infinity) : rounded;
    return error > 0 ? std::nextafter(rounded, infinity) : rounded;
}

/// Where a product or quotient of such numbers is itself of such a size, its rounding error is a double.
bool moderate(double x) {
    return std::abs(x) >= 0x1p-900 && std::abs(x) <= 0x1p+900;
}

}  // namespace

double add(double a, double b, Bound bound) {
    const double sum = a + b;
    // Sums never underflow. Below 2^1000 neither do the steps of two-sum overflow.
    if (!(std::abs(a) <= 0x1p+1000 && std::abs(b) <= 0x1p+1000)) {
        return by_mpfr(a, b, bound, [](auto r, auto x, auto y, auto mode) { mpfr_add(r, x, y, mode); });
    }
    const double b_part = sum - a, a_part = sum - b_part;
    return moved(sum, (a - a_part) + (b - b_part), bound);
}

double mul(double a, double b, Bound bound) {
    if (a == 0 || b == 0) return 0;  // 0 times an infinite end too: it stands for finite numbers
    const double product = a * b;
    if (!moderate(product)) {
        return by_mpfr(a, b, bound, [](auto r, auto x, auto y, auto mode) { mpfr_mul(r, x, y, mode); });
    }
    return moved(product, std::fma(a, b, -product), bound);
}

double div(double a, double b, Bound bound) {
    const double quotient = a / b;
    if (!(moderate(a) && moderate(b) && moderate(quotient))) {
        return by_mpfr(a, b, bound, [](auto r, auto x, auto y, auto mode) { mpfr_div(r, x, y, mode); });
    }
    const double remainder = std::fma(-quotient, b, a);
    return moved(quotient, b < 0 ? -remainder : remainder, bound);
}

double exp(double x, Bound bound) {
    Narrow narrow(bound);
    const BigFloat argument = exact_double(x);
    mpfr_exp(narrow.result(), argument.get(), narrow.rounding());
    return narrow.value();
}

double log(double x, Bound bound) {
    Narrow narrow(bound);
    const BigFloat argument = exact_double(x);
    mpfr_log(narrow.result(), argument.get(), narrow.rounding());
    return narrow.value();
}

void set(double& result, mpfr_srcptr x, Bound bound) {
    result = mpfr_get_d(x, direction(bound));
}

}  // namespace dca::numbers::bounded
