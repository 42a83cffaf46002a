// The row facts of the backward pass; the gradients are formed from them in gradient_pass.cpp.
#include "reference/backward.hpp"

#include <algorithm>
#include <optional>

#include "reference/forward.hpp"
#include "reference/gradient_pass.hpp"
#include "reference/math/parallel.hpp"
#include "reference/merge_rule.hpp"
#include "reference/operands.hpp"
#include "reference/spec/error.hpp"

namespace dca::reference {
namespace {

Tensor3 row_dots(const Tensor4& dout, const Tensor4& out) {
    const std::int64_t batch = out.extent(0), rows = out.extent(1), heads = out.extent(2), dim = out.extent(3);
    Tensor3 dots({batch, heads, rows});
    parallel_for(batch * rows, static_cast<double>(batch * rows * heads * dim), [&](std::int64_t item) {
        const std::int64_t b = item / rows, row = item % rows;
        for (std::int64_t head = 0; head < heads; ++head) {
            const double* x = &dout(b, row, head, 0);
            const double* y = &out(b, row, head, 0);
            double sum = 0;
            for (std::int64_t c = 0; c < dim; ++c) sum += x[c] * y[c];
            dots(b, head, row) = sum;
        }
    });
    return dots;
}

/// Of a merge with these weights: the gradient of one softmax per mode, times its weight.
RowFacts weighted_facts(const Inputs& inputs, const Outputs& outputs, const Parts& parts, const MergeWeights& weights,
                        GradientRule rule) {
    RowFacts facts;
    for (const Outputs& part : parts) {
        facts.lse.push_back(part.lse);
        if (rule == GradientRule::detached_merge) facts.delta.push_back(row_dots(*inputs.dout, part.out));
    }
    if (rule == GradientRule::exact) facts.delta.push_back(row_dots(*inputs.dout, outputs.out));
    facts.weight.assign(weights.begin(), weights.end());
    return facts;
}

RowFacts make_row_facts(const Problem& problem, const Inputs& inputs, const Outputs& outputs, GradientRule rule,
                        const Parts* parts) {
    const Merge merge(problem);
    const bool detached = rule == GradientRule::detached_merge;
    Parts computed;
    if ((detached || merge.rounds_weights()) && parts == nullptr) {
        (void)forward(problem, inputs, computed);
        parts = &computed;
    }
    if (merge.rounds_weights()) return weighted_facts(inputs, outputs, *parts, merge_weights(merge, *parts), rule);
    RowFacts facts;
    facts.lse.push_back(outputs.lse);
    if (detached) {
        for (const Outputs& part : *parts) facts.delta.push_back(row_dots(*inputs.dout, part.out));
    } else {
        facts.delta.push_back(row_dots(*inputs.dout, outputs.out));
    }
    return facts;
}

}  // namespace

bool backward_needs_parts(const Problem& problem) {
    return gradient_rule(problem) == GradientRule::detached_merge || Merge(problem).rounds_weights();
}

Gradients backward(const Problem& problem, const Inputs& inputs, const Outputs& outputs,
                   std::optional<GradientRule> rule, const Parts* parts) {
    require_computable(problem, inputs);
    expects(inputs.dout.has_value(), "backward: inputs.dout is needed");
    expects(outputs.out.extents() == out_extents(problem.shape) && outputs.lse.extents() == lse_extents(problem.shape),
            "backward: outputs of another problem");
    return gradient_pass(problem, inputs,
                         make_row_facts(problem, inputs, outputs, rule.value_or(gradient_rule(problem)), parts));
}

Gradients backward(const Problem& problem, const Inputs& inputs, const Outputs& outputs, const Parts& parts,
                   const MergeWeights& weights) {
    require_computable(problem, inputs);
    expects(inputs.dout.has_value(), "backward: inputs.dout is needed");
    return gradient_pass(problem, inputs, weighted_facts(inputs, outputs, parts, weights, gradient_rule(problem)));
}

}  // namespace dca::reference
