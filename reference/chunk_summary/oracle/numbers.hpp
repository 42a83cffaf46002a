// What the chunk-summary oracle asks of a number beyond arithmetic and exp: square root and error function, for the
// built-in types, binary128 and dual numbers; and how a number type adds up long sums.
#pragma once

#include <cmath>
#include <span>

#include "reference/oracle/dual.hpp"
#include "reference/oracle/scalar.hpp"

namespace dca::chunk_summary::oracle {

using dca::oracle::Dual;
using dca::oracle::exp;
using dca::oracle::Quad;

[[nodiscard]] inline float exp(float x) {
    return std::exp(x);
}
[[nodiscard]] inline float sqrt(float x) {
    return std::sqrt(x);
}
[[nodiscard]] inline double sqrt(double x) {
    return std::sqrt(x);
}
[[nodiscard]] inline long double sqrt(long double x) {
    return std::sqrt(x);
}
[[nodiscard]] inline Quad sqrt(Quad x) {
    return sqrtq(x);
}
[[nodiscard]] inline float erf(float x) {
    return std::erf(x);
}
[[nodiscard]] inline double erf(double x) {
    return std::erf(x);
}
[[nodiscard]] inline long double erf(long double x) {
    return std::erf(x);
}
[[nodiscard]] inline Quad erf(Quad x) {
    return erfq(x);
}

template <class Base>
[[nodiscard]] Dual<Base> sqrt(const Dual<Base>& x) {
    const Base root = sqrt(x.value);
    return {root, x.derivative / (root + root)};
}

/// erf'(x) = 2 / sqrt(pi) exp(-x^2).
template <class S>
[[nodiscard]] S erf_slope(const S& x) {
    static const Quad factor = Quad(2) / sqrtq(acosq(Quad(-1)));
    return S(factor) * exp(S{} - x * x);
}

template <class Base>
[[nodiscard]] Dual<Base> erf(const Dual<Base>& x) {
    return {erf(x.value), erf_slope(x.value) * x.derivative};
}

/// How sums are formed: term by term in the type itself. Number types that add in a wider one specialise it; Wide is
/// also the type in which gradients are added up.
template <class S>
struct Arithmetic {
    using Wide = S;
    [[nodiscard]] static S dot(std::span<const S> a, std::span<const S> b) {
        S sum{};
        for (std::size_t n = 0; n < a.size(); ++n) sum = sum + a[n] * b[n];
        return sum;
    }
    [[nodiscard]] static S sum(std::span<const S> a) {
        S total{};
        for (const S& term : a) total = total + term;
        return total;
    }
};

}  // namespace dca::chunk_summary::oracle
