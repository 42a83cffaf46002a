// Arithmetic with a chosen direction of rounding, for the ends of intervals: *_down returns a number not above the
// exact result, *_up one not below it. Doubles find the direction from the exact rounding error (two-sum, fused
// multiply-add), so no rounding mode of the machine is changed and no compiler can move an operation across such a
// change. The members are those that Boost.Interval asks of a rounding policy.
#pragma once

#include <mpfr.h>

#include <cstdint>

#include "reference/numbers/mpfr.hpp"

namespace dca::numbers {

/// Which bound of the exact result is wanted.
enum class Bound { lower, upper };

[[nodiscard]] constexpr mpfr_rnd_t direction(Bound bound) {
    return bound == Bound::lower ? MPFR_RNDD : MPFR_RNDU;
}

/// The operations on doubles. Without overflow or subnormal numbers each is the neighbour of the rounded result on the
/// wanted side, or the exact result; elsewhere MPFR decides.
namespace bounded {
[[nodiscard]] double add(double a, double b, Bound bound);
[[nodiscard]] double mul(double a, double b, Bound bound);
[[nodiscard]] double div(double a, double b, Bound bound);
[[nodiscard]] double exp(double x, Bound bound);
[[nodiscard]] double log(double x, Bound bound);
/// From an exact value.
void set(double& result, mpfr_srcptr x, Bound bound);

template <unsigned Bits>
[[nodiscard]] Mpfr<Bits> add(const Mpfr<Bits>& a, const Mpfr<Bits>& b, Bound bound) {
    Mpfr<Bits> sum;
    mpfr_add(sum.data(), a.data(), b.data(), direction(bound));
    return sum;
}
/// 0 times infinity is 0: an infinite end stands for every finite number beyond, not for infinity.
template <unsigned Bits>
[[nodiscard]] Mpfr<Bits> mul(const Mpfr<Bits>& a, const Mpfr<Bits>& b, Bound bound) {
    Mpfr<Bits> product;
    if (mpfr_zero_p(a.data()) == 0 && mpfr_zero_p(b.data()) == 0) {
        mpfr_mul(product.data(), a.data(), b.data(), direction(bound));
    }
    return product;
}
template <unsigned Bits>
[[nodiscard]] Mpfr<Bits> div(const Mpfr<Bits>& a, const Mpfr<Bits>& b, Bound bound) {
    Mpfr<Bits> quotient;
    mpfr_div(quotient.data(), a.data(), b.data(), direction(bound));
    return quotient;
}
template <unsigned Bits>
[[nodiscard]] Mpfr<Bits> exp(const Mpfr<Bits>& x, Bound bound) {
    Mpfr<Bits> result;
    mpfr_exp(result.data(), x.data(), direction(bound));
    return result;
}
template <unsigned Bits>
[[nodiscard]] Mpfr<Bits> log(const Mpfr<Bits>& x, Bound bound) {
    Mpfr<Bits> result;
    mpfr_log(result.data(), x.data(), direction(bound));
    return result;
}
template <unsigned Bits>
void set(Mpfr<Bits>& result, mpfr_srcptr x, Bound bound) {
    mpfr_set(result.data(), x, direction(bound));
}
}  // namespace bounded

/// The policy itself, for ends of type End: double or Mpfr<Bits>.
template <class End>
struct Directed {
    using unprotected_rounding = Directed;

    static End add_down(const End& a, const End& b) { return bounded::add(a, b, Bound::lower); }
    static End add_up(const End& a, const End& b) { return bounded::add(a, b, Bound::upper); }
    static End sub_down(const End& a, const End& b) { return bounded::add(a, -b, Bound::lower); }
    static End sub_up(const End& a, const End& b) { return bounded::add(a, -b, Bound::upper); }
    static End mul_down(const End& a, const End& b) { return bounded::mul(a, b, Bound::lower); }
    static End mul_up(const End& a, const End& b) { return bounded::mul(a, b, Bound::upper); }
    static End div_down(const End& a, const End& b) { return bounded::div(a, b, Bound::lower); }
    static End div_up(const End& a, const End& b) { return bounded::div(a, b, Bound::upper); }
    static End exp_down(const End& x) { return bounded::exp(x, Bound::lower); }
    static End exp_up(const End& x) { return bounded::exp(x, Bound::upper); }
    static End log_down(const End& x) { return bounded::log(x, Bound::lower); }
    static End log_up(const End& x) { return bounded::log(x, Bound::upper); }

    /// The bounds of an exact value among the numbers of End.
    static End from_exact(mpfr_srcptr x, Bound bound) {
        End result{};
        bounded::set(result, x, bound);
        return result;
    }
};

}  // namespace dca::numbers
