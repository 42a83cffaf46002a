// Long sums of the double path against binary128: the error of one row in units of what it sums. docs/error_model.md
// has the table that the hidden case "[row-error]" prints, and where the lines of the other cases come from.
#include <quadmath.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "reference/backward.hpp"
#include "reference/forward.hpp"
#include "tests/support/catch.hpp"

using namespace dca;

namespace {

constexpr std::int64_t dim = 128;
constexpr double u = 0x1p-53;

Problem problem_of(std::int64_t rows, std::int64_t keys, std::int64_t offset) {
    Problem problem;
    problem.shape = {.seq_q = rows, .seq_k = keys, .head_dim = dim, .head_dim_v = dim};
    problem.chunk = {offset + rows + keys, 0};  // one chunk
    problem.rope.layout = RopeLayout::none;
    problem.query_offset = offset;
    return problem;
}

Inputs inputs_of(const Problem& problem, double q_scale, std::uint64_t seed) {
    std::mt19937_64 engine(seed);
    std::normal_distribution<double> normal;
    Inputs inputs{Tensor4(q_extents(problem.shape)), Tensor4(k_extents(problem.shape)),
                  Tensor4(v_extents(problem.shape)), Tensor4(out_extents(problem.shape))};
    for (Tensor4* tensor : {&inputs.q, &inputs.k, &inputs.v, &*inputs.dout}) {
        for (double& x : tensor->values()) x = normal(engine);
    }
    for (double& x : inputs.q.values()) x *= q_scale;
    return inputs;
}

__float128 exact_dot(const double* a, const double* b) {
    __float128 sum = 0;
    for (std::int64_t e = 0; e < dim; ++e) sum += static_cast<__float128>(a[e]) * b[e];
    return sum;
}

/// A sum of products kept with the sum of their absolute values.
struct ExactSums {
    std::vector<__float128> sum = std::vector<__float128>(dim);
    std::vector<double> size = std::vector<double>(dim);
    void add(__float128 factor, const double* row) {
        const double magnitude = std::abs(static_cast<double>(factor));
        for (std::int64_t c = 0; c < dim; ++c) {
            sum[static_cast<std::size_t>(c)] += factor * row[c];
            size[static_cast<std::size_t>(c)] += magnitude * std::abs(row[c]);
        }
    }
    /// Largest |got - exact| / (u sum |terms|) over the channels.
    [[nodiscard]] double error(const double* got, __float128 factor = 1) const {
        double worst = 0;
        for (std::size_t c = 0; c < sum.size(); ++c) {
            const double off = static_cast<double>(fabsq(sum[c] * factor - got[c]));
            const double units = off / (u * size[c] * static_cast<double>(factor));
            worst = worst >= units ? worst : units;
        }
        return worst;
    }
};

/// Errors in units of u: out of sum p|v|, dq of tau sum |dS||k|; lse absolute.
struct RowErrors {
    double out, dq, lse;
};

/// One query over n keys.
RowErrors row_errors(std::int64_t n, double q_scale, std::uint64_t seed) {
    const Problem problem = problem_of(1, n, n - 1);
    const Inputs inputs = inputs_of(problem, q_scale, seed);
    const Outputs outputs = reference::forward(problem, inputs);
    const Gradients gradients = reference::backward(problem, inputs, outputs);
    const __float128 tau = 1 / sqrtq(dim);  // 128^-1/2 is irrational: its rounding is part of the logits' error
    const double* q = inputs.q.values().data();
    const double* dout = inputs.dout->values().data();
    std::vector<__float128> p(static_cast<std::size_t>(n));
    __float128 largest = -HUGE_VALQ, total = 0;
    for (std::int64_t j = 0; j < n; ++j) {
        __float128& s = p[static_cast<std::size_t>(j)];
        s = tau * exact_dot(q, &inputs.k(0, j, 0, 0));
        largest = std::max(largest, s);
    }
    for (__float128& s : p) total += s = expq(s - largest);
    ExactSums out, dq;
    for (std::int64_t j = 0; j < n; ++j) {
        p[static_cast<std::size_t>(j)] /= total;
        out.add(p[static_cast<std::size_t>(j)], &inputs.v(0, j, 0, 0));
    }
    __float128 delta = 0;
    for (std::size_t c = 0; c < out.sum.size(); ++c) delta += out.sum[c] * dout[c];
    for (std::int64_t j = 0; j < n; ++j) {
        const double* v = &inputs.v(0, j, 0, 0);
        // Where dP cancels to nothing in double, its error is still that of its terms; in binary128 it does not matter.
        dq.add(p[static_cast<std::size_t>(j)] * (exact_dot(dout, v) - delta), &inputs.k(0, j, 0, 0));
    }
    const __float128 lse = largest + logq(total);
    return {out.error(outputs.out.values().data()), dq.error(gradients.dq.values().data(), tau),
            static_cast<double>(fabsq(lse - outputs.lse.values()[0]))};
}

/// Errors of dk and dv of the first key under n queries, in units of u: of tau sum |dS||q| and of sum p|dO|.
struct KeyErrors {
    double dk, dv;
};

KeyErrors key_errors(std::int64_t n, double q_scale, std::uint64_t seed) {
    constexpr std::int64_t keys = 4;
    const Problem problem = problem_of(n, keys, keys);
    const Inputs inputs = inputs_of(problem, q_scale, seed);
    const Outputs outputs = reference::forward(problem, inputs);
    const Gradients gradients = reference::backward(problem, inputs, outputs);
    const __float128 tau = 1 / sqrtq(dim);
    ExactSums dk, dv;
    for (std::int64_t i = 0; i < n; ++i) {
        const double* dout = &(*inputs.dout)(0, i, 0, 0);
        __float128 p[keys], total = 0, delta = 0, dp[keys];
        for (std::int64_t j = 0; j < keys; ++j) {
            p[j] = expq(tau * exact_dot(&inputs.q(0, i, 0, 0), &inputs.k(0, j, 0, 0)));
            dp[j] = exact_dot(dout, &inputs.v(0, j, 0, 0));
            total += p[j];
            delta += p[j] * dp[j];
        }
        delta /= total;
        dk.add(p[0] / total * (dp[0] - delta), &inputs.q(0, i, 0, 0));
        dv.add(p[0] / total, dout);
    }
    return {dk.error(gradients.dk.values().data(), tau), dv.error(gradients.dv.values().data())};
}

}  // namespace

