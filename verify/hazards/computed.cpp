#include "verify/hazards/computed.hpp"

#include <algorithm>
#include <cmath>

#include "golden/make_inputs.hpp"
#include "reference/backward.hpp"
#include "reference/forward.hpp"

namespace dca::hazards {
namespace {

using golden::CaseSpec;

std::int64_t end_of_rows(const Problem& problem) {
    return problem.resolved_query_offset() + problem.shape.seq_q;
}

/// Rows [begin, begin + count) of the sequence axis.
Tensor4 rows(const Tensor4& tensor, std::int64_t begin, std::int64_t count) {
    const std::int64_t row_size = tensor.extent(2) * tensor.extent(3);
    Tensor4 out({1, count, tensor.extent(2), tensor.extent(3)});
    const auto from = tensor.values().begin() + begin * row_size;
    std::copy(from, from + count * row_size, out.values().begin());
    return out;
}

/// ||a - b|| / ||b||, where b 0 counts as size 1.
double relative_difference(const Tensor4& a, const Tensor4& b) {
    expects(a.extents() == b.extents(), "tensors of different shapes");
    double difference = 0, size = 0;
    for (std::size_t at = 0; at < b.values().size(); ++at) {
        difference += (a.values()[at] - b.values()[at]) * (a.values()[at] - b.values()[at]);
        size += b.values()[at] * b.values()[at];
    }
    return std::sqrt(difference / (size == 0 ? 1 : size));
}

Tensor4 gradient(const Computable& one, Gradient tensor) {
    if (!one.inputs.dout) throw InvalidProblem("a gradient needs a case with gradient=1");
    const Outputs outputs = reference::forward(one.problem, one.inputs);
    const Gradients all = reference::backward(one.problem, one.inputs, outputs);
    return tensor == Gradient::dq ? all.dq : tensor == Gradient::dk ? all.dk : all.dv;
}

}  // namespace

std::int64_t common_length(const CaseSpec& a, const CaseSpec& b) {
    return std::max({a.problem.shape.seq_k, b.problem.shape.seq_k, end_of_rows(a.problem), end_of_rows(b.problem)});
}

Computable computable(const CaseSpec& spec, const CaseSpec& recipe, std::int64_t length) {
    const Shape& shape = spec.problem.shape;
    if (shape.batch != 1 || spec.problem.packed()) throw InvalidProblem("a demonstration has one unpacked sequence");
    CaseSpec longest = recipe;
    longest.problem.dialect = "exact";
    longest.problem.facts = {};
    longest.problem.query_offset.reset();
    longest.problem.shape.seq_q = longest.problem.shape.seq_k = length;
    const Inputs all = golden::make_inputs(longest);
    const std::int64_t offset = spec.problem.resolved_query_offset();
    if (offset < 0) throw InvalidProblem("a demonstration has no rows before the first key");
    Computable out{.problem = spec.problem,
                   .inputs = {.q = rows(all.q, offset, shape.seq_q),
                              .k = rows(all.k, 0, shape.seq_k),
                              .v = rows(all.v, 0, shape.seq_k),
                              .dout = std::nullopt}};
    if (all.dout) out.inputs.dout = rows(*all.dout, offset, shape.seq_q);
    validate(out.problem, out.inputs);
    return out;
}

double output_difference(const CaseSpec& a, const CaseSpec& b, std::int64_t from, std::int64_t to) {
    const std::int64_t length = common_length(a, b);
    const std::int64_t of_a = a.problem.resolved_query_offset(), of_b = b.problem.resolved_query_offset();
    const std::int64_t begin = std::max({from, of_a, of_b});
    const std::int64_t end = std::min({to, end_of_rows(a.problem), end_of_rows(b.problem)});
    if (begin >= end) throw InvalidProblem("the two cases have no row in common");
    const auto output = [&](const CaseSpec& spec, std::int64_t offset) {
        const Computable one = computable(spec, a, length);
        return rows(reference::forward(one.problem, one.inputs).out, begin - offset, end - begin);
    };
    return relative_difference(output(a, of_a), output(b, of_b));
}

double gradient_difference(const CaseSpec& a, const CaseSpec& b, Gradient tensor) {
    const std::int64_t length = common_length(a, b);
    return relative_difference(gradient(computable(a, a, length), tensor), gradient(computable(b, a, length), tensor));
}

double gradient_size(const CaseSpec& spec, Gradient tensor) {
    const Tensor4 values = gradient(computable(spec, spec, common_length(spec, spec)), tensor);
    double size = 0;
    for (const double value : values.values()) size += value * value;
    return std::sqrt(size);
}

double output_over_value(const CaseSpec& spec, std::int64_t i) {
    if (!spec.recipe.constant_v) throw InvalidProblem("output over value needs a case with constant_v=1");
    const Computable one = computable(spec, spec, common_length(spec, spec));
    const std::int64_t row = i - spec.problem.resolved_query_offset();
    const Outputs outputs = reference::forward(one.problem, one.inputs);
    return outputs.out(0, row, 0, 0) / one.inputs.v(0, 0, 0, 0);
}

}  // namespace dca::hazards
