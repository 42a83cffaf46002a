// A kernel behind the public header as a candidate of the judge: tensors of doubles on one side, raw buffers of the
// kernel's types on the other.
#pragma once

#include "verify/candidate/candidate.hpp"
#include "verify/judge/judge.hpp"

namespace dca::judge {

class Kernel final : public verify::Candidate {
public:
    /// The candidate outlives this.
    explicit Kernel(judge::Candidate& candidate) : candidate_(candidate) {}

    [[nodiscard]] std::string name() const override { return candidate_.name(); }
    [[nodiscard]] verify::Support supports(const dca::Problem& problem) const override;
    /// Throws what the kernel throws, and BufferFault where it left elements unwritten or wrote where it must not.
    [[nodiscard]] golden::Results run(const dca::Problem& problem, const dca::Inputs& inputs) override;

private:
    judge::Candidate& candidate_;
};

}  // namespace dca::judge
