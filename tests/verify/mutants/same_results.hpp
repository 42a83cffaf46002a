// Whether two results are the same numbers.
#pragma once

#include <algorithm>
#include <cmath>

#include "verify/mutants/mutant.hpp"

namespace dca::test {

/// NaN equals NaN; a zero equals a zero of the other sign.
template <class Tensor>
[[nodiscard]] bool same_numbers(const Tensor& a, const Tensor& b) {
    return std::ranges::equal(a.values(), b.values(),
                              [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); });
}

[[nodiscard]] inline bool same_results(const mutants::Computed& a, const mutants::Computed& b) {
    return same_numbers(a.outputs.out, b.outputs.out) && same_numbers(a.outputs.lse, b.outputs.lse) &&
           same_numbers(a.gradients->dq, b.gradients->dq) && same_numbers(a.gradients->dk, b.gradients->dk) &&
           same_numbers(a.gradients->dv, b.gradients->dv);
}

/// Largest |a - b| of elements finite in both, over the largest |b|; infinite where finiteness differs.
template <class Tensor>
[[nodiscard]] double difference(const Tensor& a, const Tensor& b) {
    double worst = 0, size = 0;
    for (std::size_t n = 0; n < a.values().size(); ++n) {
        const double x = a.values()[n], y = b.values()[n];
        if (std::isfinite(y)) size = std::max(size, std::abs(y));
        if (x == y || (std::isnan(x) && std::isnan(y))) continue;
        if (!std::isfinite(x - y)) return HUGE_VAL;
        worst = std::max(worst, std::abs(x - y));
    }
    return worst == 0 ? 0 : worst / size;
}

[[nodiscard]] inline double difference(const mutants::Computed& a, const mutants::Computed& b) {
    return std::max({difference(a.outputs.out, b.outputs.out), difference(a.outputs.lse, b.outputs.lse),
                     difference(a.gradients->dq, b.gradients->dq), difference(a.gradients->dk, b.gradients->dk),
                     difference(a.gradients->dv, b.gradients->dv)});
}

}  // namespace dca::test
