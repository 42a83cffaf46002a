#include "tests/gpu/kernels/error_bound_16bit.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gpu/api/kernel_params.hpp"
#include "reference/oracle/definition.hpp"

namespace dca::test {
namespace {

constexpr double w = 0x1p-24;

std::uint32_t bit(Mode mode) {
    return mode == Mode::intra ? gpu::mode_intra : mode == Mode::succ ? gpu::mode_succ : gpu::mode_inter;
}

/// A_j and B_j of the turned channels, and A_j of all.
struct Spread {
    double turned = 0, sum = 0, all = 0;
};

Spread spread(const Problem& problem, double mscale, std::span<const double> q, std::span<const double> k) {
    const bool none = problem.rope.layout == RopeLayout::none;
    const auto rotary = none ? 0 : static_cast<std::size_t>(problem.resolved_rotary_dim());
    Spread spread;
    for (std::size_t pair = 0; pair < rotary / 2; ++pair) {
        const bool neox = problem.rope.layout == RopeLayout::neox;
        const std::size_t a = neox ? pair : 2 * pair, b = neox ? pair + rotary / 2 : 2 * pair + 1;
        const double length_q = mscale * std::hypot(q[a], q[b]), length_k = mscale * std::hypot(k[a], k[b]);
        spread.turned += 2 * length_q * length_k;
        spread.sum += std::sqrt(2.0) * (length_q + length_k);
    }
    spread.all = spread.turned;
    for (std::size_t c = rotary; c < q.size(); ++c) spread.all += std::abs(q[c] * k[c]);
    return spread;
}

void judge(double& worst, double error, double bound) {
    // 2^-10 of the bound for what is of second order.
    const double ratio = error == 0 ? 0.0 : error / (bound * (1 + 0x1p-10));
    if (!(ratio <= worst)) worst = ratio;  // a NaN stays
}

}  // namespace

WorstError16 worst_error_16bit(const Problem& problem, const Inputs& inputs, const Outputs& got, std::uint32_t modes) {
    namespace detail = oracle::detail;
    WorstError16 worst;
    if (got.out.extents() != out_extents(problem.shape) || got.lse.extents() != lse_extents(problem.shape)) {
        worst.out = worst.lse = HUGE_VAL;
        return worst;
    }
    const bool bf16 = problem.dtype == Dtype::bf16;
    const double u = bf16 ? 0x1p-8 : 0x1p-11, t = bf16 ? 0 : 0x1p-25;
    const double scale = problem.resolved_softmax_scale(), tau = std::abs(scale);
    const double mscale =
        problem.rope.layout == RopeLayout::none ? 1.0 : std::abs(static_cast<double>(oracle::mscale(problem.rope)));
    const double d = static_cast<double>(problem.shape.head_dim);
    detail::for_each_row<double>(problem, inputs.k, [&](const detail::RowView<double>& view, auto&) {
        for (std::int64_t head : detail::query_heads(problem.shape, view.kv_head)) {
            const auto query = detail::row_of(inputs.q, view.batch, view.query_row, head);
            std::vector<std::size_t> seen;
            std::vector<double> logits;
            for (std::size_t j = 0; j < view.key_count(); ++j) {
                if ((bit(view.mode[j]) & modes) == 0) continue;
                seen.push_back(j);
                logits.push_back(scale * detail::dot<double>(query, detail::row_of(view.turned_keys, j)));
            }
            worst.compared += 1 + problem.shape.head_dim_v;
            const double got_lse = got.lse(view.batch, head, view.query_row);
            if (seen.empty()) {
                judge(worst.lse, got_lse == -HUGE_VAL ? 0 : HUGE_VAL, 1);
                for (std::int64_t c = 0; c < problem.shape.head_dim_v; ++c)
                    judge(worst.out, got.out(view.batch, view.query_row, head, c) == 0 ? 0 : HUGE_VAL, 1);
                continue;
            }
            const oracle::Softmax<double> truth = oracle::softmax(logits);
            const double n = static_cast<double>(seen.size());
            const double largest = *std::max_element(logits.begin(), logits.end());
            std::vector<double> off;
            double mean = 0;
            for (std::size_t i = 0; i < seen.size(); ++i) {
                const Spread a = spread(problem, mscale, query,
                                        detail::row_of(inputs.k, view.batch, view.key_row(seen[i]), view.kv_head));
                off.push_back(tau * ((2 * u + u * u + 17 * w) * a.turned + 2 * t * a.sum + 2 * d * w * a.all) +
                              w * (2 * std::abs(logits[i]) + largest - logits[i] + 4));
                mean += truth.probability[i] * std::exp(off.back());
            }
            const double e = std::log(mean);
            judge(worst.lse, std::abs(got_lse - truth.lse), e + w * (8 * n + 16 + 4 * std::abs(truth.lse)));
            const double largest_p = *std::max_element(truth.probability.begin(), truth.probability.end());
            for (std::int64_t c = 0; c < problem.shape.head_dim_v; ++c) {
                const auto v = [&](std::size_t i) {
                    return inputs.v(view.batch, view.key_row(seen[i]), view.kv_head, c);
                };
                double out = 0, weight = 0, sum = 0, moved = 0;
                for (std::size_t i = 0; i < seen.size(); ++i) {
                    out += truth.probability[i] * v(i);
                    weight += truth.probability[i] * std::abs(v(i));
                    sum += std::abs(v(i));
                }
                for (std::size_t i = 0; i < seen.size(); ++i)
                    moved += truth.probability[i] * std::abs(v(i) - out) * std::expm1(off[i] + e);
                judge(worst.out, std::abs(got.out(view.batch, view.query_row, head, c) - out),
                      moved + (u + (12 * n + 16) * w) * std::exp(2 * e) * weight + t * largest_p * sum +
                          u * (std::abs(out) + moved) + t + 1e-30);
            }
        }
    });
    return worst;
}

}  // namespace dca::test
