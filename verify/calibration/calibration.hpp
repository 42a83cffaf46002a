// How the peer's errors compare with what the error model expects of it, dtype by dtype: the table of
// docs/error_model.md section 7.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "golden/case_spec.hpp"

namespace dca::calibration {

/// Errors of one tensor over any number of runs, in units of the expected error.
struct Ratio {
    double squares = 0;  ///< sum of (error / sigma)^2
    std::int64_t elements = 0, rows = 0;
    bool broken = false;  ///< an error where sigma is 0, or a value that is not finite and not expected
    void add(const Ratio& other);
    /// Root mean square; NaN where broken, 0 where nothing was measured.
    [[nodiscard]] double rms() const;
    /// Standard deviation of rms() where every row of channels counts as one independent error.
    [[nodiscard]] double uncertainty() const;
};

struct Ratios {
    Ratio out, lse, dq, dk, dv;
    void add(const Ratios& other);
};

/// One line of the table: the types a peer works in.
struct Line {
    std::string types;     ///< words of a case text
    bool exact_truth;      ///< compared with binary128-constant long double sums instead of the double reference: f64
    double largest_scale;  ///< of q and k; beyond it the first order ends
};
[[nodiscard]] std::span<const Line> lines();

/// Lengths, chunk settings and layouts, as words of a case text.
[[nodiscard]] std::span<const std::string> settings();
/// Factors on q and k.
[[nodiscard]] std::span<const double> qk_scales();

/// The case of one run.
[[nodiscard]] golden::CaseSpec case_of(const Line& line, const std::string& setting, double qk_scale,
                                       std::uint64_t seed);
/// Runs the peer on a case and holds it against flash_profile.
[[nodiscard]] Ratios measure(const golden::CaseSpec& spec, bool exact_truth);

/// Whether a run belongs to the table: the long setting is run for one seed, and not where the truth is slow.
[[nodiscard]] bool is_run(const Line& line, const golden::CaseSpec& spec);

/// Seeds behind the table of the document.
inline constexpr int table_seeds = 3;

struct Cell {
    std::size_t line;
    double qk_scale;
    Ratios ratios;
    int runs = 0;
};
/// Called with the number of runs done, from several threads, one at a time.
using Progress = std::function<void(std::size_t done, std::size_t total)>;
/// Every line and scale over all settings and `seeds` seeds from 1 on, in the order of the table.
[[nodiscard]] std::vector<Cell> measure_all(int seeds, const Progress& progress);

/// The table as Markdown.
void write_table(std::ostream& out, std::span<const Cell> cells);

}  // namespace dca::calibration
