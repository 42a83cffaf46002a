// The straight line from two files to a verdict: read golden, read candidate, compare, explain, join.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "verify/diagnose/diagnose.hpp"
#include "verify/run/result.hpp"

namespace dca::verify {

struct CompareOptions {
    std::vector<std::string> cases;    ///< glob patterns (* and ?); empty: every case of the golden
    std::vector<std::string> tensors;  ///< subset of out lse dq dk dv; empty: all
    bool explain = true;
    /// Cases whose inputs and out have more elements together are judged but not explained: judging takes little memory
    /// whatever the tensors, explaining that of some copies of the case.
    std::int64_t explain_elements = std::int64_t{1} << 27;
    double explain_work = explain_budget;  ///< multiply-adds all explanations together may take, roughly
    std::function<void(std::size_t done, std::size_t total)> progress;
};

/// Throws IoError or FormatError when golden or candidate cannot be read as a whole; a broken case inside a readable
/// candidate becomes that case's errored verdict. Nothing compared is never a pass. A candidate of bare tensor names is
/// for a golden of which one case is compared; FormatError otherwise.
[[nodiscard]] RunReport run_compare(const std::filesystem::path& golden, const std::filesystem::path& candidate,
                                    const CompareOptions& options);

}  // namespace dca::verify
