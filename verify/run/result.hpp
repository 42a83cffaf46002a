// What a comparison found: plain values, the single source of every report.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reference/spec/mode.hpp"
#include "verify/compare/verdict.hpp"

namespace dca::verify {

/// One element, with its coordinates in the tensor's own axes (rank 4: batch, row, head, channel; lse: batch, head,
/// row).
struct ElementReport {
    std::vector<std::int64_t> index;
    Region region = Region::none;
    double expected = 0, got = 0;
    double sigma = 0;  ///< expected rounding error of an honest candidate at this element
    double ratio = 0;  ///< |got - expected| / sigma; infinite where a non-finite pattern differs
};

/// One row of one head: root mean square of the error over the channels in units of that of sigma.
struct RowReport {
    std::int64_t batch = 0, row = 0, head = 0;
    double ratio = 0;
};

/// A tensor restricted to the rows of one region.
struct RegionReport {
    Region region = Region::none;
    std::int64_t rows = 0;      ///< rows of one head: batch x rows x heads of this region
    std::int64_t bad_rows = 0;  ///< over the row line, or with an element of a different non-finite class
    std::int64_t elements = 0;
    std::int64_t bad_elements = 0;  ///< over the element line or of a different non-finite class
    double worst_element_ratio = 0;
    double worst_row_ratio = 0;  ///< 0 for lse, which has no row rule
    double rms_ratio = 0;        ///< rms(error) / rms(sigma) over the region: about 0.7 or less when healthy
    double relative_l2 = 0;      ///< ||error|| / ||expected||
};

struct TensorReport {
    std::string tensor;  ///< out, lse, dq, dk, dv
    Verdict verdict = Verdict::untested;
    std::string reason;  ///< one clause: why not passed; empty when passed
    std::string remark;  ///< one clause a reader of a pass should know; usually empty
    std::vector<std::int64_t> extents;
    double element_line = 0, row_line = 0;  ///< the lines the ratios were held against (docs/error_model.md)
    std::int64_t nonfinite_mismatches = 0;
    std::vector<RegionReport> regions;  ///< only regions that have rows
    ElementReport worst;
    std::optional<RowReport> worst_row;
};

/// A named mistake whose result agrees with what the candidate wrote.
struct Explanation {
    std::string id;                    ///< e.g. detached-merge
    std::string title;                 ///< one sentence
    std::string hazard;                ///< e.g. H34, may be empty
    std::string public_example;        ///< where it was seen, may be empty
    std::vector<std::string> tensors;  ///< which failing tensors it explains
    double ratio = 0;                  ///< worst row ratio of the candidate against the mistake's own result
};

struct CaseReport {
    std::string id;
    Verdict verdict = Verdict::untested;
    std::string reason;  ///< for skipped, mistrusted, errored
    std::string dtype;
    std::vector<TensorReport> tensors;
    std::vector<std::string> not_in_candidate;  ///< tensors the golden has and the candidate does not
    std::vector<Explanation> explanations;
    /// What was judged of a golden that expects some rows only, and so what nobody can say; else empty.
    std::string coverage;
    std::string repro;  ///< one command that shows this result again
};

struct RunReport {
    std::string golden, candidate;
    Verdict verdict = Verdict::untested;
    std::vector<CaseReport> cases;
    std::vector<std::string> notes;
};

}  // namespace dca::verify
