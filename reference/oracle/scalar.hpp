// What the oracle asks of a number: arithmetic, order, exp, log, and construction from a binary128 constant. double,
// long double, binary128 and dual numbers (dual.hpp) have it.
#pragma once

#include <quadmath.h>

#include <cmath>
#include <concepts>

namespace dca::oracle {

/// IEEE binary128, 113 significand bits. std::numeric_limits does not know it under strict -std=c++20, so nothing in
/// the oracle asks for limits.
using Quad = __float128;

[[nodiscard]] inline double exp(double x) {
    return std::exp(x);
}
[[nodiscard]] inline long double exp(long double x) {
    return std::exp(x);
}
[[nodiscard]] inline Quad exp(Quad x) {
    return expq(x);
}

[[nodiscard]] inline double log(double x) {
    return std::log(x);
}
[[nodiscard]] inline long double log(long double x) {
    return std::log(x);
}
[[nodiscard]] inline Quad log(Quad x) {
    return logq(x);
}

/// A number the definition can be evaluated in. Value-initialised it is zero.
template <class S>
concept Scalar = requires(S x, S y, Quad constant) {
    { x + y } -> std::same_as<S>;
    { x - y } -> std::same_as<S>;
    { (x * y) } -> std::same_as<S>;
    { x / y } -> std::same_as<S>;
    { x < y } -> std::same_as<bool>;
    { exp(x) } -> std::same_as<S>;
    { log(x) } -> std::same_as<S>;
    S(constant);
    S{};
};

}  // namespace dca::oracle
