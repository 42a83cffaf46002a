#include "verify/laws/row_noise.hpp"

#include <algorithm>
#include <cmath>

namespace dca::verify {
namespace {

double dot(std::span<const double> x, std::span<const double> y) {
    double sum = 0;
    for (std::size_t c = 0; c < x.size(); ++c) sum += x[c] * y[c];
    return sum;
}

double third_of_square(double u) {
    return u * u / 3;
}

/// u of the merge weights: bf16 in the chunkllama family.
double weight_roundoff(const Problem& problem) {
    const Dialect& dialect = reference::dialect_of(problem);
    const MergeRule& rule = problem.resolved_phase() == Phase::decode ? dialect.decode_merge : dialect.prefill_merge;
    switch (rule.weight) {
        case Rounding::none: return 0;
        case Rounding::float32: return unit_roundoff(Dtype::f32);
        case Rounding::bf16: return unit_roundoff(Dtype::bf16);
        case Rounding::activation: return unit_roundoff(problem.dtype);
    }
    return 0;
}

}  // namespace

Roundings::Roundings(const Problem& problem) {
    const reference::noise::Precision p = reference::noise::precision_of(problem);
    operand = third_of_square(p.operand);
    output = third_of_square(p.output);
    accumulator = third_of_square(p.accumulator);
    rotated = p.rotated;
    table = p.table;
    operand_floor = p.operand_floor * p.operand_floor;
    output_floor = p.output_floor * p.output_floor;
    weight = third_of_square(weight_roundoff(problem));
}

GroupNoise::GroupNoise(const Problem& problem, const Inputs& inputs, const golden::Results& results, const Group& group)
    : problem_(problem), inputs_(inputs), results_(results), group_(group), u_(problem) {
    if (!results.dv || !inputs.dout) return;
    const auto& s = group.sequence();
    double of_dv = 0, of_dout = 0;
    for (std::int64_t j = s.key_begin; j < s.key_end; ++j) of_dv += square(group.row(*results.dv, j, group.kv_head()));
    for (std::int64_t i = s.query_begin; i < s.query_end; ++i) {
        if (group.visible(i) == 0) continue;
        for (std::int64_t h = group.first_head(); h < group.first_head() + group.heads(); ++h) {
            of_dout += square(group.row(*inputs.dout, i, h));
        }
    }
    if (of_dout > 0) dv_energy_ = std::min(1.0, of_dv / of_dout);
}

RowNoise GroupNoise::row(std::int64_t i, std::int64_t head) const {
    RowNoise noise{};
    const std::int64_t count = group_.visible(i);
    const Prefix& keys = group_.prefix(count);
    const auto d = static_cast<double>(problem_.shape.head_dim), dv = static_cast<double>(problem_.shape.head_dim_v);
    noise.n = static_cast<double>(count);
    noise.largest_logit = group_.query_norm(i, head) * keys.largest_key;
    const double logit = noise.largest_logit * noise.largest_logit, log_n = std::log(noise.n);
    const double accumulated = u_.accumulator * (logit * (1.5 + 1 / d) + 2 * (log_n * log_n + logit) + 4 + noise.n / 2);
    noise.row_sum = accumulated + u_.weight;
    // Operand errors move each logit by rotated |q~|^2 |k~|^2 / d at random, or together where the rows are alike.
    noise.lse = accumulated + (2 * u_.rotated + 4 * u_.table) * logit;
    noise.energy = dv_energy_;
    if (results_.out && keys.value_square > 0) {
        noise.energy = std::max(noise.energy, square(group_.row(*results_.out, i, head)) / keys.value_square);
    } else if (!results_.out) {
        noise.energy = 1;
    }
    noise.energy = std::clamp(noise.energy, 1 / noise.n, 1.0);
    if (!inputs_.dout) return noise;
    const std::span<const double> dout = group_.row(*inputs_.dout, i, head);
    const double dout_square = square(dout);
    noise.squares = dout_square * keys.value_square / dv;
    noise.dout_p_v = noise.energy * noise.squares;
    double rounded_out = 0;
    if (results_.out) {
        const std::span<const double> out = group_.row(*results_.out, i, head);
        const double together = dot(dout, out);
        noise.dout_p_v = std::max(noise.dout_p_v, together * together);
        for (std::size_t c = 0; c < out.size(); ++c) rounded_out += dout[c] * dout[c] * out[c] * out[c];
    }
    noise.d = u_.operand * noise.dout_p_v + 5 * u_.output * rounded_out +
              noise.row_sum * std::max(noise.squares, noise.dout_p_v) + 3 * u_.output_floor * dout_square;
    const double tau_q = group_.query_norm(i, head);
    noise.dq_square = tau_q > 0 ? noise.energy * noise.squares * keys.key_square : 0;
    const double tau = problem_.resolved_softmax_scale();
    noise.dq_square *= tau * tau;
    if (results_.dq) noise.dq_square = std::max(noise.dq_square, square(group_.row(*results_.dq, i, head)));
    return noise;
}

}  // namespace dca::verify
