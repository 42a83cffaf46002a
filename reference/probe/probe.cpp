// The passes over a probe: far keys of every chunk, then the rows chunk by chunk, then the keys chunk by chunk. Every
// element has one writer, and sums over chunks have a fixed order.
#include "reference/probe/probe.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>

#include "reference/math/parallel.hpp"
#include "reference/probe/key_chunk.hpp"
#include "reference/probe/key_noise.hpp"
#include "reference/probe/query_noise.hpp"
#include "reference/refusals.hpp"
#include "reference/spec/error.hpp"

namespace dca::reference::probe {
namespace {

/// Matrices of d x d doubles are kept for every chunk; beyond this many bytes the chunks are too small for a probe.
constexpr double largest_sums = 8e9;

void require_constant_factors(const Problem& problem, const Sequence& sequence) {
    const TemperatureLaw law(problem, sequence);
    if (law.off()) return;
    const std::int64_t first = std::max<std::int64_t>(0, sequence.offset), end = sequence.offset + sequence.query_count();
    bool constant = true;
    for (std::int64_t i = first + 1; i < end && constant; ++i) constant = law.query(QueryIndex(i)) == law.query(QueryIndex(first));
    for (std::int64_t j = 1; j < sequence.key_count() && constant; ++j) constant = law.key(KeyIndex(j)) == law.key(KeyIndex(0));
    if (constant) return;
    throw Unsupported("a probe needs logits that depend on rotary positions alone, but here the length factor of dialect " +
                      problem.dialect + " differs between the rows or keys of a sequence; leave its reference length out "
                      "(dialect_original_max_position_embeddings, dialect_max_position_embeddings)");
}

void require_inputs(const Problem& problem, const ProbeInputs& inputs, const Wanted& wanted) {
    const Shape& s = problem.shape;
    const bool fits = inputs.q.extents() == Extents<2>{s.heads_q, s.head_dim} &&
                      inputs.k.extents() == Extents<2>{s.heads_kv, s.head_dim} && inputs.v.extents() == v_extents(s) &&
                      (!inputs.dout || inputs.dout->extents() == out_extents(s));
    expects(fits, "probe: inputs of another problem");
    expects(!wanted.gradients() || inputs.dout.has_value(), "probe: inputs.dout is needed");
}

ProbeResults empty_results(const Shape& s, const Wanted& wanted) {
    ProbeResults results;
    const auto make = [&](bool asked, auto& tensor, auto& sigma, const auto& extents) {
        if (!asked) return;
        tensor.emplace(extents);
        if (wanted.scales) sigma.emplace(extents);
    };
    make(wanted.out, results.out, results.sigma_out, out_extents(s));
    make(wanted.lse, results.lse, results.sigma_lse, lse_extents(s));
    make(wanted.dq, results.dq, results.sigma_dq, q_extents(s));
    make(wanted.dk, results.dk, results.sigma_dk, k_extents(s));
    make(wanted.dv, results.dv, results.sigma_dv, v_extents(s));
    if (results.lse) std::ranges::fill(results.lse->values(), -std::numeric_limits<double>::infinity());
    return results;
}

/// One kv head of one sequence.
void run_group(const SequenceContext& context, const ProbeInputs& inputs, const Wanted& wanted, std::int64_t kv_head,
               ProbeResults& results) {
    std::vector<std::unique_ptr<Head>> heads;
    std::vector<std::unique_ptr<FarRows>> far_rows;
    std::vector<FinishedHead> finished;
    for (std::int64_t head = kv_head * context.group; head < (kv_head + 1) * context.group; ++head) {
        heads.push_back(std::make_unique<Head>(context, inputs, head));
        Head& h = *heads.back();
        if (h.geometry.empty()) return;
        h.far.sum(h, wanted.dq);
        const std::vector<Block> blocks = h.geometry.blocks();
        const std::int64_t first = h.geometry.first_chunk(), chunks = h.geometry.last_chunk() - first + 1;
        parallel_for(chunks, context.head_work(), [&](std::int64_t n) {
            for (const Block& block : blocks) {
                QueryBlock rows(h, first + n, block);
                if (rows.present.begin >= rows.present.end) continue;
                rows.forward(results);
                if (wanted.dq) rows.backward(results, nullptr);
            }
        });
        if (!wanted.dk && !wanted.dv) continue;
        far_rows.push_back(std::make_unique<FarRows>(h));
        finished.push_back({&h, far_rows.back().get()});
    }
    if (finished.empty()) return;
    parallel_for(heads.front()->geometry.key_chunks(), context.head_work(), [&](std::int64_t chunk) {
        KeyChunk keys(finished, chunk, nullptr);
        keys.run(results);
    });
}

}  // namespace

void require_probe(const Problem& problem, bool gradients) {
    validate(problem);
    require_reproducible(problem, gradients);
    require_dense(problem);
    for (const Sequence& sequence : sequences(problem)) {
        require_constant_factors(problem, sequence);
        const double chunks = static_cast<double>(sequence.key_count()) / static_cast<double>(problem.chunk.chunk_len());
        const double size = static_cast<double>(std::max(problem.shape.head_dim, problem.shape.head_dim_v));
        if (gradients && chunks * size * size * 8 > largest_sums) {
            throw Unsupported("a probe with gradients keeps matrices of head_dim x head_dim for every chunk; " +
                              std::to_string(static_cast<std::int64_t>(chunks)) +
                              " chunks are too many, make chunk_size - local_size larger or set gradient=0");
        }
    }
}

ProbeResults probe(const Problem& problem, const ProbeInputs& inputs, const Wanted& wanted) {
    require_probe(problem, wanted.gradients());
    require_inputs(problem, inputs, wanted);
    ProbeResults results = empty_results(problem.shape, wanted);
    Inputs none;  // the context's rows of q, k and v are those of the probe
    if (wanted.gradients()) none.dout.emplace();
    for (const Sequence& sequence : sequences(problem)) {
        const SequenceContext context(problem, none, sequence);
        for (std::int64_t kv_head = 0; kv_head < problem.shape.heads_kv; ++kv_head) {
            run_group(context, inputs, wanted, kv_head, results);
        }
    }
    return results;
}

}  // namespace dca::reference::probe
