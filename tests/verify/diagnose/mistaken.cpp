#include "tests/verify/diagnose/mistaken.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include "reference/backward.hpp"
#include "reference/forward.hpp"
#include "verify/run/make_golden.hpp"

namespace dca::test {
namespace {

golden::Results solved(const Problem& problem, const Inputs& inputs) {
    const Outputs outputs = reference::forward(problem, inputs);
    Gradients gradients = reference::backward(problem, inputs, outputs);
    return {outputs.out, outputs.lse, std::move(gradients.dq), std::move(gradients.dk), std::move(gradients.dv)};
}

/// The problem a candidate with this mistake solves instead; nothing if it is not that kind of mistake.
std::optional<Problem> other_problem(const std::string& mistake, Problem p) {
    if (mistake == "plain-rope") {
        p.chunk = {1000, 0};
    } else if (mistake == "clamp-one-short") {
        p.chunk = {11, 3};
    } else if (mistake == "stride-is-chunk-size") {
        p.chunk = {12, 0};
    } else if (mistake == "rope-layout-swapped") {
        p.rope.layout = RopeLayout::interleaved;
    } else if (mistake == "rope-missing") {
        p.rope.layout = RopeLayout::none;
    } else if (mistake == "rope-scaling-ignored") {
        p.rope = RopeConfig{};
    } else if (mistake == "mscale-missing") {
        p.rope.mscale = 1;
    } else if (mistake == "mscale-once") {
        // All dims are rotary here, so mscale once is a factor on the logits.
        p.softmax_scale = p.resolved_softmax_scale() * *p.rope.mscale;
        p.rope.mscale = 1;
    } else if (mistake == "softmax-scale-missing") {
        p.softmax_scale = 1;
    } else if (mistake == "query-offset-ignored") {
        p.query_offset = 0;
    } else if (mistake == "sequences-joined") {
        p.cu_seqlens = {0, 40};
    } else {
        return std::nullopt;
    }
    return p;
}

/// Every query head with a kv head of its own: a copy of head a mod heads_kv.
golden::Results kv_head_by_modulo(const golden::CaseData& golden) {
    Problem p = golden.problem;
    const std::int64_t kv_heads = p.shape.heads_kv, heads = p.shape.heads_q, n = p.shape.seq_k, d = p.shape.head_dim;
    p.shape.heads_kv = heads;
    Inputs inputs = golden.inputs;
    inputs.k = Tensor4(k_extents(p.shape));
    inputs.v = Tensor4(v_extents(p.shape));
    const auto each = [&](const auto& action) {
        for (std::int64_t j = 0; j < n; ++j) {
            for (std::int64_t a = 0; a < heads; ++a) {
                for (std::int64_t c = 0; c < d; ++c) action(j, a, c);
            }
        }
    };
    each([&](auto j, auto a, auto c) {
        inputs.k(0, j, a, c) = golden.inputs.k(0, j, a % kv_heads, c);
        inputs.v(0, j, a, c) = golden.inputs.v(0, j, a % kv_heads, c);
    });
    golden::Results apart = solved(p, inputs), result = apart;
    result.dk = Tensor4(k_extents(golden.problem.shape));
    result.dv = Tensor4(v_extents(golden.problem.shape));
    each([&](auto j, auto a, auto c) {
        (*result.dk)(0, j, a % kv_heads, c) += (*apart.dk)(0, j, a, c);
        (*result.dv)(0, j, a % kv_heads, c) += (*apart.dv)(0, j, a, c);
    });
    return result;
}

/// out and lse combined from the modes by `weight(lse of the mode, is it dropped)`.
golden::Results merged(const golden::CaseData& golden, const std::string& mistake) {
    golden::Results result{golden.results.out, golden.results.lse, {}, {}, {}};
    const bool average = mistake == "merge-by-average";
    const auto [batches, rows, heads, channels] = result.out->extents();
    for (double& value : result.out->values()) value = 0;
    Tensor3 total(result.lse->extents());
    for (Mode mode : all_modes) {
        if (mistake == std::string(name(mode)) + "-dropped") continue;
        const Outputs part = reference::partial(golden.problem, golden.inputs, mode);
        for (std::int64_t i = 0; i < rows; ++i) {
            for (std::int64_t a = 0; a < heads; ++a) {
                if (std::isinf(part.lse(0, a, i))) continue;
                const double weight = average ? 1 : std::exp(part.lse(0, a, i));
                total(0, a, i) += weight;
                for (std::int64_t c = 0; c < channels; ++c) (*result.out)(0, i, a, c) += weight * part.out(0, i, a, c);
            }
        }
    }
    for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t a = 0; a < heads; ++a) {
            for (std::int64_t c = 0; c < channels; ++c) (*result.out)(0, i, a, c) /= total(0, a, i);
            if (!average) (*result.lse)(0, a, i) = std::log(total(0, a, i));
        }
    }
    return result;
}

