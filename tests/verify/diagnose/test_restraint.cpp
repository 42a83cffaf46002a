// A diagnosis that names something for every failure would be worth nothing: what it must not say.
#include <algorithm>

#include "tests/support/catch.hpp"
#include "tests/verify/diagnose/mistaken.hpp"
#include "verify/compare/compare.hpp"
#include "verify/diagnose/diagnose.hpp"
#include "verify/run/make_golden.hpp"

namespace {

using namespace dca::test;
using namespace dca::verify;
using dca::golden::CaseData;
using dca::golden::Results;

Diagnosis diagnosed(const CaseData& golden, const Results& candidate) {
    return explain(golden, candidate, compare_case(golden, candidate));
}

bool names(const Diagnosis& diagnosis, const std::string& id) {
    return std::any_of(diagnosis.explanations.begin(), diagnosis.explanations.end(),
                       [&](const Explanation& one) { return one.id == id; });
}

TEST_CASE("a right candidate needs no explanation") {
    const CaseData golden = golden_for("plain-rope", dca::Dtype::f32);
    CHECK(diagnosed(golden, rounded(golden.results, dca::Dtype::f32)).explanations.empty());
}

TEST_CASE("an unknown mistake stays unnamed") {
    const CaseData golden = golden_for("plain-rope", dca::Dtype::f32);
    Results one_element = golden.results;
    one_element.out->values()[100] += 0.01;
    CHECK(diagnosed(golden, one_element).explanations.empty());
    Results off_by_two_percent = golden.results;
    for (double& value : off_by_two_percent.dq->values()) value *= 1.02;
    CHECK(diagnosed(golden, off_by_two_percent).explanations.empty());
    Results shifted = golden.results;
    std::rotate(shifted.dk->values().begin(), shifted.dk->values().begin() + 32, shifted.dk->values().end());
    CHECK(diagnosed(golden, shifted).explanations.empty());
}

TEST_CASE("a mistake in half of the rows is not the mistake") {
    const CaseData golden = golden_for("plain-rope", dca::Dtype::f32);
    Results candidate = golden.results;
    const Results wrong = mistaken("plain-rope", golden);
    const std::size_t half = candidate.out->values().size() / 2;
    // The later half, where plain RoPE differs, minus one row.
    std::copy(wrong.out->values().begin() + static_cast<std::ptrdiff_t>(half + 64), wrong.out->values().end(),
              candidate.out->values().begin() + static_cast<std::ptrdiff_t>(half + 64));
    CHECK_FALSE(names(diagnosed(golden, candidate), "plain-rope"));
    // Nor without the other tensors, which contradict it: the rows of out alone do.
    const Results out_alone{candidate.out, {}, {}, {}, {}};
    CHECK_FALSE(names(diagnosed(golden, out_alone), "plain-rope"));
    const Results all_rows{wrong.out, {}, {}, {}, {}};
    CHECK(names(diagnosed(golden, all_rows), "plain-rope"));
}

TEST_CASE("a mistake that makes no difference in a case is not named there") {
    dca::golden::CaseSpec spec;
    spec.id = "short";
    spec.problem.shape = {
        .batch = 1, .seq_q = 8, .seq_k = 8, .heads_q = 2, .heads_kv = 2, .head_dim = 8, .head_dim_v = 8};
    spec.problem.chunk = {12, 4};
    spec.problem.dtype = dca::Dtype::f32;
    const CaseData golden = make_case(spec);
    // One chunk: plain RoPE and DCA agree, and so do all clamps.
    Results candidate = golden.results;
    for (double& value : candidate.lse->values()) value *= 1.4426950408889634;
    const Diagnosis diagnosis = diagnosed(golden, candidate);
    REQUIRE(diagnosis.explanations.size() == 1);
    CHECK(diagnosis.explanations[0].id == "lse-base-2");
    // One mode, so a detached merge changes nothing. Its wider scales must not make it the name of a noisy gradient.
    Results noisy = golden.results;
    for (std::size_t n = 0; n < noisy.dq->values().size(); ++n) {
        noisy.dq->values()[n] += (n % 2 ? 4 : -4) * double{golden.judge->scales.dq->values()[n]};
    }
    REQUIRE(compare_case(golden, noisy).verdict == Verdict::failed);
    CHECK_FALSE(names(diagnosed(golden, noisy), "detached-merge"));
}

TEST_CASE("a right forward pass rules out mistakes of the forward pass") {
    const CaseData golden = golden_for("plain-rope", dca::Dtype::f32);
    Results candidate = golden.results;
    candidate.dq = mistaken("plain-rope", golden).dq;
    CHECK_FALSE(names(diagnosed(golden, candidate), "plain-rope"));
    // Either witness is enough, and so are right gradients of keys; without any, the gradient alone speaks.
    Results only_out = candidate, only_lse = candidate, neither = candidate;
    only_out.lse.reset();
    only_lse.out.reset();
    neither.out.reset();
    neither.lse.reset();
    CHECK_FALSE(names(diagnosed(golden, only_out), "plain-rope"));
    CHECK_FALSE(names(diagnosed(golden, only_lse), "plain-rope"));
    CHECK_FALSE(names(diagnosed(golden, neither), "plain-rope"));
    neither.dk.reset();
    neither.dv.reset();
    CHECK(names(diagnosed(golden, neither), "plain-rope"));
}

TEST_CASE("what would take too long is listed, what is cheap is still tried") {
    const CaseData golden = golden_for("detached-merge", dca::Dtype::f32);
    const Results candidate = mistaken("detached-merge", golden);
    const CaseReport report = compare_case(golden, candidate);
    const Diagnosis none = explain(golden, candidate, report, 1000);
    CHECK(none.explanations.empty());
    CHECK(std::find(none.not_tried.begin(), none.not_tried.end(), "detached-merge") != none.not_tried.end());
    CHECK(names(explain(golden, candidate, report), "detached-merge"));

    const Results unwritten = mistaken("unwritten", golden);
    CHECK(names(explain(golden, unwritten, compare_case(golden, unwritten), 0), "unwritten"));
}

TEST_CASE("a golden without judge data or without dout explains nothing and breaks nothing") {
    CaseData golden = golden_for("plain-rope", dca::Dtype::f32);
    const Results wrong = mistaken("plain-rope", golden);
    CaseData bare = golden;
    bare.judge.reset();
    Results nan = wrong;
    nan.out->values()[0] = std::nan("");
    CHECK(diagnosed(bare, nan).explanations.empty());

    golden.inputs.dout.reset();
    golden.results.dq.reset();
    golden.results.dk.reset();
    golden.results.dv.reset();
    golden.judge->scales.dq.reset();
    golden.judge->scales.dk.reset();
    golden.judge->scales.dv.reset();
    const Results forward_only{wrong.out, wrong.lse, {}, {}, {}};
    const Diagnosis diagnosis = diagnosed(golden, forward_only);
    REQUIRE_FALSE(diagnosis.explanations.empty());
    CHECK(diagnosis.explanations[0].id == "plain-rope");
    CHECK(diagnosis.explanations[0].tensors == std::vector<std::string>{"out", "lse"});
}

}  // namespace
