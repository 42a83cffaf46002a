// Small problems that together use every feature, and random inputs for them.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "reference/oracle/attention.hpp"
#include "reference/spec/bundles.hpp"

namespace dca::oracle {

struct NamedProblem {
    std::string name;
    Problem problem;
};

/// One problem per feature or corner, a few keys each.
std::vector<NamedProblem> feature_problems();

/// A problem that combines features at random; valid by construction.
NamedProblem random_problem(std::uint64_t seed);

/// feature_problems() followed by `count` random ones.
std::vector<NamedProblem> many_problems(int count);

/// Uniform in [-1, 1], with few enough bits to be exact in every scalar type.
void fill(std::span<double> values, std::mt19937_64& random);

/// q, k, v and dout of a problem, filled.
Inputs random_inputs(const Problem& problem, std::uint64_t seed);

/// Largest |a - b|; equal infinities differ by 0. NaN anywhere gives NaN, which no tolerance accepts.
template <class A, class B, int Rank>
Quad worst_difference(const Tensor<A, Rank>& a, const Tensor<B, Rank>& b) {
    expects(a.extents() == b.extents() && a.size() > 0, "worst_difference: the tensors must be alike and not empty");
    Quad worst = 0;
    for (std::size_t e = 0; e < a.values().size(); ++e) {
        const Quad x = a.values()[e], y = b.values()[e];
        if (x == y) continue;
        const Quad difference = fabsq(x - y);
        if (!(difference <= worst)) worst = difference;
        if (isnanq(worst)) return worst;
    }
    return worst;
}

/// Sum of the products of corresponding elements.
template <class A, class B>
Quad inner(const Tensor<A, 4>& a, const Tensor<B, 4>& b) {
    expects(a.extents() == b.extents(), "inner: the tensors must be alike");
    Quad sum = 0;
    for (std::size_t e = 0; e < a.values().size(); ++e) sum += Quad(a.values()[e]) * Quad(b.values()[e]);
    return sum;
}

}  // namespace dca::oracle
