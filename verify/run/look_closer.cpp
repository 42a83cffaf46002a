#include "verify/run/look_closer.hpp"

#include <utility>

#include "verify/diagnose/fingerprint.hpp"

namespace dca::verify {

Diagnosis look_closer(const golden::CaseData& golden, const golden::Results& candidate, CaseReport& report,
                      double work) {
    Diagnosis diagnosis;
    if (report.verdict == Verdict::failed && !golden.problem.sparse_prefill()) {
        locate(golden, candidate, report);
        diagnosis = explain(golden, candidate, report, work);
        report.explanations = std::move(diagnosis.explanations);
        diagnosis.explanations.clear();
    }
    // After the explanations: an error that a mistake explains is no noise.
    const auto usual = usual_fingerprints(golden.problem, report);
    report.fingerprints = usual ? *usual : fingerprints(golden, candidate, report, fingerprint_budget);
    return diagnosis;
}

}  // namespace dca::verify
