// Mistakes that amount to the right computation of another problem, so that their error scales are exactly those of an
// honest kernel for that other problem.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "reference/backward.hpp"
#include "reference/error_scale.hpp"
#include "reference/forward.hpp"
#include "reference/math/rope_frequencies.hpp"
#include "reference/refusals.hpp"
#include "verify/diagnose/mistake.hpp"

namespace dca::verify {
namespace {

/// Sum of squares of the differences where both are finite.
double distance(std::span<const double> a, std::span<const double> b) {
    double sum = 0;
    for (std::size_t n = 0; n < a.size(); ++n) {
        const double difference = a[n] - b[n];
        if (std::isfinite(difference)) sum += difference * difference;
    }
    return sum;
}

/// Whether the candidate's tensor is nearer to the golden's than to the mistake's: then it is not that mistake, and the
/// error scales and gradients need not be computed to say so.
template <class Tensor>
bool nearer_to_golden(const std::optional<Tensor>& candidate, const std::optional<Tensor>& golden,
                      const Tensor& mistaken) {
    return candidate && golden &&
           distance(candidate->values(), golden->values()) < distance(candidate->values(), mistaken.values());
}

/// Results and scales of this problem, put where the golden's would be; nothing if its outputs rule it out. `placed`
/// puts outputs in the golden's order of heads.
template <class Placed>
std::optional<Trial> recomputed(const Evidence& evidence, const Problem& problem, Inputs inputs, const Placed& placed) {
    if (!evidence.gradients) inputs.dout.reset();
    try {
        reference::require_reproducible(problem);
    } catch (const Unsupported&) {
        return std::nullopt;  // the golden's dialect cannot make this mistake
    }
    const Outputs outputs = reference::forward(problem, inputs);
    const golden::Results& truth = evidence.golden.results;
    if (nearer_to_golden(evidence.candidate.out, truth.out, placed(outputs.out)) ||
        nearer_to_golden(evidence.candidate.lse, truth.lse, placed(outputs.lse))) {
        return std::nullopt;
    }
    Trial trial{without_results(evidence.golden), evidence.candidate, false, {}};
    trial.truth.judge->scales = reference::error_scales(problem, inputs, outputs);
    golden::Results& results = trial.truth.results;
    results.out = outputs.out;
    results.lse = outputs.lse;
    if (inputs.dout) {
        Gradients gradients = reference::backward(problem, inputs, outputs);
        results.dq = std::move(gradients.dq);
        results.dk = std::move(gradients.dk);
        results.dv = std::move(gradients.dv);
    }
    return trial;
}

/// A trial of the problem after `change`; nothing if that does not change it.
template <class Change>
std::optional<Trial> changed(const Evidence& evidence, const Change& change) {
    Problem problem = evidence.golden.problem;
    change(problem);
    if (problem == evidence.golden.problem) return std::nullopt;
    return recomputed(evidence, problem, evidence.golden.inputs, std::identity{});
}

bool rotates(const Problem& problem) {
    return problem.rope.layout != RopeLayout::none;
}

std::optional<Trial> plain_rope(const Evidence& evidence) {
    return changed(evidence, [](Problem& p) {
        const Shape& s = p.shape;
        p.chunk = {std::max<std::int64_t>({s.seq_k, s.seq_q + p.resolved_query_offset(), 1}), 0};
    });
}

/// A clamp of C - 1 with the same stride. P_inter = min(2L - 1, C) and P_succ follow the clamp (Def.2).
std::optional<Trial> clamp_one_short(const Evidence& evidence) {
    if (evidence.golden.problem.chunk.local_size < 1) return std::nullopt;
    return changed(evidence, [](Problem& p) { p.chunk = {p.chunk.chunk_size - 1, p.chunk.local_size - 1}; });
}

std::optional<Trial> stride_is_chunk_size(const Evidence& evidence) {
    return changed(evidence, [](Problem& p) { p.chunk.local_size = 0; });
}

std::optional<Trial> rope_layout_swapped(const Evidence& evidence) {
    if (!rotates(evidence.golden.problem)) return std::nullopt;
    return changed(evidence, [](Problem& p) {
        p.rope.layout = p.rope.layout == RopeLayout::neox ? RopeLayout::interleaved : RopeLayout::neox;
    });
}

std::optional<Trial> rope_missing(const Evidence& evidence) {
    if (!rotates(evidence.golden.problem)) return std::nullopt;
    return changed(evidence, [](Problem& p) {
        p.rope = RopeConfig{};
        p.rope.layout = RopeLayout::none;
    });
}

std::optional<Trial> rope_scaling_ignored(const Evidence& evidence) {
    const RopeConfig& rope = evidence.golden.problem.rope;
    if (!rotates(evidence.golden.problem) || (rope.scaling == RopeScaling::none && rope.inv_freq.empty()))
        return std::nullopt;
    return changed(evidence, [](Problem& p) {
        p.rope.scaling = RopeScaling::none;
        p.rope.factor.reset();
        p.rope.original_max_position.reset();
        p.rope.mscale.reset();
        p.rope.inv_freq.clear();
    });
}

std::optional<Trial> with_mscale(const Evidence& evidence, double (*other)(double)) {
    const double mscale = reference::mscale(evidence.golden.problem.rope);
    if (!rotates(evidence.golden.problem) || !(mscale > 0) || mscale == 1) return std::nullopt;
    return changed(evidence, [&](Problem& p) { p.rope.mscale = other(mscale); });
}

std::optional<Trial> mscale_missing(const Evidence& evidence) {
    return with_mscale(evidence, [](double) { return 1.0; });
}

/// On one side only, the logits get mscale once: what sqrt(mscale) on both sides gives.
std::optional<Trial> mscale_once(const Evidence& evidence) {
    return with_mscale(evidence, [](double mscale) { return std::sqrt(mscale); });
}

std::optional<Trial> softmax_scale_missing(const Evidence& evidence) {
    if (evidence.golden.problem.resolved_softmax_scale() == 1) return std::nullopt;
    return changed(evidence, [](Problem& p) { p.softmax_scale = 1.0; });
}

std::optional<Trial> query_offset_ignored(const Evidence& evidence) {
    if (evidence.golden.problem.resolved_query_offset() == 0) return std::nullopt;
    return changed(evidence, [](Problem& p) { p.query_offset = 0; });
}

std::optional<Trial> sequences_joined(const Evidence& evidence) {
    if (!evidence.golden.problem.packed()) return std::nullopt;
    return changed(evidence, [](Problem& p) { p.cu_seqlens = {0, p.cu_seqlens.back()}; });
}

/// Query head a goes to place (a mod heads_kv) G + a div heads_kv, where the group rule finds kv head a mod heads_kv.
std::int64_t modulo_place(std::int64_t head, const Shape& s) {
    return head % s.heads_kv * (s.heads_q / s.heads_kv) + head / s.heads_kv;
}

/// Moves heads to their places, or back. Axis is that of the heads.
template <class T, int Rank>
Tensor<T, Rank> permuted(const Tensor<T, Rank>& tensor, const Shape& shape, bool back) {
    constexpr int axis = Rank == 4 ? 2 : 1;
    Tensor<T, Rank> result(tensor.extents());
    std::int64_t inner = 1;
    for (int a = axis + 1; a < Rank; ++a) inner *= tensor.extent(a);
    const std::int64_t heads = tensor.extent(axis);
    for (std::int64_t block = 0; block * inner < tensor.size(); ++block) {
        const std::int64_t head = block % heads;
        const std::int64_t from = block * inner, to = (block - head + modulo_place(head, shape)) * inner;
        const auto source =
            tensor.values().subspan(static_cast<std::size_t>(back ? to : from), static_cast<std::size_t>(inner));
        std::copy(source.begin(), source.end(), result.values().begin() + (back ? from : to));
    }
    return result;
}

std::optional<Trial> kv_head_by_modulo(const Evidence& evidence) {
    const Problem& problem = evidence.golden.problem;
    const Shape& shape = problem.shape;
    if (shape.heads_kv == 1 || shape.heads_kv == shape.heads_q) return std::nullopt;
    Inputs inputs = evidence.golden.inputs;
    inputs.q = permuted(inputs.q, shape, false);
    if (inputs.dout) inputs.dout = permuted(*inputs.dout, shape, false);
    std::optional<Trial> trial = recomputed(evidence, problem, std::move(inputs),
                                            [&](const auto& tensor) { return permuted(tensor, shape, true); });
    if (!trial) return std::nullopt;
    golden::Results& results = trial->truth.results;
    ErrorScales& scales = trial->truth.judge->scales;
    results.out = permuted(*results.out, shape, true);
    results.lse = permuted(*results.lse, shape, true);
    scales.out = permuted(scales.out, shape, true);
    scales.lse = permuted(scales.lse, shape, true);
    if (results.dq) results.dq = permuted(*results.dq, shape, true);
    if (scales.dq) scales.dq = permuted(*scales.dq, shape, true);
    return trial;
}

/// forward and its scales; with gradients also backward and theirs. In units of a forward pass, as measured.
constexpr Cost recomputation{4, 13};

constexpr Mistake on_problem(std::string_view id, std::optional<Trial> (*attempt)(const Evidence&)) {
    return {id, recomputation, Shows::in_out_and_lse, attempt};
}

constexpr std::array mistakes{
    on_problem("plain-rope", plain_rope),
    on_problem("clamp-one-short", clamp_one_short),
    on_problem("stride-is-chunk-size", stride_is_chunk_size),
    on_problem("rope-layout-swapped", rope_layout_swapped),
    on_problem("rope-missing", rope_missing),
    on_problem("rope-scaling-ignored", rope_scaling_ignored),
    on_problem("mscale-missing", mscale_missing),
    on_problem("mscale-once", mscale_once),
    on_problem("softmax-scale-missing", softmax_scale_missing),
    on_problem("kv-head-by-modulo", kv_head_by_modulo),
    on_problem("query-offset-ignored", query_offset_ignored),
    on_problem("sequences-joined", sequences_joined),
};

}  // namespace

std::span<const Mistake> problem_mistakes() {
    return mistakes;
}

}  // namespace dca::verify
