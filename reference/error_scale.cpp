// The error model of docs/error_model.md: one sweep over the keys of every query tile (out, lse, dq), one over the
// queries of every key tile (dk, dv). Blocked like forward and backward; every element has one writer.
#include "reference/error_scale.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "reference/math/parallel.hpp"
#include "reference/noise/key_gradient_noise.hpp"
#include "reference/noise/output_noise.hpp"
#include "reference/noise/query_gradient_noise.hpp"
#include "reference/noise/row_margin.hpp"
#include "reference/refusals.hpp"
#include "reference/spec/error.hpp"

namespace dca::reference {
namespace {

using namespace noise;

/// channel_concentration of every head of one sequence.
struct Concentrations {
    std::vector<double> q, dout;  ///< per query head
    std::vector<double> k, v;     ///< per kv head
};

Rows head_rows(const Tensor4& tensor, std::int64_t batch, std::int64_t begin, std::int64_t end, std::int64_t head) {
    const auto view = tensor.view();
    return {&tensor(batch, begin, head, 0), static_cast<int>(end - begin), static_cast<int>(view.extent(3)),
            view.stride(1)};
}

Concentrations measure_concentrations(const Inputs& inputs, const Sequence& s) {
    Concentrations out;
    const auto measure = [&](const Tensor4& tensor, std::int64_t begin, std::int64_t end) {
        std::vector<double> of_head(static_cast<std::size_t>(tensor.extent(2)));
        parallel_for(tensor.extent(2), static_cast<double>(tensor.size() * tensor.extent(3)), [&](std::int64_t head) {
            Products products;
            of_head[static_cast<std::size_t>(head)] =
                channel_concentration(head_rows(tensor, s.batch, begin, end, head), products);
        });
        return of_head;
    };
    out.k = measure(inputs.k, s.key_begin, s.key_end);
    out.v = measure(inputs.v, s.key_begin, s.key_end);
    if (inputs.dout) {
        out.q = measure(inputs.q, s.query_begin, s.query_end);
        out.dout = measure(*inputs.dout, s.query_begin, s.query_end);
    }
    return out;
}

/// work(first, count) for the key tiles of a span that the query tile sees.
template <class Work>
void for_key_tiles(const KeySpan& span, const QueryTile& query_tile, const Work& work) {
    const std::int64_t end = std::min(span.end, query_tile.last_index() + 1);
    for (std::int64_t first = span.begin; first < end; first += key_tile_columns) {
        work(first, static_cast<int>(std::min<std::int64_t>(key_tile_columns, end - first)));
    }
}

/// Keys of the span that each row sees.
std::vector<double> visible_in(const QueryFacts& facts, const KeySpan& span) {
    std::vector<double> keys;
    for (int r = 0; r < facts.rows(); ++r) {
        keys.push_back(facts.visible(r, span.begin, static_cast<int>(span.end - span.begin)));
    }
    return keys;
}

/// A flash kernel's exp sees the logit less the largest one so far: expectations need that before they start.
void find_running_maximum(const Call& call, const QueryTile& query_tile, QueryFacts& facts, Products& products) {
    const SequenceContext& c = call.context;
    const int step = call.profile.key_tile, rows = facts.rows();
    const int tiles = static_cast<int>((c.key_count + step - 1) / step);
    Matrix maximum(rows, tiles), logit(rows, key_tile_columns);
    std::fill_n(maximum.row(0), rows * tiles, -std::numeric_limits<double>::infinity());
    for (const KeySpan& span : key_spans(c.problem.chunk, query_tile.chunk, c.key_count)) {
        const QueryRows queries(call, facts, span.mode);
        for_key_tiles(span, query_tile, [&](std::int64_t first, int count) {
            const KeyRows keys(call, facts.head / c.group, first, count);
            products.nt(queries.rotated.view(), keys.rotated.view(), logit);
            for (int r = 0; r < rows; ++r) {
                const int seen = facts.visible(r, first, count);
                for (int j = 0; j < seen; ++j) {
                    double& top = maximum.row(r)[(first + j) / step];
                    top = std::max(top, logit.row(r)[j] * c.softmax_scale);
                }
            }
        });
    }
    for (int r = 0; r < rows; ++r) {
        for (int t = 1; t < tiles; ++t) maximum.row(r)[t] = std::max(maximum.row(r)[t], maximum.row(r)[t - 1]);
    }
    facts.running_maximum = std::move(maximum);
}

void query_side(const Call& call, const QueryTile& query_tile, std::int64_t head, const Concentrations& concentrations,
                ErrorScales& scales, InheritedNoise& inherited) {
    const SequenceContext& c = call.context;
    const std::int64_t kv_head = head / c.group;
    Products products;
    QueryFacts facts(call, query_tile, head);
    if (call.expectation()) find_running_maximum(call, query_tile, facts, products);
    PairTile tile(facts.rows(), key_tile_columns, call.wants_gradients(), call.expectation());
    OutputNoise output(call, facts);
    QueryGradientNoise gradient(call, facts);
    for (const KeySpan& span : key_spans(c.problem.chunk, query_tile.chunk, c.key_count)) {
        const QueryRows queries(call, facts, span.mode);
        const std::vector<double> mode_keys = visible_in(facts, span);
        for_key_tiles(span, query_tile, [&](std::int64_t first, int count) {
            const KeyRows keys(call, kv_head, first, count);
            tile.evaluate(call, facts, queries, keys, first, count, products);
            output.add(keys, tile, products);
            if (call.wants_gradients()) gradient.add(keys, tile, mode_keys, products);
        });
        output.end_mode(queries);
        if (call.wants_gradients()) gradient.end_mode(queries, mode_keys);
    }
    const double k_concentration = concentrations.k[static_cast<std::size_t>(kv_head)];
    output.finish(concentrations.v[static_cast<std::size_t>(kv_head)], k_concentration, scales, inherited);
    if (call.wants_gradients()) gradient.finish(output.mean_key(), k_concentration, inherited, *scales.dq);
}

void key_side(const Call& call, const std::vector<QueryTile>& tiles, std::int64_t kv_head, std::int64_t first,
              const Concentrations& concentrations, const InheritedNoise& inherited, ErrorScales& scales) {
    const SequenceContext& c = call.context;
    const int count = static_cast<int>(std::min<std::int64_t>(key_tile_columns, c.key_count - first));
    Products products;
    KeyGradientNoise noise(call, kv_head, first, count);
    double q_concentration = 0, dout_concentration = 0;
    for (std::int64_t head = kv_head * c.group; head < (kv_head + 1) * c.group; ++head) {
        noise.add_head(tiles, head, inherited, products);
        q_concentration = std::max(q_concentration, concentrations.q[static_cast<std::size_t>(head)]);
        dout_concentration = std::max(dout_concentration, concentrations.dout[static_cast<std::size_t>(head)]);
    }
    noise.finish(q_concentration, dout_concentration, *scales.dk, *scales.dv);
}

ErrorScales empty_scales(const Problem& problem, bool gradients) {
    const Shape& s = problem.shape;
    ErrorScales scales{Tensor<float, 4>(out_extents(s)), Tensor<float, 3>(lse_extents(s)), {}, {}, {}};
    if (gradients) {
        scales.dq.emplace(q_extents(s));
        scales.dk.emplace(k_extents(s));
        scales.dv.emplace(v_extents(s));
    }
    return scales;
}

ErrorScales scales_of(const Problem& problem, const Inputs& inputs, const Outputs& outputs,
                      const AttendedKeys& attended, const KernelProfile& profile) {
    expects(outputs.out.extents() == out_extents(problem.shape) && outputs.lse.extents() == lse_extents(problem.shape),
            "error_scales: outputs of another problem");
    ErrorScales scales = empty_scales(problem, inputs.dout.has_value());
    InheritedNoise inherited(problem.shape);
    for (const Sequence& sequence : sequences(problem)) {
        const SequenceContext context(problem, inputs, sequence);
        const Call call(context, outputs, attended, profile);
        const Concentrations concentrations = measure_concentrations(inputs, sequence);
        const auto tiles = query_tiles(problem.chunk, sequence);
        const std::int64_t heads = problem.shape.heads_q;
        // About as much again as ten forward passes.
        const double work = 10 * context.head_work() * static_cast<double>(heads);
        parallel_for(static_cast<std::int64_t>(tiles.size()) * heads, work, [&](std::int64_t item) {
            query_side(call, tiles[static_cast<std::size_t>(item / heads)], item % heads, concentrations, scales,
                       inherited);
        });
        if (!inputs.dout) continue;
        const std::int64_t key_tiles = (context.key_count + key_tile_columns - 1) / key_tile_columns;
        const std::int64_t kv_heads = problem.shape.heads_kv;
        parallel_for(key_tiles * kv_heads, work, [&](std::int64_t item) {
            key_side(call, tiles, item % kv_heads, item / kv_heads * key_tile_columns, concentrations, inherited,
                     scales);
        });
    }
    return scales;
}

}  // namespace

ErrorScales error_scales(const Problem& problem, const Inputs& inputs, const Outputs& outputs) {
    require_computable(problem, inputs);
    return scales_of(problem, inputs, outputs, {}, family_profile(problem));
}

ErrorScales error_scales(const Problem& problem, const Inputs& inputs, const Outputs& outputs,
                         const KernelProfile& profile) {
    require_computable(problem, inputs);
    return scales_of(problem, inputs, outputs, {}, profile);
}

ErrorScales error_scales(const Problem& problem, const Inputs& inputs, const Outputs& outputs,
                         const AttendedKeys& attended) {
    validate(problem, inputs);
    require_reproducible(problem);
    expects(!inputs.dout, "error_scales: the gradients of a sparse prefill");
    return scales_of(problem, inputs, outputs, attended, family_profile(problem));
}

}  // namespace dca::reference
