// One case through whatever is under test: what it computed, or how it broke. What runs in this process and what is a
// program of its own look alike from here on.
#pragma once

#include <string>
#include <vector>

#include "golden/case_spec.hpp"
#include "golden/store.hpp"

namespace dca::verify {

/// What became of one case.
struct Attempt {
    enum class End : std::uint8_t { computed, unsupported, broke };
    End end = End::broke;
    std::string reason;       ///< why not computed, one clause
    golden::Results results;  ///< of the extents of the problem
    double seconds = 0;       ///< wall time of the candidate
};

class CaseRunner {
public:
    virtual ~CaseRunner() = default;
    [[nodiscard]] virtual std::string name() const = 0;
    /// Every case that will be attempted, in order; called once, before the first.
    virtual void begin(const std::vector<golden::CaseSpec>& cases) { (void)cases; }
    /// `inputs` holds id, problem and inputs of the case and nothing of what is expected. Throws only what ends the
    /// whole run: IoError, or what a progress callback throws.
    [[nodiscard]] virtual Attempt attempt(const golden::CaseSpec& spec, const golden::CaseData& inputs) = 0;
};

}  // namespace dca::verify
