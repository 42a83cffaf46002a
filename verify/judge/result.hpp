// What a Result holds.
#pragma once

#include <vector>

#include "verify/judge/judge.hpp"
#include "verify/run/result.hpp"

namespace dca::judge {

struct Result::Impl {
    verify::RunReport report;
    std::vector<CaseResult> cases;
};

[[nodiscard]] Result result_of(verify::RunReport report);

}  // namespace dca::judge
