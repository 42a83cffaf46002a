// Every known mistake is named when a candidate makes it.
#include <algorithm>
#include <set>

#include "tests/support/catch.hpp"
#include "tests/verify/diagnose/mistaken.hpp"
#include "verify/compare/compare.hpp"
#include "verify/diagnose/diagnose.hpp"

namespace {

using namespace dca::test;
using namespace dca::verify;

std::vector<std::string> failing(const CaseReport& report) {
    std::vector<std::string> tensors;
    for (const TensorReport& tensor : report.tensors) {
        if (tensor.verdict == Verdict::failed) tensors.push_back(tensor.tensor);
    }
    return tensors;
}

std::string listed(const std::vector<Explanation>& explanations) {
    std::string text;
    for (const Explanation& one : explanations) {
        text += one.id + " (" + std::to_string(one.tensors.size()) + " tensors, " + std::to_string(one.ratio) + ") ";
    }
    return text;
}

void check_named_first(const std::string& id, dca::Dtype dtype) {
    const dca::golden::CaseData golden = golden_for(id, dtype);
    const dca::golden::Results candidate = rounded(mistaken(id, golden), golden.problem.dtype);
    const CaseReport report = compare_case(golden, candidate);
    REQUIRE(report.verdict == Verdict::failed);
    const Diagnosis diagnosis = explain(golden, candidate, report);
    INFO(id << " in " << name(golden.problem.dtype) << ": " << listed(diagnosis.explanations));
    CHECK(diagnosis.not_tried.empty());
    REQUIRE_FALSE(diagnosis.explanations.empty());
    CHECK(diagnosis.explanations.front().id == id);
    // The whole failure is explained, not a corner of it.
    CHECK(diagnosis.explanations.front().tensors == failing(report));
}

TEST_CASE("every known mistake is named first, in f32") {
    for (const std::string_view mistake : makeable_mistakes) check_named_first(std::string(mistake), dca::Dtype::f32);
}

TEST_CASE("every known mistake is named first, in bf16") {
    for (const std::string_view mistake : makeable_mistakes) check_named_first(std::string(mistake), dca::Dtype::bf16);
}

TEST_CASE("the catalogue is complete and its texts are fit for print") {
    std::set<std::string_view> ids;
    for (const KnownMistake& mistake : known_mistakes()) {
        ids.insert(mistake.id);
        CHECK_FALSE(mistake.title.empty());
        CHECK(mistake.title.back() != '.');
    }
    CHECK(ids.size() == known_mistakes().size());
    for (const char* id :
         {"detached-merge", "plain-rope", "rope-layout-swapped", "clamp-one-short", "mscale-missing", "mscale-once",
          "softmax-scale-missing", "lse-base-2", "lse-empty-plus-inf", "kv-head-by-modulo", "dq-unscaled",
          "dk-unscaled", "unwritten", "inter-dropped", "succ-dropped", "merge-by-average"}) {
        CAPTURE(id);
        CHECK(ids.count(id) == 1);
    }
    const auto known = known_mistakes();
    const auto detached =
        std::find_if(known.begin(), known.end(), [](const KnownMistake& one) { return one.id == "detached-merge"; });
    REQUIRE(detached != known.end());
    CHECK(detached->hazard == "H34");
    CHECK(detached->public_example.find("Megatron-LM draft PR #4048") != std::string_view::npos);
}

}  // namespace
