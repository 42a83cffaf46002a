// The named suites: smoke (seconds) and ci (minutes on 2 cores), and the cases that must be rejected (part of both).
#pragma once

#include <string_view>
#include <vector>

#include "golden/case_spec.hpp"

namespace dca::golden {

struct SuiteInfo {
    std::string_view name;
    std::string_view description;
};

[[nodiscard]] std::vector<SuiteInfo> suites();

/// Cases of a suite in a fixed order, ids unique. Throws InvalidProblem naming the known suites if there is none of
/// that name.
[[nodiscard]] std::vector<CaseSpec> suite(std::string_view name);

}  // namespace dca::golden
