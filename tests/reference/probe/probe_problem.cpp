#include "tests/reference/probe/probe_problem.hpp"

#include "tests/support/random_problem.hpp"

namespace dca::test {
namespace {

/// Row 0 of every head of a dense tensor.
reference::probe::Tensor2 first_rows(const Tensor4& tensor) {
    reference::probe::Tensor2 rows({tensor.extent(2), tensor.extent(3)});
    for (std::int64_t h = 0; h < tensor.extent(2); ++h) {
        for (std::int64_t e = 0; e < tensor.extent(3); ++e) rows(h, e) = tensor(0, 0, h, e);
    }
    return rows;
}

void repeat(const reference::probe::Tensor2& rows, Tensor4& tensor) {
    for (std::int64_t n = 0; n < tensor.size(); ++n) {
        tensor.values()[static_cast<std::size_t>(n)] = rows.values()[static_cast<std::size_t>(n % rows.size())];
    }
}

}  // namespace

ProbeCase make_probe(const Problem& problem, std::uint64_t seed, double logit_scale) {
    ProbeCase out{problem, {}, random_inputs(problem, seed, logit_scale)};
    for (Tensor4* tensor : {&out.dense.q, &out.dense.k, &out.dense.v, &*out.dense.dout}) {
        for (double& x : tensor->values()) x = round_to(problem.dtype, x);
    }
    out.inputs.q = first_rows(out.dense.q);
    out.inputs.k = first_rows(out.dense.k);
    repeat(out.inputs.q, out.dense.q);
    repeat(out.inputs.k, out.dense.k);
    out.inputs.v = out.dense.v;
    out.inputs.dout = out.dense.dout;
    return out;
}

std::optional<ProbeCase> random_probe(const std::string& dialect, std::uint64_t seed) {
    Problem problem = random_problem(seed);
    problem.dialect = dialect;
    const Dialect& rules = *find_dialect(dialect);
    if (dialect != "exact") {
        constexpr Dtype dtypes[] = {Dtype::f64, Dtype::f32, Dtype::bf16, Dtype::f16};
        problem.dtype = dtypes[seed % 4];
        if (seed % 3 == 0) problem.facts.max_position_embeddings = problem.facts.original_max_position_embeddings = 8;
        if (rules.scaling == ScalingSupport::none || rules.scaling == ScalingSupport::linear_only) {
            problem.rope.scaling =
                seed % 2 == 0 || rules.scaling == ScalingSupport::none ? RopeScaling::none : RopeScaling::linear;
            problem.rope.factor = problem.rope.scaling == RopeScaling::none ? std::nullopt : std::optional(2.5);
        }
        if (rules.scaling != ScalingSupport::any) problem.rope.mscale.reset();
        if (!rules.interleaved) problem.rope.layout = RopeLayout::neox;
        if (!rules.grouped_heads) problem.shape.heads_q = problem.shape.heads_kv;
        if (!rules.own_value_dim) problem.shape.head_dim_v = problem.shape.head_dim;
        if (rules.cache != CacheUse::any && !problem.packed()) {
            problem.shape.seq_q = problem.shape.seq_k;
            problem.query_offset.reset();
        }
        if (rules.table == TableLimit::query_positions) problem.facts.table_rows = 1000;
        if (rules.table == TableLimit::key_index) problem.facts.max_position_embeddings = 100;
        if (dialect == "megatron_pr4048" && seed % 5 == 0) problem.facts.path = MegatronPath::flash;
        if (dialect == "zerollama") problem.facts.original_max_position_embeddings.reset();
    }
    try {
        reference::probe::require_probe(problem, true);
    } catch (const Error&) {
        return std::nullopt;
    }
    constexpr double logit_scales[] = {1.0, 0.3, 2.0};
    return make_probe(problem, seed, logit_scales[seed % 3]);
}

}  // namespace dca::test
