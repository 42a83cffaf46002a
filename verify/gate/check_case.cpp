#include "verify/gate/check_case.hpp"

#include <string>

#include "reference/refusals.hpp"

namespace dca::verify {

void check_case(const golden::CaseSpec& spec) {
    const bool must_reject = spec.expectation == golden::Expectation::must_reject;
    try {
        spec.chunk_summary ? validate(spec.chunk_summary->problem) : validate(spec.problem);
    } catch (const InvalidProblem& error) {
        if (must_reject) return;
        throw InvalidProblem("case " + spec.id + ": " + error.what());
    }
    if (must_reject) throw ContractError("case " + spec.id + " must be rejected but was accepted");
    const char* files = "; use dca generate, dca generate --inputs-only and dca compare";
    if (spec.chunk_summary) throw Unsupported("case " + spec.id + ": the gate has no chunk-summary cases" + files);
    if (spec.recipe.sample > 0) throw Unsupported("case " + spec.id + ": the gate has no sampled cases" + files);
    try {
        reference::require_reproducible(spec.problem, spec.recipe.gradient);
    } catch (const Unsupported& error) {
        throw Unsupported("case " + spec.id + ": " + error.what());
    }
}

}  // namespace dca::verify
