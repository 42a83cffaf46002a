// A case of somebody's own tensors through a kernel to a Result.
#include <algorithm>

#include "golden/text.hpp"
#include "reference/refusals.hpp"
#include "verify/compare/compare.hpp"
#include "verify/diagnose/diagnose.hpp"
#include "verify/gate/in_process.hpp"
#include "verify/judge/case_of_text.hpp"
#include "verify/judge/kernel.hpp"
#include "verify/judge/result.hpp"
#include "verify/run/make_golden.hpp"

namespace dca::judge {
namespace {

void fill(const char* name, std::span<const double> values, const Extents<4>& extents, dca::Dtype dtype,
          Tensor4& tensor) {
    if (static_cast<std::int64_t>(values.size()) != element_count(extents)) {
        throw InvalidProblem(std::string(name) + " has " + std::to_string(values.size()) +
                             " values, the case asks for " + golden::shape_text(extents));
    }
    const auto exact = [&](double value) { return round_to(dtype, value) == value; };
    const auto wrong = std::find_if_not(values.begin(), values.end(), exact);
    if (wrong != values.end()) {
        throw InvalidProblem(std::string(name) + " holds " + golden::shortest(*wrong) + ", which no " +
                             std::string(dca::name(dtype)) + " is; round the data to the case's dtype first");
    }
    tensor = Tensor4(extents);
    std::copy(values.begin(), values.end(), tensor.values().begin());
}

golden::CaseData with_data(const golden::CaseSpec& spec, const Data& data) {
    if (spec.chunk_summary) throw Unsupported("data of your own is for Dual Chunk Attention, not for chunk_summary");
    validate(spec.problem);
    reference::require_reproducible(spec.problem, !data.dout.empty());
    const Shape& shape = spec.problem.shape;
    golden::CaseData made;
    made.id = spec.id;
    made.problem = spec.problem;
    fill("q", data.q, q_extents(shape), spec.problem.dtype, made.inputs.q);
    fill("k", data.k, k_extents(shape), spec.problem.dtype, made.inputs.k);
    fill("v", data.v, v_extents(shape), spec.problem.dtype, made.inputs.v);
    if (!data.dout.empty()) {
        fill("dout", data.dout, out_extents(shape), spec.problem.dtype, made.inputs.dout.emplace());
    }
    validate(made.problem, made.inputs);
    return made;
}

}  // namespace

Result judge_case(std::string_view text, const Data& data, Candidate& candidate) {
    Kernel kernel(candidate);
    golden::CaseData golden = with_data(case_of_text(text), data);
    verify::CaseReport report;
    report.id = golden.id;
    report.dtype = dca::name(golden.problem.dtype);
    const verify::Attempt attempt = verify::InProcess(kernel).attempt({}, golden);
    if (attempt.end == verify::Attempt::End::computed) {
        verify::complete(golden);
        report = verify::compare_case(golden, attempt.results);
        if (report.verdict == verify::Verdict::failed && !golden.problem.sparse_prefill()) {
            report.explanations = verify::explain(golden, attempt.results, report).explanations;
        }
    } else {
        report.reason = attempt.reason;
        const bool broke = attempt.end == verify::Attempt::End::broke;
        report.verdict = broke ? verify::Verdict::errored : verify::Verdict::skipped;
    }
    report.seconds = attempt.seconds;
    verify::RunReport run;
    run.golden = "data given";
    run.candidate = kernel.name();
    run.verdict = report.verdict;
    run.cases.push_back(std::move(report));
    return result_of(std::move(run));
}

}  // namespace dca::judge
