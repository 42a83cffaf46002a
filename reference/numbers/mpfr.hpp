// Correctly rounded binary floating point of any precision: MPFR through Boost.Multiprecision, without its expression
// templates, so that a + b is a number, and without heap memory.
#pragma once

#include <mpfr.h>

#include <boost/multiprecision/mpfr.hpp>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "reference/numbers/exact.hpp"

namespace dca::numbers {

/// A number of at least Bits significand bits; every operation is rounded to nearest even, relative error 2^-Bits.
/// The exponents of MPFR do not overflow where doubles do.
template <unsigned Bits>
class Mpfr {
    static constexpr unsigned digits = Bits * 301 / 1000 + 1;
    using Backend = boost::multiprecision::mpfr_float_backend<digits, boost::multiprecision::allocate_stack>;
    using Number = boost::multiprecision::number<Backend, boost::multiprecision::et_off>;

public:
    Mpfr() = default;
    explicit Mpfr(Quad constant) : Mpfr(exactly(constant)) {}
    explicit Mpfr(const BigFloat& x) { mpfr_set(data(), x.get(), MPFR_RNDN); }

    [[nodiscard]] mpfr_ptr data() { return value_.backend().data(); }
    [[nodiscard]] mpfr_srcptr data() const { return value_.backend().data(); }
    [[nodiscard]] double to_double(mpfr_rnd_t rounding = MPFR_RNDN) const { return mpfr_get_d(data(), rounding); }

    friend Mpfr operator+(const Mpfr& a, const Mpfr& b) { return Mpfr(Number(a.value_ + b.value_)); }
    friend Mpfr operator-(const Mpfr& a, const Mpfr& b) { return Mpfr(Number(a.value_ - b.value_)); }
    friend Mpfr operator*(const Mpfr& a, const Mpfr& b) { return Mpfr(Number(a.value_ * b.value_)); }
    friend Mpfr operator/(const Mpfr& a, const Mpfr& b) { return Mpfr(Number(a.value_ / b.value_)); }
    friend Mpfr operator-(const Mpfr& a) { return Mpfr(Number(-a.value_)); }
    friend bool operator<(const Mpfr& a, const Mpfr& b) { return mpfr_less_p(a.data(), b.data()) != 0; }
    friend bool operator>(const Mpfr& a, const Mpfr& b) { return b < a; }
    friend bool operator<=(const Mpfr& a, const Mpfr& b) { return mpfr_lessequal_p(a.data(), b.data()) != 0; }
    friend bool operator>=(const Mpfr& a, const Mpfr& b) { return b <= a; }
    friend bool operator==(const Mpfr& a, const Mpfr& b) { return mpfr_equal_p(a.data(), b.data()) != 0; }
    friend Mpfr exp(const Mpfr& x) { return Mpfr(Number(boost::multiprecision::exp(x.value_))); }
    friend Mpfr log(const Mpfr& x) { return Mpfr(Number(boost::multiprecision::log(x.value_))); }

private:
    explicit Mpfr(Number value) : value_(std::move(value)) {}
    Number value_;
};

/// scale times (cos, sin) of position * frequency: the scale, cos and sin, and the product are each rounded once.
template <unsigned Bits>
[[nodiscard]] std::pair<Mpfr<Bits>, Mpfr<Bits>> scaled_cos_sin(std::type_identity<Mpfr<Bits>>, std::int64_t position,
                                                               double frequency, Quad scale) {
    Mpfr<Bits> cos, sin;
    const BigFloat angle = exact_angle(position, frequency);
    mpfr_sin_cos(sin.data(), cos.data(), angle.get(), MPFR_RNDN);
    const Mpfr<Bits> factor(scale);
    return {factor * cos, factor * sin};
}

}  // namespace dca::numbers
