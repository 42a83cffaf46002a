// Where the error of a failing tensor lies: error energy by mode, chunk, head and distance to a chunk border, the
// period of the bad rows, and what of it tells most, in sentences (docs/diagnosis.md). One pass over the elements.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "golden/store.hpp"
#include "verify/run/result.hpp"

namespace dca::verify {

/// Takes one tensor row by row; memory O(rows + heads).
class Localiser {
public:
    /// tensor: out, lse, dq, dk, dv, of a problem that is not a chunk summary. extents: of what is judged, (batch, row,
    /// head, channel) or (batch, head, row). row_numbers: of its rows where they are a selection, ascending; empty:
    /// all.
    Localiser(const Problem& problem, const std::string& tensor, std::span<const std::int64_t> extents,
              std::span<const std::int64_t> row_numbers = {});
    ~Localiser();

    /// The next rows of one head, in the order of the tensor. Elements without a usable sigma count by class alone;
    /// where non-finite classes differ, or sigma is 0 and the value wrong, the error counts as 1e100 sigma.
    void add(std::span<const double> expected, std::span<const double> got, std::span<const float> sigma);
    [[nodiscard]] Localisation finish();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Of every failing tensor of a case whose results are at hand; nothing of a golden without error scales. Precondition:
/// report is compare_case(golden, candidate).
[[nodiscard]] std::vector<Localisation> localise(const golden::CaseData& golden, const golden::Results& candidate,
                                                 const CaseReport& report);

}  // namespace dca::verify
