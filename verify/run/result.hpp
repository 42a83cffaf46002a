// What a comparison found: plain values, the single source of every report.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reference/spec/mode.hpp"
#include "reference/spec/problem.hpp"
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

/// How often |error| / sigma fell into each octave. Elements without a usable sigma are not counted.
struct RatioHistogram {
    static constexpr int first_exponent = -8;
    /// counts[k]: ratios in [2^(k + first_exponent), 2^(k + 1 + first_exponent)); the first also holds what is less,
    /// the last what is more.
    std::array<std::int64_t, 24> counts{};
    std::int64_t exact = 0;      ///< errors of 0
    std::int64_t nonfinite = 0;  ///< elements of a different non-finite class
};

/// A picture as numbers: one value for each block of rows x block of columns. Axes are named, so that a reader need not
/// know who made it.
struct ErrorGrid {
    std::string title;                           ///< e.g. "row error"
    std::string row_axis, column_axis;           ///< e.g. "query row", "head", "key chunk"
    std::string unit;                            ///< of the values, e.g. "sigma"
    std::int64_t row_step = 1, column_step = 1;  ///< rows (columns) of the tensor in one row (column) of the grid
    std::int64_t rows = 0, columns = 0;
    std::vector<double> values;  ///< row-major, rows x columns; NaN where there is nothing
};

/// How far the expected values can be from the truth, as the golden states it (docs/golden_format.md, certificates).
struct GoldenAccuracy {
    double error_radius = 0;  ///< of every element; infinite: nothing is known
    bool proven = false;      ///< else measured
    bool correctly_rounded = false;
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
    std::optional<GoldenAccuracy> golden_accuracy;
    RatioHistogram histogram;
    std::vector<ErrorGrid> grids;  ///< the first: largest row (lse: element) ratio by row and head
};

/// What part of a tensor's error energy, sum of (error / sigma)^2, lies in one part of its rows.
struct EnergyShare {
    std::string part;      ///< e.g. "chunk 3", "head 0", "2 rows before a chunk border"
    double share = 0;      ///< of the tensor's energy, 0 to 1
    double rms_ratio = 0;  ///< of this part: sqrt(energy / elements)
    std::int64_t rows = 0, bad_rows = 0;
};

/// Bad rows that come back every `period` rows: a tile of a kernel shows like that.
struct RowPeriod {
    std::int64_t period = 0, first_row = 0, bad_per_period = 0;
    double explained = 0;  ///< fraction of rows whose being bad or good the period predicts
};

/// Where the error of a failing tensor lies.
struct Localisation {
    std::string tensor;
    std::vector<EnergyShare> by_region, by_chunk, by_head, by_border_distance;
    std::optional<RowPeriod> period;
    std::vector<std::string> findings;  ///< sentences, the most telling first; empty: the error is everywhere alike
};

/// Which types inside a kernel explain the size of a tensor's rounding noise.
struct Fingerprint {
    std::string tensor;
    double rms_ratio = 0;       ///< measured, over rows that look like rounding
    double declared_ratio = 0;  ///< expected of a flash kernel of the declared types
    std::string best;           ///< e.g. "P in e4m3"; "as declared"
    double best_ratio = 0;      ///< expected of that
    bool worse_than_declared = false;
    std::string text;  ///< one clause for a reader
};

/// A named mistake whose result agrees with what the candidate wrote.
struct Explanation {
    std::string id;                      ///< e.g. detached-merge
    std::string title;                   ///< one sentence
    std::string hazard;                  ///< e.g. H34, may be empty
    std::string public_example;          ///< where it was seen, may be empty
    std::vector<std::string> tensors;    ///< which failing tensors it explains
    double ratio = 0;                    ///< worst row ratio of the candidate against the mistake's own result
    std::vector<std::string> same_as{};  ///< other mistakes that cannot be told from it in this case, by id
};

struct CaseReport {
    std::string id;
    Verdict verdict = Verdict::untested;
    std::string reason;  ///< for skipped, mistrusted, errored
    std::string dtype;
    std::optional<Problem> problem;  ///< what was computed; unset where no Problem describes it
    std::vector<TensorReport> tensors;
    std::vector<std::string> not_in_candidate;  ///< tensors the golden has and the candidate does not
    std::vector<Explanation> explanations;
    std::vector<Localisation> localisations;  ///< of the failing tensors
    std::vector<Fingerprint> fingerprints;
    std::string waiver;  ///< set: what a waiver says of this case, with its issue id
    double seconds = 0;  ///< wall time of the candidate, where it was run here (dca gate)
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