template <int Rank>
void scale(std::optional<Tensor<double, Rank>>& tensor, double factor) {
    for (double& value : tensor->values()) value *= factor;
}

}  // namespace

golden::CaseData golden_for(const std::string& mistake, Dtype dtype) {
    golden::CaseSpec spec;
    spec.id = "case";
    Problem& p = spec.problem;
    p.shape = {.batch = 1, .seq_q = 40, .seq_k = 40, .heads_q = 4, .heads_kv = 2, .head_dim = 16, .head_dim_v = 16};
    p.chunk = {12, 4};
    p.dtype = dtype;
    spec.recipe.seed = 7;
    if (mistake == "rope-scaling-ignored") {
        p.rope.scaling = RopeScaling::linear;
        p.rope.factor = 4;
    } else if (mistake == "mscale-missing" || mistake == "mscale-once") {
        p.rope.mscale = 1.3;
    } else if (mistake == "query-offset-ignored") {
        p.shape.seq_q = 20;
    } else if (mistake == "sequences-joined") {
        p.cu_seqlens = {0, 13, 40};
    } else if (mistake == "lse-empty-plus-inf") {
        p.query_offset = -3;
    } else if (mistake == "lower-precision") {
        p.dtype = Dtype::f32;
    }
    return verify::make_case(spec);
}

golden::Results mistaken(const std::string& mistake, const golden::CaseData& golden) {
    if (const auto problem = other_problem(mistake, golden.problem)) return solved(*problem, golden.inputs);
    if (mistake == "kv-head-by-modulo") return kv_head_by_modulo(golden);
    if (mistake == "inter-dropped" || mistake == "succ-dropped" || mistake == "merge-by-average") {
        return merged(golden, mistake);
    }
    golden::Results result = golden.results;
    const double softmax_scale = golden.problem.resolved_softmax_scale();
    if (mistake == "detached-merge") {
        Gradients gradients = reference::backward(golden.problem, golden.inputs, {*result.out, *result.lse},
                                                  reference::GradientRule::detached_merge);
        result.dq = std::move(gradients.dq);
        result.dk = std::move(gradients.dk);
    } else if (mistake == "lse-base-2") {
        scale(result.lse, 1 / std::numbers::ln2);
    } else if (mistake == "lse-empty-plus-inf") {
        for (double& value : result.lse->values()) value = std::isinf(value) ? -value : value;
    } else if (mistake == "dq-unscaled") {
        scale(result.dq, 1 / softmax_scale);
    } else if (mistake == "dk-unscaled") {
        scale(result.dk, 1 / softmax_scale);
    } else if (mistake == "unwritten") {
        // The last tile of 8 rows of out, and no dv at all.
        for (std::size_t n = result.out->values().size() * 4 / 5; n < result.out->values().size(); ++n) {
            result.out->values()[n] = 0;
        }
        for (double& value : result.dv->values()) value = std::numeric_limits<double>::quiet_NaN();
    } else if (mistake == "lower-precision") {
        return rounded(std::move(result), Dtype::bf16);
    } else {
        throw ContractError("no candidate makes the mistake " + mistake);
    }
    return result;
}

golden::Results rounded(golden::Results results, Dtype dtype) {
    const auto round = [](auto& tensor, Dtype type) {
        if (!tensor) return;
        for (double& value : tensor->values()) value = round_to(type, value);
    };
    round(results.out, dtype);
    round(results.lse, dtype == Dtype::f64 ? Dtype::f64 : Dtype::f32);
    round(results.dq, dtype);
    round(results.dk, dtype);
    round(results.dv, dtype);
    return results;
}

}  // namespace dca::test
