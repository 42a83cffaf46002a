// A Candidate of this process as a CaseRunner: it gets a copy of the inputs, and whatever it throws is its own result.
#pragma once

#include "verify/candidate/candidate.hpp"
#include "verify/gate/case_runner.hpp"

namespace dca::verify {

class InProcess final : public CaseRunner {
public:
    /// The candidate outlives this.
    explicit InProcess(Candidate& candidate) : candidate_(candidate) {}

    [[nodiscard]] std::string name() const override { return candidate_.name(); }
    /// A candidate broke that throws, returns a tensor of another shape or size, or changed its inputs.
    [[nodiscard]] Attempt attempt(const golden::CaseSpec& spec, const golden::CaseData& inputs) override;

private:
    Candidate& candidate_;
};

}  // namespace dca::verify
