// What the human-readable reports say of a run as a whole.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "verify/run/result.hpp"

namespace dca::verify {

/// How many cases look like which mistake (by name_of its first explanation).
struct Mistakes {
    std::size_t failing = 0;
    std::map<std::string, std::size_t> counts;
    /// "3 of 4 failing cases look like detached-merge (H34)", one line per mistake; nothing for fewer than two
    /// failures.
    [[nodiscard]] std::vector<std::string> lines() const;
};
[[nodiscard]] Mistakes mistakes(const RunReport& report);

/// Remarks of the tensors of passing cases, each once.
[[nodiscard]] std::set<std::string> remarks_of_passes(const RunReport& report);

/// Tensors nobody compared because the candidate does not have them, a line each: a pass does not speak of them.
[[nodiscard]] std::vector<std::string> not_judged(const RunReport& report);

/// How far the expected values of a tensor can be off, where that is more than a hundredth of the sigma at its worst
/// element: "the expected value itself is proven to 2e-13, 0.3 sigma; ...". Empty also where the golden does not say.
[[nodiscard]] std::string golden_clause(const TensorReport& tensor);

/// One line for the whole run where golden_clause has something to say of a tensor, else empty.
[[nodiscard]] std::string golden_line(const RunReport& report);

/// "warning: dq has more rounding noise than declared types explain: ..." for each such fingerprint.
[[nodiscard]] std::vector<std::string> fingerprint_warnings(const CaseReport& report);

/// "where dq is wrong: only chunk 3; ...", a line per tensor that has findings, `most` findings each.
[[nodiscard]] std::vector<std::string> where_lines(const CaseReport& report, std::size_t most);

}  // namespace dca::verify
