// Names the mistake: recomputes a failing case under each known mistake and reports those whose result agrees with the
// candidate within the expected rounding error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "golden/store.hpp"
#include "verify/run/result.hpp"

namespace dca::verify {

struct KnownMistake {
    std::string_view id;
    std::string_view title;           ///< what follows "looks like"
    std::string_view hazard;          ///< e.g. H34, may be empty
    std::string_view public_example;  ///< where it was seen, may be empty
};

/// The catalogue, in the order in which explanations are tried.
[[nodiscard]] std::vector<KnownMistake> known_mistakes();

/// Some ten seconds on two cores.
inline constexpr double explain_budget = 1e11;

/// About a second on two cores.
inline constexpr double locate_budget = 1e9;

struct Diagnosis {
    std::vector<Explanation> explanations;
    double work = 0;                     ///< multiply-adds it took, roughly
    std::vector<std::string> not_tried;  ///< ids of mistakes whose recomputation would take too long
};

/// Explanations of the failing tensors of one case: most tensors first, then best agreement. Empty when nothing agrees.
///
/// A mistake explains a tensor if the candidate passes all rules when it is held against the mistake's own result and
/// error scales, and the mistake's result itself fails against the golden's: a mistake that makes no difference here
/// explains nothing. `multiply_adds` bounds the work; what does not fit is listed in not_tried.
///
/// Precondition: `report` is compare_case(golden, candidate).
[[nodiscard]] Diagnosis explain(const golden::CaseData& golden, const golden::Results& candidate,
                                const CaseReport& report, double multiply_adds = explain_budget);

/// Fills what the report says of where the error lies: localisations of the failing tensors, and which keys gained or
/// lost attention mass as a further grid of out. Cheap: linear in the elements, and at most `multiply_adds` for the
/// masses.
///
/// Precondition: `report` is compare_case(golden, candidate).
void locate(const golden::CaseData& golden, const golden::Results& candidate, CaseReport& report,
            double multiply_adds = locate_budget);

}  // namespace dca::verify
