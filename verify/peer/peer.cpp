#include "verify/peer/peer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "verify/peer/kernel.hpp"

namespace dca::peer {

PeerTypes types_of(const Problem& problem) {
    return {problem.dtype, problem.resolved_p_dtype(), problem.resolved_accumulator(), problem.resolved_output_dtype()};
}

Plan honest_plan(const At& at) {
    const auto reach = reaches(at.problem.chunk, at.i, at.part.keys());
    Plan plan;
    for (int mode : {2, 1, 0}) {
        const Reach& keys = reach[static_cast<std::size_t>(mode)];
        if (keys.begin < keys.end)
            plan.push_back({mode, keys.begin, keys.end, query_position(at.problem.chunk, at.i, mode)});
    }
    return plan;
}

PeerResult run_peer(const Problem& problem, const Inputs& inputs, const PeerTypes& types) {
    return run_peer(problem, inputs, types, Method{});
}

PeerResult run_peer(const Problem& problem, const Inputs& inputs, const PeerTypes& types, const Method& method,
                    const Selection* selection, const Outputs* right) {
    validate(problem, inputs);
    if (problem.dialect != "exact") throw Unsupported("peer: dialect " + problem.dialect + ", it computes exact alone");
    if (problem.sparse_prefill()) throw Unsupported("peer: it computes no sparse prefill");
    if (types.accumulator == Dtype::f64) {
        return Kernel<double, long double>(problem, inputs, types, method, selection, right).run();
    }
    return Kernel<float, double>(problem, inputs, types, method, selection, right).run();
}

}  // namespace dca::peer
