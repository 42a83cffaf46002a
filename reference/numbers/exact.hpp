// Exact values in MPFR: a binary128 constant, and the angle of a rotation, position times inverse frequency. Number
// types are rounded from these once, so that no type inherits the rounding of a narrower one.
#pragma once

#include <mpfr.h>

#include <cstdint>

namespace dca::numbers {

/// IEEE binary128, 113 significand bits.
using Quad = __float128;

/// An MPFR number that owns its memory. Precision in bits; value-initialised it is 0.
class BigFloat {
public:
    explicit BigFloat(mpfr_prec_t precision) {
        mpfr_init2(value_, precision);
        mpfr_set_zero(value_, 1);
    }
    BigFloat(const BigFloat& other) : BigFloat(mpfr_get_prec(other.value_)) {
        mpfr_set(value_, other.value_, MPFR_RNDN);
    }
    BigFloat& operator=(const BigFloat&) = delete;
    ~BigFloat() { mpfr_clear(value_); }

    [[nodiscard]] mpfr_ptr get() & { return value_; }
    [[nodiscard]] mpfr_srcptr get() const& { return value_; }
    /// mpfr_set and its like are macros that outlive a temporary argument.
    mpfr_srcptr get() const&& = delete;

private:
    mpfr_t value_;
};

/// The constant itself: 120 bits hold every binary128 number.
[[nodiscard]] BigFloat exactly(Quad constant);

/// position * frequency without rounding: 64 + 53 bits.
[[nodiscard]] BigFloat exact_angle(std::int64_t position, double frequency);

/// x rounded to double. Subnormal results are rounded once too.
[[nodiscard]] inline double to_double(const BigFloat& x, mpfr_rnd_t rounding) {
    return mpfr_get_d(x.get(), rounding);
}

/// x as an unevaluated sum of two doubles, hi = x rounded to nearest, lo = x - hi rounded to nearest.
struct TwoDoubles {
    double hi, lo;
};
[[nodiscard]] TwoDoubles to_two_doubles(const BigFloat& x);

}  // namespace dca::numbers
