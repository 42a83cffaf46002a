#include "tests/gpu/f64/error_bound.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gpu/api/kernel_params.hpp"
#include "reference/oracle/definition.hpp"

namespace dca::test {
namespace {

using Real = long double;
constexpr double u = 0x1p-53;

std::uint32_t bit(Mode mode) {
    return mode == Mode::intra ? gpu::mode_intra : mode == Mode::succ ? gpu::mode_succ : gpu::mode_inter;
}

/// A_j: the sum over channels of what |q~_c| |k~_c| can be.
double spread(const Problem& problem, double mscale, std::span<const Real> q, std::span<const Real> k) {
    const auto rotary = static_cast<std::size_t>(problem.resolved_rotary_dim());
    Real sum = 0;
    for (std::size_t pair = 0; pair < rotary / 2; ++pair) {
        const bool neox = problem.rope.layout == RopeLayout::neox;
        const std::size_t a = neox ? pair : 2 * pair, b = neox ? pair + rotary / 2 : 2 * pair + 1;
        sum += 2 * mscale * mscale * std::hypot(q[a], q[b]) * std::hypot(k[a], k[b]);
    }
    for (std::size_t c = rotary; c < q.size(); ++c) sum += std::abs(q[c] * k[c]);
    return static_cast<double>(sum);
}

void judge(WorstError& worst, Real error, double bound) {
    // 2^-10 of the bound for what is of second order and for the truth: as many roundoffs, of 2^-64 each.
    const double ratio = error == 0 ? 0.0 : static_cast<double>(error / (bound * (1 + 0x1p-10)));
    if (!(ratio <= worst.of_bound) && !std::isnan(worst.of_bound)) worst.of_bound = ratio;  // a NaN stays
    ++worst.compared;
}

}  // namespace

WorstError worst_error_f64(const Problem& problem, const Inputs& inputs, const Outputs& got, std::uint32_t modes) {
    namespace detail = oracle::detail;
    WorstError worst;
    if (got.out.extents() != out_extents(problem.shape) || got.lse.extents() != lse_extents(problem.shape)) {
        worst.of_bound = HUGE_VAL;
        return worst;
    }
    const auto typed = oracle::convert<Real>(inputs);
    const double scale = problem.resolved_softmax_scale();
    const auto mscale =
        problem.rope.layout == RopeLayout::none ? 1.0 : static_cast<double>(oracle::mscale(problem.rope));
    const double d = static_cast<double>(problem.shape.head_dim);
    detail::for_each_row<Real>(problem, typed.k, [&](const detail::RowView<Real>& view, auto&) {
        for (std::int64_t head : detail::query_heads(problem.shape, view.kv_head)) {
            const auto query = detail::row_of(typed.q, view.batch, view.query_row, head);
            std::vector<std::size_t> seen;
            std::vector<Real> logits;
            for (std::size_t j = 0; j < view.key_count(); ++j) {
                if ((bit(view.mode[j]) & modes) == 0) continue;
                seen.push_back(j);
                logits.push_back(scale * detail::dot<Real>(query, detail::row_of(view.turned_keys, j)));
            }
            const oracle::Softmax<Real> truth = oracle::softmax(logits);
            const double n = static_cast<double>(seen.size());
            std::vector<double> off;
            double mean = 0;
            for (std::size_t i = 0; i < seen.size(); ++i) {
                const Real below = *std::max_element(logits.begin(), logits.end()) - logits[i];
                off.push_back(u *
                              ((6 + d) * std::abs(scale) *
                                   spread(problem, mscale, query,
                                          detail::row_of(typed.k, view.batch, view.key_row(seen[i]), view.kv_head)) +
                               2 * static_cast<double>(below) + 2));
                mean += static_cast<double>(truth.probability[i]) * off.back();
            }

            const double got_lse = got.lse(view.batch, head, view.query_row);
            if (seen.empty()) {
                judge(worst, got_lse == -HUGE_VAL ? 0 : HUGE_VAL, 1);
            } else {
                const Real error = std::abs(got_lse - truth.lse);
                const double log_n = std::log(n);
                judge(worst, error, mean + u * (4 * n + 3 * log_n + 2 * std::abs(static_cast<double>(truth.lse)) + 2));
                worst.lse_roundoffs = std::max(worst.lse_roundoffs, static_cast<double>(error) / u);
            }
            for (std::int64_t c = 0; c < problem.shape.head_dim_v; ++c) {
                Real sum = 0;
                double weight = 0, bound = 0;
                for (std::size_t i = 0; i < seen.size(); ++i) {
                    const double v = inputs.v(view.batch, view.key_row(seen[i]), view.kv_head, c);
                    const double p = static_cast<double>(truth.probability[i]);
                    sum += truth.probability[i] * v;
                    weight += p * std::abs(v);
                    bound += p * std::abs(v) * (off[i] + mean + u * (8 * n + 2));
                }
                const Real error = std::abs(got.out(view.batch, view.query_row, head, c) - sum);
                judge(worst, error, bound);
                if (weight > 0)
                    worst.out_roundoffs = std::max(worst.out_roundoffs, static_cast<double>(error) / (u * weight));
            }
        }
    });
    return worst;
}

}  // namespace dca::test
