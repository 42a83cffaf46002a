// Dual numbers for forward-mode differentiation: a value and its derivative along one direction. Run forward() on them
// and the derivatives of out and lse come out, exact to rounding, with no step size to choose.
#pragma once

#include "reference/oracle/scalar.hpp"

namespace dca::oracle {

/// value + derivative * epsilon with epsilon^2 = 0. Ordered by value.
template <Scalar Base>
struct Dual {
    Base value{};
    Base derivative{};

    Dual() = default;
    explicit Dual(Quad constant) : value(static_cast<Base>(constant)) {}
    Dual(Base value_, Base derivative_) : value(value_), derivative(derivative_) {}

    friend Dual operator+(const Dual& a, const Dual& b) { return {a.value + b.value, a.derivative + b.derivative}; }
    friend Dual operator-(const Dual& a, const Dual& b) { return {a.value - b.value, a.derivative - b.derivative}; }
    friend Dual operator*(const Dual& a, const Dual& b) {
        return {a.value * b.value, a.derivative * b.value + a.value * b.derivative};
    }
    friend Dual operator/(const Dual& a, const Dual& b) {
        const Base quotient = a.value / b.value;
        return {quotient, (a.derivative - quotient * b.derivative) / b.value};
    }
    friend bool operator<(const Dual& a, const Dual& b) { return a.value < b.value; }
};

template <Scalar Base>
[[nodiscard]] Dual<Base> exp(const Dual<Base>& x) {
    const Base e = exp(x.value);
    return {e, e * x.derivative};
}

template <Scalar Base>
[[nodiscard]] Dual<Base> log(const Dual<Base>& x) {
    return {log(x.value), x.derivative / x.value};
}

/// Angles are constants: their derivative is 0.
template <Scalar Base>
[[nodiscard]] std::pair<Dual<Base>, Dual<Base>> scaled_cos_sin(std::type_identity<Dual<Base>>, std::int64_t position,
                                                               double frequency, Quad scale) {
    auto [cos, sin] = scaled_cos_sin(std::type_identity<Base>{}, position, frequency, scale);
    return {{cos, Base{}}, {sin, Base{}}};
}

}  // namespace dca::oracle
