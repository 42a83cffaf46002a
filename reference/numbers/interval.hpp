// Interval arithmetic that cannot lie: the exact result of every operation on numbers of the operands lies in the
// result (Boost.Interval, with ends rounded outwards by Directed). Run an algorithm on it and the ends enclose what the
// algorithm means, whatever was rounded on the way.
#pragma once

#include <boost/numeric/interval.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "reference/numbers/directed.hpp"
#include "reference/spec/error.hpp"

namespace dca::numbers {

/// What Boost.Interval asks about ends. An operation without a result (0 / 0, the logarithm of nothing positive, an end
/// that is not a number) throws ContractError: there is no empty interval.
template <class End>
struct EndChecks {
    static End pos_inf() { return End(std::numeric_limits<double>::infinity()); }
    static End neg_inf() { return End(-std::numeric_limits<double>::infinity()); }
    static End nan() { return End(std::numeric_limits<double>::quiet_NaN()); }
    static bool is_nan(const End& x) { return !(x == x); }
    static bool is_empty(const End& lower, const End& upper) { return !(lower <= upper); }
    static End empty_lower() { throw ContractError("an interval operation has no result"); }
    static End empty_upper() { return empty_lower(); }
};

/// A closed interval with ends of type End, double or Mpfr<Bits>; infinite ends mean unbounded. Policy rounds the ends.
template <class End, class Policy = Directed<End>>
class Interval {
    using Base = boost::numeric::interval<End, boost::numeric::interval_lib::policies<Policy, EndChecks<End>>>;

public:
    using end_type = End;

    Interval() : base_(End{}) {}
    /// The narrowest enclosure of the constant: one point where End has it.
    explicit Interval(Quad constant) : Interval(around(exactly(constant))) {}
    /// Throws ContractError unless lower <= upper.
    Interval(End lower, End upper) : base_(checked(lower, upper)) {}
    /// The narrowest enclosure of an exact value.
    [[nodiscard]] static Interval around(const BigFloat& x) {
        return {Policy::from_exact(x.get(), Bound::lower), Policy::from_exact(x.get(), Bound::upper)};
    }

    [[nodiscard]] const End& lower() const { return base_.lower(); }
    [[nodiscard]] const End& upper() const { return base_.upper(); }
    /// A point within, and how far the ends are from it at most. 0 and infinity where an end is infinite.
    [[nodiscard]] End midpoint() const {
        if (!bounded_ends()) return End{};
        const End half(0.5);
        const End middle = lower() * half + upper() * half;
        return middle < lower() ? lower() : upper() < middle ? upper() : middle;
    }
    [[nodiscard]] End radius() const {
        if (!bounded_ends()) return EndChecks<End>::pos_inf();
        const End middle = midpoint();
        const End below = Policy::sub_up(middle, lower()), above = Policy::sub_up(upper(), middle);
        return below < above ? above : below;
    }
    [[nodiscard]] bool encloses(mpfr_srcptr x) const {
        return mpfr_nan_p(x) == 0 && compare(lower(), x) <= 0 && compare(upper(), x) >= 0;
    }
    [[nodiscard]] bool encloses(const BigFloat& x) const { return encloses(x.get()); }
    [[nodiscard]] bool encloses(Quad x) const { return encloses(exactly(x)); }
    [[nodiscard]] bool encloses(const Interval& other) const {
        return lower() <= other.lower() && other.upper() <= upper();
    }
    /// The double that every number of the interval rounds to, to nearest even; nothing where there are two.
    [[nodiscard]] std::optional<double> rounds_to() const {
        const double low = nearest(lower()), high = nearest(upper());
        if (low != high || std::signbit(low) != std::signbit(high)) return {};
        return low;
    }

    friend Interval operator+(const Interval& a, const Interval& b) { return Interval(a.base_ + b.base_); }
    friend Interval operator-(const Interval& a, const Interval& b) { return Interval(a.base_ - b.base_); }
    friend Interval operator*(const Interval& a, const Interval& b) { return Interval(a.base_ * b.base_); }
    /// Unbounded where b contains 0 and other numbers; throws ContractError where it is 0.
    friend Interval operator/(const Interval& a, const Interval& b) { return Interval(a.base_ / b.base_); }
    /// By the upper ends: a total order of intervals, not a statement about their numbers. Choosing a shift, such as
    /// the largest logit, by it is sound because any shift gives the same softmax.
    friend bool operator<(const Interval& a, const Interval& b) { return a.upper() < b.upper(); }
    friend Interval exp(const Interval& x) { return Interval(Base(boost::numeric::exp(x.base_))); }
    /// Throws ContractError where x has no positive number.
    friend Interval log(const Interval& x) { return Interval(Base(boost::numeric::log(x.base_))); }

private:
    /// The result of an operation. Boost leaves inf - inf to the caller.
    explicit Interval(const Base& base) : base_(base) {
        expects(base.lower() <= base.upper(), "an interval operation has no result");
    }

    static Base checked(const End& lower, const End& upper) {
        expects(lower <= upper, "an interval needs lower <= upper");
        return Base(lower, upper);
    }
    [[nodiscard]] bool bounded_ends() const {
        return EndChecks<End>::neg_inf() < lower() && upper() < EndChecks<End>::pos_inf();
    }
    static double nearest(double x) { return x; }
    template <unsigned Bits>
    static double nearest(const Mpfr<Bits>& x) {
        return x.to_double(MPFR_RNDN);
    }
    static int compare(double end, mpfr_srcptr x) { return -mpfr_cmp_d(x, end); }
    template <unsigned Bits>
    static int compare(const Mpfr<Bits>& end, mpfr_srcptr x) {
        return mpfr_cmp(end.data(), x);
    }

    Base base_;
};

[[nodiscard]] inline mpfr_prec_t precision_of(double) {
    return 53;
}
template <unsigned Bits>
[[nodiscard]] mpfr_prec_t precision_of(const Mpfr<Bits>& x) {
    return mpfr_get_prec(x.data());
}

/// Enclosures of scale times (cos, sin) of position * frequency.
template <class End, class Policy>
[[nodiscard]] std::pair<Interval<End, Policy>, Interval<End, Policy>> scaled_cos_sin(
    std::type_identity<Interval<End, Policy>>, std::int64_t position, double frequency, Quad scale) {
    using Enclosure = Interval<End, Policy>;
    const BigFloat angle = exact_angle(position, frequency);
    const auto enclosed = [&](auto function) {
        BigFloat below(precision_of(End{})), above(precision_of(End{}));
        function(below.get(), angle.get(), MPFR_RNDD);
        function(above.get(), angle.get(), MPFR_RNDU);
        return Enclosure(Policy::from_exact(below.get(), Bound::lower), Policy::from_exact(above.get(), Bound::upper));
    };
    const Enclosure factor(scale);
    return {factor * enclosed(mpfr_cos), factor * enclosed(mpfr_sin)};
}

}  // namespace dca::numbers
