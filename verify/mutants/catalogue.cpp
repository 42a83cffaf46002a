#include <algorithm>
#include <vector>

#include "verify/mutants/families.hpp"

namespace dca::mutants {
namespace {

std::vector<Mutant> all() {
    std::vector<Mutant> mutants;
    for (const auto part :
         {position_mutants(), region_mutants(), merge_mutants(), scale_mutants(), rotation_mutants(), layout_mutants(),
          precision_mutants(), storage_mutants(), backward_mutants(), packed_mutants(), context_parallel_mutants()}) {
        mutants.insert(mutants.end(), part.begin(), part.end());
    }
    return mutants;
}

Change changed(const Mutant& mutant, const Problem& problem, const peer::PeerTypes& types) {
    Change change{problem, types, {}, {}};
    mutant.change(change);
    return change;
}

bool same_part(const peer::Part& a, const peer::Part& b) {
    return a.batch == b.batch && a.query_begin == b.query_begin && a.query_end == b.query_end &&
           a.key_begin == b.key_begin && a.key_end == b.key_end && a.offset == b.offset;
}

/// Consecutive keys of one mode and position are one segment, whatever way they were cut; positions mean nothing where
/// nothing is rotated, nor do modes where they run together.
peer::Plan normal(peer::Plan plan, bool positions, bool modes) {
    peer::Plan joined;
    for (peer::Segment segment : plan) {
        if (!positions) segment.position = 0;
        if (!modes) segment.mode = 0;
        if (!joined.empty() && joined.back().end == segment.begin && joined.back().mode == segment.mode &&
            joined.back().position == segment.position) {
            joined.back().end = segment.end;
        } else {
            joined.push_back(segment);
        }
    }
    return joined;
}

bool same(const peer::Plan& a, const peer::Plan& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const peer::Segment& x, const peer::Segment& y) {
        return x.mode == y.mode && x.begin == y.begin && x.end == y.end && x.position == y.position;
    });
}

/// Whether some query of the changed kernel meets other keys, or at other positions, than an honest one does.
bool walks_elsewhere(const Change& change, const Problem& asked) {
    const auto parts = change.method.parts(change.problem), honest = peer::parts_of(asked);
    if (!std::equal(parts.begin(), parts.end(), honest.begin(), honest.end(), same_part)) return true;
    const bool positions = asked.resolved_rotary_dim() > 0;
    const bool modes = static_cast<bool>(change.method.scale) || change.method.apart;
    for (const peer::Part& part : parts) {
        for (std::int64_t j = 0; positions && j < part.keys(); ++j) {
            if (change.method.key_position(change.problem, part, j) != peer::key_position(asked.chunk, j)) return true;
        }
        for (std::int64_t row = 0; row < part.query_end - part.query_begin; ++row) {
            if (part.offset + row < 0) continue;
            const peer::At at{change.problem, part, row, part.offset + row};
            if (!same(normal(change.method.plan(at), positions, modes),
                      normal(peer::honest_plan({asked, part, row, at.i}), positions, modes)))
                return true;
        }
    }
    return false;
}

/// Mistakes of these kinds show nowhere but in the plans.
bool is_walk(Family family) {
    return family == Family::position || family == Family::region || family == Family::packed ||
           family == Family::context_parallel;
}

Tensor4 rounded(Tensor4 tensor, Dtype dtype) {
    for (double& x : tensor.values()) x = round_to(dtype, x);
    return tensor;
}

}  // namespace

std::string_view name(Family family) {
    switch (family) {
        case Family::position: return "position";
        case Family::region: return "region";
        case Family::merge: return "merge";
        case Family::scale: return "scale";
        case Family::rotation: return "rotation";
        case Family::layout: return "layout";
        case Family::precision: return "precision";
        case Family::storage: return "storage";
        case Family::backward: return "backward";
        case Family::packed: return "packed";
        case Family::context_parallel: return "context parallel";
    }
    return "?";
}

std::span<const Mutant> catalogue() {
    static const std::vector<Mutant> mutants = all();
    return mutants;
}

const Mutant* find(std::string_view id) {
    const auto mutants = catalogue();
    const auto found = std::ranges::find(mutants, id, &Mutant::id);
    return found == mutants.end() ? nullptr : &*found;
}

bool applies(const Mutant& mutant, const Problem& problem) {
    if (problem.dialect != "exact" || problem.sparse_prefill()) return false;
    if (mutant.possible != nullptr && !mutant.possible(problem)) return false;
    if (!is_walk(mutant.family)) return true;
    const Change change = changed(mutant, problem, peer::types_of(problem));
    return change.method.key_source != nullptr || walks_elsewhere(change, problem);
}

Computed run(const Mutant& mutant, const Problem& problem, const Inputs& inputs, const peer::PeerTypes& types,
             const Selection* selection, const Outputs* right) {
    const Change change = changed(mutant, problem, types);
    if (!mutant.forward_right) right = nullptr;
    if (!change.values_type) {
        return peer::run_peer(change.problem, inputs, change.types, change.method, selection, right);
    }
    Inputs narrow = inputs;
    narrow.v = rounded(inputs.v, *change.values_type);
    if (inputs.dout) narrow.dout = rounded(*inputs.dout, *change.values_type);
    return peer::run_peer(change.problem, narrow, change.types, change.method, selection, right);
}

bool spoil(const Mutant& mutant, const Problem& problem, Outputs& outputs, Gradients* gradients) {
    const Change change = changed(mutant, problem, peer::types_of(problem));
    if (!change.method.store) return false;
    change.method.store(problem, outputs, gradients);
    return true;
}

}  // namespace dca::mutants