TEST_CASE("print the errors of long rows", "[.][row-error]") {
    for (const double q_scale : {1.0, 4.0}) {
        for (const std::int64_t n : {2048, 16384, 131072, 524288}) {
            RowErrors worst{};
            const int seeds = n > 200000 ? 2 : 4;
            for (int seed = 1; seed <= seeds; ++seed) {
                const RowErrors errors = row_errors(n, q_scale, static_cast<std::uint64_t>(n + seed));
                worst = {std::max(worst.out, errors.out), std::max(worst.dq, errors.dq),
                         std::max(worst.lse, errors.lse)};
            }
            KeyErrors key{};
            for (int seed = 1; seed <= seeds && n < 200000; ++seed) {
                const KeyErrors errors = key_errors(n, q_scale, static_cast<std::uint64_t>(n + seed));
                key = {std::max(key.dk, errors.dk), std::max(key.dv, errors.dv)};
            }
            std::printf("| %.0f | %lld | %d | %.2f | %.1e | %.2f | %.2f | %.2f |\n", q_scale, static_cast<long long>(n),
                        seeds, worst.out, worst.lse, worst.dq, key.dk, key.dv);
            std::fflush(stdout);
        }
    }
}

// Measured by the case above: 53 for peaked rows and 0.4 for others from 16384 keys on, where 100 is what the project
// promises of peaked rows. Sums carried through the tiles without their rounding errors grow with the number of tiles,
// to 117 units in the peaked rows below and 3.1 in the flat ones.
TEST_CASE("peaked rows of 131072 keys stay below 100 roundoffs of what they sum, flat ones below 1") {
    const RowErrors peaked = row_errors(131072, 4, 11), flat = row_errors(32768, 1, 12);
    // The largest error of a logit, dim + 8 roundings of tau |q||k| <= 4 sqrt(dim) or so, bounds that of lse.
    const double lse_line = (dim + 8) * u * 4 * std::sqrt(dim);
    CAPTURE(peaked.out, peaked.dq, peaked.lse, flat.out, flat.dq, flat.lse);
    CHECK(peaked.out <= 100);
    CHECK(peaked.dq <= 100);
    CHECK(peaked.lse <= lse_line);
    CHECK(flat.out <= 1);
    CHECK(flat.dq <= 1);
    CHECK(flat.lse <= lse_line / 4);
}

TEST_CASE("dk and dv of a key under 16384 queries stay below one roundoff of what they sum") {
    const KeyErrors errors = key_errors(16384, 1, 13);
    CAPTURE(errors.dk, errors.dv);
    CHECK(errors.dk <= 1);
    CHECK(errors.dv <= 1);
}
