// The candidates that come with the program, by name.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "verify/candidate/candidate.hpp"

namespace dca::verify {

struct BuiltinInfo {
    std::string name;
    std::string description;
    std::string absent;  ///< why it cannot be had here; empty where it can
};

[[nodiscard]] std::vector<BuiltinInfo> builtin_candidates();

/// Throws InvalidProblem for a name there is not, naming those there are, and Unsupported for one that is not to be had
/// in this build or on this machine.
[[nodiscard]] std::unique_ptr<Candidate> make_builtin(const std::string& name);

/// What a reader of its report must know; empty for most.
[[nodiscard]] std::string caution(const std::string& name);

}  // namespace dca::verify
