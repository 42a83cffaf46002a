// How far two tensors are apart, for tests.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "reference/spec/tensor.hpp"

namespace dca::test {

/// ||a - b|| / ||b|| over the finite elements, in long double. Elements that are infinite in b must be the same
/// infinity in a, and anything NaN makes the result NaN, so that `relative_l2(a, b) <= bound` fails.
template <class A, class B>
[[nodiscard]] double relative_l2(std::span<const A> a, std::span<const B> b) {
    if (a.size() != b.size()) return std::nan("");
    long double error = 0, norm = 0;
    for (std::size_t n = 0; n < a.size(); ++n) {
        const auto x = static_cast<long double>(a[n]), y = static_cast<long double>(b[n]);
        if (std::isinf(y) || std::isinf(x)) {
            if (x == y) continue;
            return std::nan("");
        }
        error += (x - y) * (x - y);
        norm += y * y;
    }
    if (std::isnan(error) || std::isnan(norm)) return std::nan("");
    if (norm == 0) return error == 0 ? 0.0 : HUGE_VAL;
    return static_cast<double>(std::sqrt(error / norm));
}

template <class A, class B, int Rank>
[[nodiscard]] double relative_l2(const Tensor<A, Rank>& a, const Tensor<B, Rank>& b) {
    return a.extents() == b.extents() ? relative_l2(a.values(), b.values()) : std::nan("");
}

/// Largest |a - b| over the elements; NaN if anything is NaN or infinities differ.
template <class A, class B, int Rank>
[[nodiscard]] double max_abs_difference(const Tensor<A, Rank>& a, const Tensor<B, Rank>& b) {
    if (a.extents() != b.extents()) return std::nan("");
    long double worst = 0;
    for (std::size_t n = 0; n < a.values().size(); ++n) {
        const auto x = static_cast<long double>(a.values()[n]), y = static_cast<long double>(b.values()[n]);
        if (x == y) continue;
        const long double difference = std::abs(x - y);
        if (std::isnan(difference)) return std::nan("");
        worst = std::max(worst, difference);
    }
    return static_cast<double>(worst);
}

}  // namespace dca::test
