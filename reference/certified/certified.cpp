#include "reference/certified/certified.hpp"

#include <algorithm>
#include <limits>

#include "reference/certified/backward.hpp"
#include "reference/certified/rounding.hpp"
#include "reference/math/parallel.hpp"
#include "reference/spec/error.hpp"

namespace dca::certified {

void require_certifiable(const Problem& problem) {
    const Dialect& dialect = reference::dialect_of(problem);
    if (dialect.name != "exact" && dialect.name != "paper") {
        throw Unsupported("certified results exist for the dialects exact and paper; dialect " +
                          std::string(dialect.name) + " rounds on the way: compute it without --certified");
    }
    if (problem.sparse_prefill()) {
        throw Unsupported(
            "certified results exist for dense attention, not for a sparse prefill: compute it without "
            "--certified, or leave out the dialect_sparse_* facts");
    }
}

Unrounded compute(const Problem& problem, const Inputs& inputs) {
    validate(problem, inputs);
    require_certifiable(problem);
    const Shape& shape = problem.shape;
    Unrounded results{Bounded<4>(out_extents(shape)), Bounded<3>(lse_extents(shape)), {}, {}, {}};
    std::ranges::fill(results.lse.hi.values(), -std::numeric_limits<double>::infinity());
    const bool gradients = inputs.dout.has_value();
    if (gradients) {
        results.dq.emplace(q_extents(shape));
        results.dk.emplace(k_extents(shape));
        results.dv.emplace(v_extents(shape));
    }
    for (const Sequence& sequence : reference::sequences(problem)) {
        const Context context(problem, inputs, sequence);
        const auto tiles = query_tiles(problem.chunk, sequence);
        const std::int64_t group = context.group;
        for (std::int64_t kv_head = 0; kv_head < shape.heads_kv; ++kv_head) {
            const KeyOperands keys(context, kv_head, gradients);
            std::vector<HeadFacts> facts(static_cast<std::size_t>(group),
                                         HeadFacts(static_cast<std::size_t>(sequence.query_count())));
            const double work = context.head_work() * static_cast<double>(group) * (gradients ? 3 : 1);
            reference::parallel_for(static_cast<std::int64_t>(tiles.size()) * group, work, [&](std::int64_t item) {
                const QueryTile& tile = tiles[static_cast<std::size_t>(item / group)];
                HeadFacts& of_head = facts[static_cast<std::size_t>(item % group)];
                const std::int64_t head = kv_head * group + item % group;
                forward_tile(context, keys, tile, head, results, of_head);
                if (gradients) backward_queries(context, keys, tile, head, of_head, *results.dq);
            });
            if (gradients) backward_keys(context, keys, tiles, kv_head, facts, *results.dk, *results.dv);
        }
    }
    return results;
}

CertifiedResults certified(const Problem& problem, const Inputs& inputs, const Options& options) {
    expects(options.radius_factor >= 1, "certified: radius_factor is at least 1");
    return round_once(problem, inputs, compute(problem, inputs), options);
}

}  // namespace dca::certified
