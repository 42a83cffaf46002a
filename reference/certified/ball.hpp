// Numbers known up to a radius: the middle in MPFR, the radius a double that is rounded up. As sure as an interval with
// two ends and several times faster; for the recomputation of single elements.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "reference/numbers/mpfr.hpp"

namespace dca::certified {

/// Every number that the operands stand for has its result within the result. A radius of 0 is exact, and operations
/// that MPFR does exactly keep it 0. Where nothing is known the radius is infinite.
template <unsigned Bits>
class Ball {
public:
    Ball() = default;
    explicit Ball(double x) { mpfr_set_d(middle_.data(), x, MPFR_RNDN); }

    /// The middle, as an exact number.
    [[nodiscard]] Ball centre() const {
        Ball exact(*this);
        exact.radius_ = 0;
        return exact;
    }
    [[nodiscard]] mpfr_srcptr middle() const { return middle_.data(); }
    [[nodiscard]] double radius() const { return radius_; }
    /// Adds to the radius.
    [[nodiscard]] Ball widened(double by) const {
        Ball wide(*this);
        wide.radius_ = up(radius_ + by);
        return wide;
    }

    friend Ball operator+(const Ball& a, const Ball& b) {
        Ball r;
        const int inexact = mpfr_add(r.middle_.data(), a.middle(), b.middle(), MPFR_RNDN);
        r.radius_ = up(a.radius_ + b.radius_ + r.rounding(inexact));
        return r;
    }
    friend Ball operator-(const Ball& a, const Ball& b) {
        Ball r;
        const int inexact = mpfr_sub(r.middle_.data(), a.middle(), b.middle(), MPFR_RNDN);
        r.radius_ = up(a.radius_ + b.radius_ + r.rounding(inexact));
        return r;
    }
    friend Ball operator*(const Ball& a, const Ball& b) {
        Ball r;
        const int inexact = mpfr_mul(r.middle_.data(), a.middle(), b.middle(), MPFR_RNDN);
        double spread = 0;
        if (a.radius_ != 0 || b.radius_ != 0) {
            spread = up(a.above() * b.radius_) + up(b.above() * a.radius_) + up(a.radius_ * b.radius_);
        }
        r.radius_ = up(spread + r.rounding(inexact));
        return r;
    }
    /// The radius is infinite unless b stays away from 0.
    friend Ball operator/(const Ball& a, const Ball& b) {
        Ball r;
        const int inexact = mpfr_div(r.middle_.data(), a.middle(), b.middle(), MPFR_RNDN);
        const double away = b.below() / 2;
        if (!(b.radius_ <= away) || away == 0) return r.unknown();
        // |x / y - a / b| <= (|x - a| + |a / b| |y - b|) / |y|
        r.radius_ = up(up(a.radius_ + up(r.above() * b.radius_)) / away + r.rounding(inexact));
        return r;
    }
    friend Ball exp(const Ball& x) {
        Ball r;
        const int inexact = mpfr_exp(r.middle_.data(), x.middle(), MPFR_RNDN);
        if (!(x.radius_ <= 0.5)) return r.unknown();
        r.radius_ = up(up(2 * r.above() * x.radius_) + r.rounding(inexact));  // e^t - 1 <= 2 t for t <= 1/2
        return r;
    }
    friend Ball log(const Ball& x) {
        Ball r;
        const int inexact = mpfr_log(r.middle_.data(), x.middle(), MPFR_RNDN);
        const double away = x.below() / 2;
        if (!(x.radius_ <= away) || away == 0 || mpfr_sgn(x.middle()) <= 0) return r.unknown();
        r.radius_ = up(x.radius_ / away + r.rounding(inexact));
        return r;
    }
    /// cos and sin of position * frequency, times factor.
    static std::pair<Ball, Ball> cos_sin(std::int64_t position, double frequency, double factor) {
        const numbers::BigFloat angle = numbers::exact_angle(position, frequency);
        Ball cos, sin;
        const int inexact = mpfr_sin_cos(sin.middle_.data(), cos.middle_.data(), angle.get(), MPFR_RNDN);
        cos.radius_ = up(cos.rounding(inexact));
        sin.radius_ = up(sin.rounding(inexact));
        return {cos * Ball(factor), sin * Ball(factor)};
    }
    friend bool operator<(const Ball& a, const Ball& b) { return a.middle_ < b.middle_; }

    /// The double that every number of the ball rounds to, nothing where there are two. Never -0.
    [[nodiscard]] std::optional<double> rounds_to() const {
        numbers::Mpfr<Bits> low, high;
        mpfr_sub_d(low.data(), middle(), radius_, MPFR_RNDD);
        mpfr_add_d(high.data(), middle(), radius_, MPFR_RNDU);
        const double a = low.to_double(), b = high.to_double();
        if (!(a == b)) return {};
        return a + 0.0;
    }

private:
    /// At least the number meant, however its at most six operations were rounded; 0 only if that is 0.
    static double up(double x) { return x == 0 ? 0 : x * (1 + 0x1p-49) + 0x1p-1074; }
    /// Powers of two around |middle|; ldexp underflows to 0, which `above` may not.
    [[nodiscard]] double above() const {
        if (mpfr_zero_p(middle()) != 0) return 0;
        return std::ldexp(1.0, static_cast<int>(mpfr_get_exp(middle()))) + 0x1p-1074;
    }
    [[nodiscard]] double below() const {
        if (mpfr_regular_p(middle()) == 0) return 0;
        return std::ldexp(1.0, static_cast<int>(mpfr_get_exp(middle())) - 1);
    }
    /// Of an operation with this middle: at most one unit of its last place.
    [[nodiscard]] double rounding(int inexact) const {
        if (inexact == 0) return 0;
        if (mpfr_number_p(middle()) == 0) return std::numeric_limits<double>::infinity();
        if (mpfr_zero_p(middle()) != 0) return 0x1p-1074;
        return std::ldexp(1.0, static_cast<int>(mpfr_get_exp(middle()) - mpfr_get_prec(middle()))) + 0x1p-1074;
    }
    [[nodiscard]] Ball unknown() {
        radius_ = std::numeric_limits<double>::infinity();
        return *this;
    }

    numbers::Mpfr<Bits> middle_;
    double radius_ = 0;
};

}  // namespace dca::certified
