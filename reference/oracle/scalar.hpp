// What the oracle asks of a number: arithmetic, order, exp, log, construction from a binary128 constant, and, for the
// attention of attention.hpp, scaled_cos_sin. double, long double, binary128 and dual numbers (dual.hpp) have it, and
// so do the types of reference/numbers.
#pragma once

#include <quadmath.h>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

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

template <class S>
concept Builtin = std::same_as<S, double> || std::same_as<S, long double> || std::same_as<S, Quad>;

/// scale times (cos, sin) of position * frequency, in S. The angle is exact: a position has at most 32 bits here and a
/// frequency 53, so their product fits the 113 bits of binary128, whose sincosq reduces it without loss; the products
/// are rounded to S once. Every other type brings its own, found by argument-dependent look-up, with its own precision.
template <Builtin S>
[[nodiscard]] std::pair<S, S> scaled_cos_sin(std::type_identity<S>, std::int64_t position, double frequency,
                                             Quad scale) {
    Quad sin = 0, cos = 0;
    sincosq(Quad(position) * Quad(frequency), &sin, &cos);
    return {S(scale * cos), S(scale * sin)};
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
