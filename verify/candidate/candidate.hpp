// The thing under test, in process: problem and inputs in, results out. A kernel, a reference, a program that is
// called, a wrong kernel kept for testing the judge: all are one of these.
#pragma once

#include <string>

#include "golden/store.hpp"

namespace dca::verify {

/// Whether a candidate can compute a problem; `reason` says why not, one clause.
struct Support {
    bool yes = true;
    std::string reason;
};

class Candidate {
public:
    virtual ~Candidate() = default;
    [[nodiscard]] virtual std::string name() const = 0;
    [[nodiscard]] virtual Support supports(const Problem& problem) const = 0;
    /// The outputs it computes, with the extents of the problem (bundles.hpp); gradients where inputs.dout is present
    /// and it has them. What it leaves out is not judged. Throws what it likes: that is this case's result, not the
    /// end of the run.
    [[nodiscard]] virtual golden::Results run(const Problem& problem, const Inputs& inputs) = 0;
};

}  // namespace dca::verify
