// The pre-pass on the emulated machine: k turned by its positions (Def.4), written out here channel by channel.
#include <cmath>

#include "tests/gpu/kernels/launch_16bit.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;
using namespace dca::test;

namespace {

/// Channel c of R(position) x, and in `terms` the sum of the absolute values that make it.
long double turned(const Problem& problem, std::int64_t position, std::int64_t c, const auto& x, long double& terms) {
    const std::int64_t rd = problem.resolved_rotary_dim(), half = rd / 2;
    if (problem.rope.layout == RopeLayout::none || c >= rd) return terms = std::abs(x(c)), x(c);
    const bool neox = problem.rope.layout == RopeLayout::neox, first = neox ? c < half : c % 2 == 0;
    const std::int64_t pair = neox ? c % half : c / 2, partner = neox ? (c + half) % rd : (first ? c + 1 : c - 1);
    const long double angle =
        static_cast<long double>(position) * std::pow(static_cast<long double>(problem.rope.base), -2.0L * pair / rd);
    const long double mscale = *problem.rope.mscale;
    const long double own = mscale * x(c) * std::cos(angle), other = mscale * x(partner) * std::sin(angle);
    terms = std::abs(own) + std::abs(other);
    return first ? own - other : own + other;
}

void check(Problem problem, std::uint64_t seed, Launch16 launch = {}) {
    problem.dtype = seed % 2 == 0 ? Dtype::bf16 : Dtype::f16;
    problem.rope.mscale = 1.25;
    INFO("seed " << seed << ": " << describe(problem));
    const Inputs inputs = rounded(problem, random_inputs(problem, seed));
    const Tensor4 got = rotated_keys(problem, inputs, launch);
    const Shape& s = problem.shape;
    // Rounded once to an element, u, or to half the smallest number of f16; before, in float: the table, two products,
    // their sum, 8 2^-24 of the terms as in error_bound_16bit.hpp.
    const bool bf16 = problem.dtype == Dtype::bf16;
    const long double u = bf16 ? 0x1p-8L : 0x1p-11L, t = bf16 ? 0 : 0x1p-25L;
    for (std::int64_t b = 0; b < s.batch; ++b)
        for (std::int64_t j = 0; j < s.seq_k; ++j)
            for (std::int64_t h = 0; h < s.heads_kv; ++h)
                for (std::int64_t c = 0; c < got.extents()[3]; ++c) {
                    INFO("batch " << b << " key " << j << " head " << h << " channel " << c);
                    if (c >= s.head_dim) {
                        REQUIRE(got(b, j, h, c) == 0);
                        continue;
                    }
                    long double terms = 0;
                    const long double expected = turned(
                        problem, j % problem.chunk.chunk_len(), c,
                        [&](std::int64_t i) { return static_cast<long double>(inputs.k(b, j, h, i)); }, terms);
                    const long double bound = u * std::abs(expected) + t + (1 + u) * 8 * 0x1p-24L * terms;
                    REQUIRE(std::abs(got(b, j, h, c) - expected) <= bound);
                }
}

}  // namespace

TEST_CASE("rotation of keys: pairings, partial rotation, padding, strides") {
    for (RopeLayout layout : {RopeLayout::neox, RopeLayout::interleaved, RopeLayout::none}) {
        Problem problem = plain_problem(150, {100, 12}, 2, 2, 64);
        problem.rope.layout = layout;
        check(problem, 1);
        problem.shape.head_dim = problem.shape.head_dim_v = 48;  // whole vectors, padded
        if (layout != RopeLayout::none) problem.rope.rotary_dim = 32;
        check(problem, 2);
        if (layout != RopeLayout::none) problem.rope.rotary_dim = 12;  // neither 16 nor 8 divides it
        check(problem, 3);
        problem.shape.head_dim = problem.shape.head_dim_v = 45;  // no whole vectors
        problem.shape.batch = 2;
        check(problem, 4);
        problem.shape.head_dim = problem.shape.head_dim_v = 128;
        problem.rope.rotary_dim.reset();
        check(problem, 5);
        check(problem, 6, {.options = {}, .gap = 3});
        check(problem, 7, {.options = {}, .shift = 1});
    }
}
