// What would a kernel with this mistake have written in the failing rows? Asked of every mutant (verify/mutants).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "golden/store.hpp"
#include "verify/diagnose/found.hpp"

namespace dca::verify {

struct Tried {
    std::vector<Found> found;
    std::vector<std::string> not_tried;
    double work = 0;  ///< multiply-adds, those of plain loops counted as what they take longer
};

/// Explanations of the failing tensors by mutants other than `known`. Nothing of a golden that is not dense and exact,
/// or has no inputs. What would exceed the work is listed. Precondition: `report` is compare_case(golden, candidate),
/// and fails.
[[nodiscard]] Tried try_mutants(const golden::CaseData& golden, const golden::Results& candidate,
                                const CaseReport& report, const std::set<std::string, std::less<>>& known,
                                double multiply_adds);

}  // namespace dca::verify
