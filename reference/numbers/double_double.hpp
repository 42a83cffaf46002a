// Double-double: an unevaluated sum of two doubles, 106 significand bits and more, from the QD library. QD's own
// operators + and - lose all digits under cancellation and its / is abbreviated, so the accurate variants are called by
// name; log and the angles go through MPFR, since QD's log starts from the C library's.
#pragma once

#include <qd/dd_real.h>

#include <cstdint>
#include <type_traits>
#include <utility>

#include "reference/numbers/exact.hpp"

namespace dca::numbers {

/// Relative errors in units of 2^-106, as long as nothing underflows: + and - at most 3.1, * at most 7 (Joldes, Muller,
/// Popescu, ACM TOMS 44, 2017), / at most 15, exp(x) at most 4 (1 + |x|), log 1 (tested).
class DoubleDouble {
public:
    DoubleDouble() : value_(0.0, 0.0) {}
    /// hi = constant rounded to double, lo = the rest rounded to double.
    explicit DoubleDouble(Quad constant);
    explicit DoubleDouble(TwoDoubles parts) : value_(parts.hi, parts.lo) {}

    [[nodiscard]] double hi() const { return value_.x[0]; }
    [[nodiscard]] double lo() const { return value_.x[1]; }
    explicit operator Quad() const { return static_cast<Quad>(hi()) + static_cast<Quad>(lo()); }

    friend DoubleDouble operator+(const DoubleDouble& a, const DoubleDouble& b) {
        return DoubleDouble(dd_real::ieee_add(a.value_, b.value_));
    }
    friend DoubleDouble operator-(const DoubleDouble& a, const DoubleDouble& b) {
        return DoubleDouble(dd_real::ieee_add(a.value_, -b.value_));
    }
    friend DoubleDouble operator*(const DoubleDouble& a, const DoubleDouble& b) {
        return DoubleDouble(a.value_ * b.value_);
    }
    friend DoubleDouble operator/(const DoubleDouble& a, const DoubleDouble& b) {
        return DoubleDouble(dd_real::accurate_div(a.value_, b.value_));
    }
    friend bool operator<(const DoubleDouble& a, const DoubleDouble& b) { return a.value_ < b.value_; }
    friend bool operator==(const DoubleDouble& a, const DoubleDouble& b) { return a.value_ == b.value_; }

    /// 0 from -709 down, where a second double would be subnormal.
    friend DoubleDouble exp(const DoubleDouble& x);
    friend DoubleDouble log(const DoubleDouble& x);

private:
    explicit DoubleDouble(const dd_real& value) : value_(value) {}
    dd_real value_;
};

DoubleDouble exp(const DoubleDouble& x);
DoubleDouble log(const DoubleDouble& x);

/// The sum of both doubles; exact.
[[nodiscard]] BigFloat exactly(const DoubleDouble& x);

/// scale times (cos, sin) of position * frequency: cos and sin rounded to double-double, one product.
[[nodiscard]] std::pair<DoubleDouble, DoubleDouble> scaled_cos_sin(std::type_identity<DoubleDouble>,
                                                                   std::int64_t position, double frequency, Quad scale);

}  // namespace dca::numbers
