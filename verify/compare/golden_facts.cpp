#include "verify/compare/golden_facts.hpp"

namespace dca::verify {

void add_golden_facts(const golden::CaseData& golden, CaseReport& report) {
    if (!golden.chunk_summary) report.problem = golden.problem;
    for (TensorReport& tensor : report.tensors) {
        const auto found = golden.certificates.find(tensor.tensor);
        if (found == golden.certificates.end()) continue;
        const golden::Certificate& certificate = found->second;
        tensor.golden_accuracy = {certificate.error_radius, certificate.proven, certificate.correctly_rounded};
    }
}

}  // namespace dca::verify
