// A number that rounds every result to a 16-bit format and forms sums in float, as frameworks do: with the oracle's
// definition, an honest candidate that knows nothing of the reference or of the error model.
#pragma once

#include <cmath>

#include "reference/chunk_summary/oracle/numbers.hpp"
#include "reference/spec/dtype.hpp"

namespace dca::test {

template <Dtype D>
struct Narrow {
    float value = 0;
    Narrow() = default;
    explicit Narrow(float x) : value(static_cast<float>(round_to(D, x))) {}
    explicit Narrow(chunk_summary::oracle::Quad constant) : Narrow(static_cast<float>(constant)) {}
    explicit operator float() const { return value; }

    friend Narrow operator+(Narrow a, Narrow b) { return Narrow(a.value + b.value); }
    friend Narrow operator-(Narrow a, Narrow b) { return Narrow(a.value - b.value); }
    friend Narrow operator*(Narrow a, Narrow b) { return Narrow(a.value * b.value); }
    friend Narrow operator/(Narrow a, Narrow b) { return Narrow(a.value / b.value); }
    friend bool operator<(Narrow a, Narrow b) { return a.value < b.value; }
    friend Narrow exp(Narrow x) { return Narrow(std::exp(x.value)); }
    friend Narrow sqrt(Narrow x) { return Narrow(std::sqrt(x.value)); }
    friend Narrow erf(Narrow x) { return Narrow(std::erf(x.value)); }
};

}  // namespace dca::test

namespace dca::chunk_summary::oracle {

template <Dtype D>
struct Arithmetic<test::Narrow<D>> {
    using Number = test::Narrow<D>;
    using Wide = float;
    [[nodiscard]] static Number dot(std::span<const Number> a, std::span<const Number> b) {
        float sum = 0;
        for (std::size_t n = 0; n < a.size(); ++n) sum += a[n].value * b[n].value;
        return Number(sum);
    }
    [[nodiscard]] static Number sum(std::span<const Number> a) {
        float total = 0;
        for (const Number& term : a) total += term.value;
        return Number(total);
    }
};

}  // namespace dca::chunk_summary::oracle
