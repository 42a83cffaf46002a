// Words for what a case is about. They follow from the case, so that no label can be wrong or forgotten.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "verify/gate/case_facts.hpp"
#include "verify/mutants/mutant.hpp"

namespace dca::verify {

struct Tag {
    std::string_view name, meaning;
    bool (*holds)(const golden::CaseSpec& spec, const CaseFacts& facts);  ///< of a valid dual-chunk case
};

/// In the order in which they are listed. Besides these there are `reject` and `chunk-summary`, whose cases have no
/// other tag.
[[nodiscard]] std::span<const Tag> known_tags();
[[nodiscard]] std::vector<std::string_view> tag_names();
[[nodiscard]] std::vector<std::string> tags_of(const golden::CaseSpec& spec);

/// What a case must have for a catalogued trap (docs/hazards.md) to show in it at all. That is less than a proof that
/// it shows.
struct HazardNeed {
    std::string_view id;  ///< H1 .. H63
    std::string meaning;
    std::vector<const mutants::Mutant*> mutants;  ///< that model the trap: one of them must be caught
    /// Where none does: a condition on the case.
    bool (*holds)(const golden::CaseSpec& spec, const CaseFacts& facts) = nullptr;
};

/// The traps that a case of this gate can show, in the order of their numbers; the others need a serving engine,
/// another algorithm or a reader.
[[nodiscard]] const std::vector<HazardNeed>& hazard_needs();
[[nodiscard]] bool can_show(const HazardNeed& need, const golden::CaseSpec& spec);
/// Whether the case catches a mutant: of a case of a suite that is known (golden/kills.hpp), of another, whether the
/// mutant can differ from a right kernel in what the case asks for.
[[nodiscard]] bool can_show(const mutants::Mutant& mutant, const golden::CaseSpec& spec);

}  // namespace dca::verify
