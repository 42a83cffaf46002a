// Which cases can show which trap: by its mutants, or where it has none by what the case must hold.
#include <algorithm>
#include <array>

#include "golden/kills.hpp"
#include "verify/gate/tags.hpp"
#include "verify/hazards/hazard.hpp"

namespace dca::verify {
namespace {

using golden::CaseSpec;

constexpr std::int64_t far_position = std::int64_t{1} << 24;  // float32 holds no larger odd number

struct Condition {
    std::string_view id, meaning;
    bool (*holds)(const CaseSpec& spec, const CaseFacts& facts);
};

bool merges(const CaseFacts& facts) {
    return facts.mixed_rows > 0;
}

bool rotated(const CaseSpec& spec) {
    return spec.problem.rope.layout != RopeLayout::none;
}

bool partial(const CaseSpec& spec) {
    return rotated(spec) && spec.problem.resolved_rotary_dim() < spec.problem.shape.head_dim;
}

/// Conditions for traps that no mutant models.
constexpr std::array conditions{
    Condition{"H1", "a succ position that is clamped", [](auto&, auto& f) { return f.clamped; }},
    Condition{
        "H2", "local_size above 0 and more rows than the stride",
        [](auto& s, auto& f) { return s.problem.chunk.local_size > 0 && f.longest > s.problem.chunk.chunk_len(); }},
    Condition{"H3", "keys two or more chunks back", [](auto&, auto& f) { return f.inter > 0; }},
    Condition{
        "H8", "local_size above 0 and more rows than the stride",
        [](auto& s, auto& f) { return s.problem.chunk.local_size > 0 && f.longest > s.problem.chunk.chunk_len(); }},
    Condition{"H10", "two or more rotated pairs",
              [](auto& s, auto&) { return rotated(s) && s.problem.resolved_rotary_dim() > 2; }},
    Condition{"H11", "a factor on the rotated channels, and others",
              [](auto& s, auto&) {
                  return partial(s) && (s.problem.rope.mscale || (s.problem.rope.scaling == RopeScaling::yarn));
              }},
    Condition{"H12", "linear scaling and keys of another chunk",
              [](auto& s, auto& f) { return (s.problem.rope.scaling == RopeScaling::linear) && f.succ + f.inter > 0; }},
    Condition{"H13", "rotation in f64 or f32, where coarse angles show, or positions from 2^24 on",
              [](auto& s, auto& f) {
                  const bool fine = s.problem.dtype == Dtype::f64 || s.problem.dtype == Dtype::f32;
                  return rotated(s) && (fine || f.longest > far_position);
              }},
    Condition{"H15", "any rope_scaling", [](auto& s, auto&) { return !(s.problem.rope.scaling == RopeScaling::none); }},
    Condition{"H16", "YaRN and channels that are not rotated",
              [](auto& s, auto&) { return (s.problem.rope.scaling == RopeScaling::yarn) && partial(s); }},
    Condition{"H26", "rows with keys of two modes", [](auto&, auto& f) { return merges(f); }},
    Condition{"H27", "rows with keys of two modes", [](auto&, auto& f) { return merges(f); }},
    Condition{"H28", "rows with keys of two modes", [](auto&, auto& f) { return merges(f); }},
    Condition{"H31", "rows with keys of two modes beside rows of one, or rows without keys",
              [](auto&, auto& f) { return merges(f) || f.rows_without_keys > 0; }},
    Condition{"H32", "several heads and several queries",
              [](auto& s, auto&) { return s.problem.shape.heads_q > 1 && s.problem.shape.seq_q > 1; }},
    Condition{"H33", "f64", [](auto& s, auto&) { return s.problem.dtype == Dtype::f64; }},
    Condition{"H34", "gradients and rows with keys of two modes",
              [](auto&, auto& f) { return f.gradient && merges(f); }},
    Condition{"H35", "gradients and rows with keys of two modes",
              [](auto&, auto& f) { return f.gradient && merges(f); }},
    Condition{"H38", "several queries behind earlier keys",
              [](auto& s, auto&) { return s.problem.shape.seq_q > 1 && s.problem.resolved_query_offset() > 0; }},
    Condition{"H39", "fewer key heads than query heads",
              [](auto& s, auto&) { return s.problem.shape.heads_q != s.problem.shape.heads_kv; }},
    Condition{"H43", "more rows than the stride, and at most chunk_size",
              [](auto& s, auto& f) {
                  return f.longest > s.problem.chunk.chunk_len() && f.longest <= s.problem.chunk.chunk_size;
              }},
    Condition{"H45", "gradients of something rotated", [](auto& s, auto& f) { return f.gradient && rotated(s); }},
    Condition{"H47", "f32, or head_dim_v other than head_dim",
              [](auto& s, auto&) {
                  return s.problem.dtype == Dtype::f32 || s.problem.shape.head_dim_v != s.problem.shape.head_dim;
              }},
};

std::vector<HazardNeed> made_needs() {
    std::vector<HazardNeed> needs;
    for (const hazards::Hazard& hazard : hazards::hazards()) {
        HazardNeed need;
        need.id = hazard.id;
        for (const mutants::Mutant& mutant : mutants::catalogue()) {
            if (mutant.hazard != hazard.id) continue;
            need.meaning += (need.mutants.empty() ? "where it is caught: " : ", ") + std::string(mutant.id);
            need.mutants.push_back(&mutant);
        }
        const auto condition = std::find_if(conditions.begin(), conditions.end(),
                                            [&](const Condition& one) { return one.id == hazard.id; });
        if (need.mutants.empty() && condition != conditions.end()) {
            need.meaning = condition->meaning;
            need.holds = condition->holds;
        }
        if (!need.meaning.empty()) needs.push_back(std::move(need));
    }
    return needs;
}

}  // namespace

const std::vector<HazardNeed>& hazard_needs() {
    static const std::vector<HazardNeed> needs = made_needs();
    return needs;
}

bool can_show(const HazardNeed& need, const CaseSpec& spec) {
    if (spec.expectation == golden::Expectation::must_reject || spec.chunk_summary) return false;
    if (need.mutants.empty()) return need.holds(spec, facts_of(spec));
    return std::any_of(need.mutants.begin(), need.mutants.end(),
                       [&](const mutants::Mutant* mutant) { return can_show(*mutant, spec); });
}

bool can_show(const mutants::Mutant& mutant, const CaseSpec& spec) {
    if (spec.expectation == golden::Expectation::must_reject || spec.chunk_summary) return false;
    if (const auto known = golden::known_kills(spec)) {
        const std::vector<golden::Kill> kills = golden::parse_kills(*known);
        return std::any_of(kills.begin(), kills.end(),
                           [&](const golden::Kill& kill) { return kill.mutant == mutant.id; });
    }
    return mutants::applies(mutant, spec.problem) && (spec.recipe.gradient || !mutant.forward_right);
}

}  // namespace dca::verify
