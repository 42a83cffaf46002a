// A known mistake as a function: from a case and a candidate to the comparison that the candidate passes if it made it.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "golden/store.hpp"
#include "verify/diagnose/diagnose.hpp"

namespace dca::verify {

/// What a mistake's function gets to see.
struct Evidence {
    const golden::CaseData& golden;    ///< with results and judge data
    const golden::Results& candidate;  ///< only the failing tensors
    bool gradients;                    ///< dq, dk or dv is among them
};

/// Candidate and truth of the comparison that decides. Usually `truth` is what the mistake computes, with its error
/// scales, and `candidate` is unchanged. Mistakes that spoil single values are undone instead: `candidate` is repaired,
/// and `truth` is the golden.
struct Trial {
    golden::CaseData truth;
    golden::Results candidate;
    bool repaired = false;
    std::string title;  ///< replaces the catalogue's where the trial can say more
};

/// Tensors a mistake cannot leave right where it makes a difference: it is not the reason where one of them passes.
enum class Shows : std::uint8_t { anywhere, in_out, in_out_and_lse };

/// What a trial costs in forward passes. Linear in the tensors: nothing.
struct Cost {
    double forward = 0;    ///< where only out and lse are to be explained
    double gradients = 0;  ///< where gradients are
};

struct Mistake {
    std::string_view id;  ///< of known_mistakes()
    Cost cost;
    Shows shows;
    /// Nothing where the mistake cannot be made (no mscale to forget).
    std::optional<Trial> (*attempt)(const Evidence&);
};

/// The parts of the catalogue, cheapest first.
[[nodiscard]] std::span<const Mistake> output_mistakes();     ///< visible in the outputs alone
[[nodiscard]] std::span<const Mistake> merge_mistakes();      ///< in how partial results of the modes are combined
[[nodiscard]] std::span<const Mistake> precision_mistakes();  ///< in how exactly it was computed
[[nodiscard]] std::span<const Mistake> problem_mistakes();    ///< the right computation of another problem

/// Multiply-adds of one forward pass: two products per visible pair, query head and channel.
[[nodiscard]] double forward_work(const Problem& problem);

/// The golden's case with other results and scales still to be filled in.
[[nodiscard]] inline golden::CaseData without_results(const golden::CaseData& golden) {
    golden::CaseData data;
    data.id = golden.id;
    data.problem = golden.problem;
    data.inputs = golden.inputs;
    data.judge.emplace();
    data.judge->regions = golden.judge->regions;
    return data;
}

}  // namespace dca::verify
