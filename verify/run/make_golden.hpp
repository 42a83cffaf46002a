// Case, or a file somebody else made -> inputs -> reference -> complete golden file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "golden/case_spec.hpp"
#include "golden/store.hpp"

namespace dca::verify {

struct CertifiedCounts;

/// Called before each case is computed, and with done == total before the file is completed. It may throw to stop: the
/// target is then untouched.
using Progress = std::function<void(const std::string& case_id, std::size_t done, std::size_t total)>;

/// Results and judge data of one case, from its problem and inputs: dense, sparse, or chunk summary. dout present:
/// gradients too.
void complete(golden::CaseData& data);

/// Inputs, results and judge data of one valid case, which samples no rows.
[[nodiscard]] golden::CaseData make_case(const golden::CaseSpec& spec);

struct GenerateCounts {
    std::size_t written = 0, refused = 0;
};

/// What is being done within one case and how much of it is done, 0 to 1.
using Within = std::function<void(std::string_view what, double done)>;
/// How one valid case gets into a file.
using WriteCase = std::function<void(const golden::CaseSpec&, golden::FileWriter&, const Within&)>;

/// `dca generate`, with `write` for each case: see generate.
GenerateCounts write_cases(const std::vector<golden::CaseSpec>& cases, const std::filesystem::path& target,
                           const Progress& progress, const WriteCase& write);

/// `dca generate`: writes every valid case; checks that every must_reject case is refused by validate() and throws
/// ContractError if one is not. Throws InvalidProblem where two cases share an id, a case expected to be valid is not,
/// or none is left to write. Returns the number of cases written and refused.
/// tensors: which of out, lse, dq, dk, dv are computed and stored, empty for all; only of probes, whose inputs are not
/// stored. Throws InvalidProblem where another case is given.
GenerateCounts generate(const std::vector<golden::CaseSpec>& cases, const std::filesystem::path& target,
                        const Progress& progress, const std::vector<std::string>& tensors = {});

struct RunOptions {
    std::optional<std::string> dialect;    ///< replaces that of every case
    std::string case_glob = "*";           ///< only cases whose id matches (* and ?)
    CertifiedCounts* certified = nullptr;  ///< set: certified values (certified_golden.hpp), counted there
};

/// `dca run`: reads the cases of `source`, replaces the dialect if asked, computes, writes. Recorded results of the
/// source, and what its attributes say about them, are not copied. Throws Unsupported naming file and case where the
/// dialect cannot do it, InvalidProblem where no case matches. Returns the number of cases.
std::size_t run_file(const std::filesystem::path& source, const std::filesystem::path& target,
                     const RunOptions& options, const Progress& progress);

}  // namespace dca::verify
