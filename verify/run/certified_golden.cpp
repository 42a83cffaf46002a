#include "verify/run/certified_golden.hpp"

#include <utility>

#include "reference/certified/certified.hpp"
#include "reference/spec/error.hpp"

namespace dca::verify {

void CertifiedCounts::add(const CertifiedCounts& other) {
    elements += other.elements;
    correctly_rounded += other.correctly_rounded;
    recomputed += other.recomputed;
}

std::string CertifiedCounts::text() const {
    return "certified: " + std::to_string(correctly_rounded) + " of " + std::to_string(elements) +
           " elements proven correctly rounded, " + std::to_string(recomputed) + " redone in MPFR";
}

CertifiedCounts certify(golden::CaseData& data) {
    if (data.chunk_summary) {
        throw Unsupported("certified results do not exist for chunk-summary attention; leave out --certified");
    }
    certified::CertifiedResults results = certified::certified(data.problem, data.inputs);
    data.results.out = std::move(results.outputs.out);
    data.results.lse = std::move(results.outputs.lse);
    if (results.gradients) {
        data.results.dq = std::move(results.gradients->dq);
        data.results.dk = std::move(results.gradients->dk);
        data.results.dv = std::move(results.gradients->dv);
    }
    CertifiedCounts counts;
    data.certificates.clear();
    for (const auto& [tensor, proof] : results.proofs) {
        data.certificates[tensor] = {proof.error_radius, true, proof.correctly_rounded};
        counts.add({proof.elements, proof.elements - proof.undecided, proof.recomputed});
    }
    return counts;
}

GenerateCounts generate_certified(const std::vector<golden::CaseSpec>& cases, const std::filesystem::path& target,
                                  const Progress& progress, CertifiedCounts& counts) {
    return write_cases(cases, target, progress, [&](const auto& spec, auto& writer, const Within&) {
        if (spec.recipe.probe || spec.recipe.sample > 0) {
            throw Unsupported("certified results of a probe or of sampled rows do not exist; leave out --certified");
        }
        if (!spec.chunk_summary) certified::require_certifiable(spec.problem);
        if (spec.recipe.probe || spec.recipe.sample != 0) {
            throw Unsupported(
                "position probes and sampled rows have goldens of their own kind; leave out --certified, or probe and "
                "sample");
        }
        golden::CaseData data = make_case(spec);
        counts.add(certify(data));
        writer.write(data);
    });
}

}  // namespace dca::verify
