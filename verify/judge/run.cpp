// Cases of a suite or of a text through a kernel to a Result.
#include <fnmatch.h>

#include "golden/case_text.hpp"
#include "golden/catalogue.hpp"
#include "verify/gate/run_gate.hpp"
#include "verify/judge/case_of_text.hpp"
#include "verify/judge/kernel.hpp"
#include "verify/judge/problem.hpp"
#include "verify/judge/result.hpp"

namespace dca::judge {
namespace {

/// The case with all its tensors and sums in the usual types of `dtype`.
golden::CaseSpec in_dtype(golden::CaseSpec spec, dca::Dtype dtype) {
    if (spec.problem.dtype == dtype) return spec;
    spec.problem.dtype = dtype;
    spec.problem.work = {};
    spec.id += "_" + std::string(dca::name(dtype));
    return spec;
}

/// The cases that options choose, of those that can be judged here. Cases to be rejected are no evidence about a
/// kernel.
std::vector<golden::CaseSpec> chosen(const Options& options) {
    std::vector<golden::CaseSpec> specs;
    for (const golden::CaseSpec& spec : golden::suite(options.suite)) {
        if (spec.expectation != golden::Expectation::valid || spec.chunk_summary || spec.recipe.sample > 0) continue;
        if (fnmatch(options.cases.c_str(), spec.id.c_str(), 0) != 0) continue;
        specs.push_back(options.dtype ? in_dtype(spec, to_internal(*options.dtype)) : spec);
    }
    if (specs.empty()) {
        throw InvalidProblem("no case of suite " + options.suite + " that can be computed matches '" + options.cases +
                             "'");
    }
    return specs;
}

/// What a programmer types to see one case again.
std::string call(const golden::CaseSpec& spec) {
    return "dca::judge::judge_case(\"" + golden::to_text(spec) + "\", kernel)";
}

}  // namespace

Result run(const Options& options, Candidate& candidate) {
    Kernel kernel(candidate);
    verify::GateOptions gate;
    gate.cases = chosen(options);
    gate.source = "suite " + options.suite;
    gate.fail_fast = options.fail_fast;
    gate.supported_only = options.supported_only;
    gate.explain = options.explain;
    gate.progress = options.progress;
    gate.repro = call;
    return result_of(verify::run_gate(gate, kernel));
}

Result judge_case(std::string_view text, Candidate& candidate) {
    Kernel kernel(candidate);
    verify::GateOptions gate;
    gate.cases = {case_of_text(text)};
    gate.source = "one case";
    gate.repro = call;
    return result_of(verify::run_gate(gate, kernel));
}

std::vector<Case> cases(const Options& options) {
    std::vector<Case> all;
    for (const golden::CaseSpec& spec : chosen(options)) {
        all.push_back({spec.id, golden::to_text(spec), to_public(spec.problem)});
    }
    return all;
}

std::string_view version() {
    return DCA_VERSION;
}

}  // namespace dca::judge
