// Candidates of tests: the honest peer, and ones that break in every way.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "golden/case_text.hpp"
#include "verify/candidate/candidate.hpp"
#include "verify/peer/peer.hpp"
#include "verify/run/results.hpp"

namespace dca::test {

/// What the honest peer computes, as results.
inline golden::Results peer_results(const Problem& problem, const Inputs& inputs) {
    return verify::results_of(peer::run_peer(problem, inputs));
}

/// The peer, with its results changed.
class Changed : public verify::Candidate {
public:
    using Change = std::function<void(const Problem&, const Inputs&, golden::Results&)>;
    explicit Changed(Change change = {}) : change_(std::move(change)) {}
    [[nodiscard]] std::string name() const override { return "changed"; }
    [[nodiscard]] verify::Support supports(const Problem& problem) const override {
        if (unsupported != nullptr && unsupported(problem)) return {false, "not in this test"};
        return {};
    }
    [[nodiscard]] golden::Results run(const Problem& problem, const Inputs& inputs) override {
        ++runs;
        golden::Results results = peer_results(problem, inputs);
        if (change_) change_(problem, inputs, results);
        return results;
    }
    bool (*unsupported)(const Problem&) = nullptr;
    int runs = 0;

private:
    Change change_;
};

inline std::vector<golden::CaseSpec> cases_of(std::initializer_list<const char*> texts) {
    std::vector<golden::CaseSpec> cases;
    for (const char* text : texts) cases.push_back(golden::parse_case(text));
    return cases;
}

inline constexpr const char* small_case =
    "id=small seq_q=13 heads_q=2 head_dim=8 chunk_size=6 local_size=2 dtype=f32 seed=1";
inline constexpr const char* other_case =
    "id=other seq_q=13 heads_q=2 head_dim=8 chunk_size=6 local_size=2 dtype=bf16 seed=2";
inline constexpr const char* reject_case = "id=refused seq_q=16 head_dim=16 chunk_size=4 local_size=4 expect=reject";

}  // namespace dca::test
