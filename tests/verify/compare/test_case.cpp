// A case is the join of its tensors, and what could not be compared is never part of a pass.
#include <algorithm>

#include "tests/support/catch.hpp"
#include "tests/verify/compare/synthetic.hpp"

namespace {

using dca::Region;
using dca::golden::CaseData;
using dca::golden::Results;
using dca::verify::compare_case;
using dca::verify::Verdict;

template <class T, int Rank>
dca::Tensor<T, Rank> filled(dca::Extents<Rank> extents, double value) {
    dca::Tensor<T, Rank> tensor(extents);
    std::fill(tensor.values().begin(), tensor.values().end(), static_cast<T>(value));
    return tensor;
}

/// 4 queries, 6 keys, every value 1 and every sigma 2^-10.
CaseData golden_case() {
    CaseData data;
    data.id = "small";
    data.problem.shape = {
        .batch = 1, .seq_q = 4, .seq_k = 6, .heads_q = 2, .heads_kv = 1, .head_dim = 8, .head_dim_v = 4};
    data.problem.dtype = dca::Dtype::bf16;
    const dca::Shape& s = data.problem.shape;
    data.inputs = {filled<double, 4>(q_extents(s), 1), filled<double, 4>(k_extents(s), 1),
                   filled<double, 4>(v_extents(s), 1), filled<double, 4>(out_extents(s), 1)};
    data.results = {filled<double, 4>(out_extents(s), 1), filled<double, 3>(lse_extents(s), 1),
                    filled<double, 4>(q_extents(s), 1), filled<double, 4>(k_extents(s), 1),
                    filled<double, 4>(v_extents(s), 1)};
    dca::golden::JudgeData judge;
    judge.scales = {filled<float, 4>(out_extents(s), 0x1p-10), filled<float, 3>(lse_extents(s), 0x1p-10),
                    filled<float, 4>(q_extents(s), 0x1p-10), filled<float, 4>(k_extents(s), 0x1p-10),
                    filled<float, 4>(v_extents(s), 0x1p-10)};
    judge.regions.query.assign(4, Region::with_succ);
    judge.regions.key.assign(6, Region::intra_only);
    data.judge = judge;
    return data;
}

TEST_CASE("a candidate with every tensor is judged on every tensor") {
    const CaseData golden = golden_case();
    const auto report = compare_case(golden, golden.results);
    CHECK(report.verdict == Verdict::passed);
    CHECK(report.id == "small");
    CHECK(report.dtype == "bf16");
    REQUIRE(report.tensors.size() == 5);
    CHECK(report.not_in_candidate.empty());
    // Query tensors carry query regions, dk and dv those of the keys.
    for (const auto& tensor : report.tensors) {
        REQUIRE(tensor.regions.size() == 1);
        const bool of_keys = tensor.tensor == "dk" || tensor.tensor == "dv";
        CHECK(tensor.regions.front().region == (of_keys ? Region::intra_only : Region::with_succ));
    }
}

TEST_CASE("any one failing tensor fails the case") {
    const CaseData golden = golden_case();
    for (int which = 0; which < 5; ++which) {
        Results got = golden.results;
        const auto spoil = [](auto& tensor) { tensor->values().back() += 1; };
        if (which == 0) spoil(got.out);
        if (which == 1) spoil(got.lse);
        if (which == 2) spoil(got.dq);
        if (which == 3) spoil(got.dk);
        if (which == 4) spoil(got.dv);
        const auto report = compare_case(golden, got);
        CAPTURE(which);
        CHECK(report.verdict == Verdict::failed);
        CHECK(std::count_if(report.tensors.begin(), report.tensors.end(),
                            [](const auto& t) { return t.verdict == Verdict::failed; }) == 1);
    }
}

TEST_CASE("tensors the candidate leaves out are named but not held against it") {
    const CaseData golden = golden_case();
    Results got = golden.results;
    got.lse.reset();
    got.dv.reset();
    const auto report = compare_case(golden, got);
    CHECK(report.verdict == Verdict::passed);
    CHECK(report.not_in_candidate == std::vector<std::string>{"lse", "dv"});
}

TEST_CASE("nothing in common, or a tensor the golden cannot judge, is not a pass") {
    const CaseData golden = golden_case();
    const auto nothing = compare_case(golden, Results{});
    CHECK(nothing.verdict == Verdict::skipped);
    CHECK_FALSE(nothing.reason.empty());

    CaseData forward_only = golden;
    forward_only.results.dq.reset();
    const auto extra = compare_case(forward_only, golden.results);
    CHECK(extra.verdict == Verdict::skipped);
    CHECK(extra.reason.find("dq") != std::string::npos);
}

TEST_CASE("a golden without judge data, or without scales for one tensor, is mistrusted") {
    CaseData golden = golden_case();
    const Results got = golden.results;
    golden.judge->scales.dk.reset();
    CHECK(compare_case(golden, got).verdict == Verdict::mistrusted);
    golden.judge.reset();
    const auto report = compare_case(golden, got);
    CHECK(report.verdict == Verdict::mistrusted);
    CHECK(report.reason.find("no error scales") != std::string::npos);
    Results spoilt = got;
    spoilt.out->values()[0] = std::nan("");
    CHECK(compare_case(golden, spoilt).verdict == Verdict::failed);
}

TEST_CASE("gradients that vanish are trusted by the size of their inputs") {
    CaseData golden = golden_case();
    std::fill(golden.results.dq->values().begin(), golden.results.dq->values().end(), 0x1p-50);
    Results got = golden.results;
    std::fill(got.dq->values().begin(), got.dq->values().end(), 0.0);
    const auto report = compare_case(golden, got);
    CHECK(report.verdict == Verdict::passed);
    CHECK_FALSE(report.tensors[2].remark.empty());
    // Nothing multiplies to a gradient here, so the line is too wide for anything.
    std::fill(golden.inputs.dout->values().begin(), golden.inputs.dout->values().end(), 0.0);
    CHECK(compare_case(golden, got).verdict == Verdict::mistrusted);
}

}  // namespace
