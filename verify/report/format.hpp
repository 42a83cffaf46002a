// What the human-readable reports share: numbers, coordinates, tables, and the summary of a run.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "verify/run/result.hpp"

namespace dca::verify {

inline constexpr std::array<std::string_view, 5> tensor_order{"out", "lse", "dq", "dk", "dv"};

/// The columns of a table of this run: those of tensor_order, then what other algorithms have, in the order found.
/// Where no case has any of lse, dq, dk and dv but some have others, only those that there are.
[[nodiscard]] std::vector<std::string> tensor_columns(const RunReport& report);

/// Three significant digits.
[[nodiscard]] std::string short_number(double value);
/// Two values with as many digits as it takes to tell them apart, at least nine.
[[nodiscard]] std::array<std::string, 2> distinct_numbers(double a, double b);

/// "batch 0, row 12, head 1, channel 3", named after the tensor's axes.
[[nodiscard]] std::string coordinates(const ElementReport& element);

/// Columns padded to equal width, the first `left` of them left-aligned, two blanks between; one string per line.
[[nodiscard]] std::vector<std::string> align(const std::vector<std::vector<std::string>>& table, std::size_t left);

/// Header and one line per region of a tensor.
[[nodiscard]] std::vector<std::vector<std::string>> region_table(const TensorReport& tensor);

/// Worst element and worst row of the tensor, "3.1 | 0.74", or "-" where nothing was compared.
[[nodiscard]] std::string ratios(const TensorReport& tensor);
[[nodiscard]] const TensorReport* find_tensor(const CaseReport& report, std::string_view tensor);

/// The failing tensor whose worst ratio is largest in units of its line; null if none failed.
[[nodiscard]] const TensorReport* worst_failure(const CaseReport& report);

/// Why a case is not green, in one clause: "dq: 512 of 1056 elements are off by more than 6 sigma; worst
/// element 3.75e+03 sigma at batch 0, row 12, head 1, channel 3 (region +inter)", or its reason.
[[nodiscard]] std::string in_one_clause(const CaseReport& report);
/// "looks like ...": the mistake's title, hazard, what it explains and where it was seen.
[[nodiscard]] std::string explanation_text(const Explanation& explanation);
/// The same with the mistake's id instead of its title.
[[nodiscard]] std::string explanation_in_brief(const Explanation& explanation);
/// "detached-merge (H34)"
[[nodiscard]] std::string name_of(const Explanation& explanation);

[[nodiscard]] bool is_pass(Verdict verdict);
/// PASSED, FAILED, NOT VERIFIED or ERROR.
[[nodiscard]] std::string_view headline_word(Verdict verdict);
/// The rest of the first line: counts, and the tensor nearest to or farthest beyond its line.
[[nodiscard]] std::string headline_text(const RunReport& report);

/// What the numbers of ratios() mean and what they are held against.
inline constexpr std::string_view legend =
    "worst element | worst row, in sigma (the expected rounding error); they pass up to 6 | 2 (out), 6 (lse), "
    "6 | 3 (dq, dk, dv)";

}  // namespace dca::verify
