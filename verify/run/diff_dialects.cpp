#include "verify/run/diff_dialects.hpp"

#include <algorithm>
#include <cmath>

#include "golden/make_inputs.hpp"
#include "reference/backward.hpp"
#include "reference/error_scale.hpp"
#include "reference/forward.hpp"
#include "reference/math/chunk_positions.hpp"
#include "reference/refusals.hpp"
#include "verify/compare/compare.hpp"

namespace dca::verify {
namespace {

struct Computed {
    Outputs outputs;
    std::optional<Gradients> gradients;
};

Problem in_dialect(Problem problem, const std::string& dialect) {
    problem.dialect = dialect;
    (void)reference::dialect_of(problem);        // throws where there is none
    if (dialect == "exact") problem.facts = {};  // it takes none
    return problem;
}

std::optional<std::string> refusal(const Problem& problem) {
    try {
        reference::require_reproducible(problem);
    } catch (const Unsupported& error) {
        return error.what();
    }
    return std::nullopt;
}

Computed compute(const Problem& problem, const Inputs& inputs) {
    Computed computed{reference::forward(problem, inputs), std::nullopt};
    if (inputs.dout) computed.gradients = reference::backward(problem, inputs, computed.outputs);
    return computed;
}

/// The lowest row with an element over the line, for tensors (batch, row, ...) and lse (batch, head, row).
template <int Rank>
std::optional<std::int64_t> first_row_above(const Tensor<double, Rank>& a, const Tensor<double, Rank>& b,
                                            const Tensor<float, Rank>& sigma, double line) {
    std::int64_t per_row = 1, rows = a.extent(Rank - 1);
    if (Rank == 4) {
        rows = a.extent(1);
        per_row = a.extent(Rank - 2) * a.extent(Rank - 1);
    }
    std::int64_t first = rows;
    for (std::size_t n = 0; n < a.values().size(); ++n) {
        const double x = a.values()[n], y = b.values()[n];
        const bool near = x == y || std::abs(x - y) <= line * static_cast<double>(sigma.values()[n]);
        if (!near) first = std::min(first, static_cast<std::int64_t>(n) / per_row % rows);
    }
    return first < rows ? std::optional(first) : std::nullopt;
}

/// The lowest row of a tensor whose worst row is above noise although no element is.
std::optional<std::int64_t> worst_row(const TensorReport& report) {
    return report.worst_row ? std::optional(report.worst_row->row) : std::nullopt;
}

template <int Rank>
TensorDifference difference(const char* name, const Tensor<double, Rank>& a, const Tensor<double, Rank>& b,
                            const Tensor<float, Rank>& sigma, const std::vector<Region>& regions) {
    TensorDifference result;
    result.numbers = compare_tensor(name, a.extents(), a.values(), b.values(), sigma.values(), regions);
    std::int64_t bad = result.numbers.nonfinite_mismatches;
    for (const RegionReport& region : result.numbers.regions) bad += region.bad_elements + region.bad_rows;
    if (bad > 0) {
        result.difference = Difference::above_noise;
        result.first_row = first_row_above(a, b, sigma, result.numbers.element_line);
        if (!result.first_row) result.first_row = worst_row(result.numbers);
    } else if (!std::equal(a.values().begin(), a.values().end(), b.values().begin())) {
        result.difference = Difference::within_noise;
    }
    return result;
}

std::vector<TensorDifference> diff_results(const Both<Problem>& problems, const Inputs& inputs) {
    const Computed a = compute(problems[0], inputs), b = compute(problems[1], inputs);
    const ErrorScales sigma = reference::error_scales(problems[0], inputs, a.outputs);
    const RowRegions regions = reference::row_regions(problems[0]);
    std::vector<TensorDifference> tensors{difference("out", a.outputs.out, b.outputs.out, sigma.out, regions.query),
                                          difference("lse", a.outputs.lse, b.outputs.lse, sigma.lse, regions.query)};
    if (a.gradients) {
        tensors.push_back(difference("dq", a.gradients->dq, b.gradients->dq, *sigma.dq, regions.query));
        tensors.push_back(difference("dk", a.gradients->dk, b.gradients->dk, *sigma.dk, regions.key));
        tensors.push_back(difference("dv", a.gradients->dv, b.gradients->dv, *sigma.dv, regions.key));
    }
    return tensors;
}

}  // namespace

DialectDifference diff_dialects(const std::string& case_id, const Problem& problem, const Inputs& inputs,
                                const Both<std::string>& dialects) {
    validate(problem);
    if (!problem.facts.sparse_vertical_size.empty()) {
        throw Unsupported("case " + case_id +
                          " asks for a sparse prefill; dialects are compared on dense attention: "
                          "leave the dialect_sparse_* facts out");
    }
    const Both<Problem> problems{in_dialect(problem, dialects[0]), in_dialect(problem, dialects[1])};
    DialectDifference result;
    result.case_id = case_id;
    result.dtype = name(problem.dtype);
    result.dialects = dialects;
    result.refusals = {refusal(problems[0]), refusal(problems[1])};
    result.positions = diff_positions(problems);
    result.temperature = diff_temperature(problems);
    result.rules = diff_rules(problems, inputs.dout.has_value());
    if (!result.refusals[0] && !result.refusals[1]) result.tensors = diff_results(problems, inputs);
    return result;
}

DialectDifference diff_dialects(const golden::CaseSpec& spec, const Both<std::string>& dialects) {
    return diff_dialects(spec.id, spec.problem, golden::make_inputs(spec), dialects);
}

}  // namespace dca::verify
