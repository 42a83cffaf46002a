// What is written is what is read, for every kind of case.
#include <cmath>

#include "golden/catalogue.hpp"
#include "golden/lint.hpp"
#include "tests/golden/sample_case.hpp"
#include "tests/golden/scratch_folder.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using namespace dca::golden;
using namespace dca::test;

namespace {

/// The problem as a golden file states it: defaults resolved.
Problem resolved(Problem problem) {
    problem.softmax_scale = problem.resolved_softmax_scale();
    if (!problem.packed()) problem.query_offset = problem.resolved_query_offset();
    if (problem.rope.layout != RopeLayout::none) problem.rope.rotary_dim = problem.resolved_rotary_dim();
    problem.rope.original_max_position = problem.rope.resolved_original_max_position();
    return problem;
}

void check_same(const CaseData& got, const CaseData& wanted) {
    CHECK(got.id == wanted.id);
    CHECK(got.problem == resolved(wanted.problem));
    CHECK(got.inputs == wanted.inputs);
    CHECK(got.results.out == wanted.results.out);
    CHECK(got.results.lse == wanted.results.lse);
    CHECK(got.results.dq == wanted.results.dq);
    CHECK(got.results.dk == wanted.results.dk);
    CHECK(got.results.dv == wanted.results.dv);
    CHECK(got.certificates == wanted.certificates);
    CHECK(got.dialect_facts == wanted.dialect_facts);
    CHECK(got.provenance == wanted.provenance);
    REQUIRE(got.judge.has_value() == wanted.judge.has_value());
    if (!wanted.judge) return;
    CHECK(got.judge->error_model_version == wanted.judge->error_model_version);
    CHECK(got.judge->regions == wanted.judge->regions);
    CHECK(got.judge->scales.out == wanted.judge->scales.out);
    CHECK(got.judge->scales.lse == wanted.judge->scales.lse);
    CHECK(got.judge->scales.dq == wanted.judge->scales.dq);
    CHECK(got.judge->scales.dk == wanted.judge->scales.dk);
    CHECK(got.judge->scales.dv == wanted.judge->scales.dv);
}

std::vector<CaseData> valid_cases(std::string_view suite_name) {
    std::vector<CaseData> cases;
    for (const CaseSpec& spec : suite(suite_name)) {
        if (spec.expectation == Expectation::valid) cases.push_back(sample_case(spec));
    }
    return cases;
}

}  // namespace

TEST_CASE("every smoke case comes back from a file, and the file is clean") {
    const ScratchFolder folder;
    const auto cases = valid_cases("smoke");
    write_file(folder / "smoke.h5", cases);
    const FileReader reader(folder / "smoke.h5");
    REQUIRE(reader.case_ids().size() == cases.size());
    CHECK(std::is_sorted(reader.case_ids().begin(), reader.case_ids().end()));
    for (const CaseData& wanted : cases) {
        CAPTURE(wanted.id);
        check_same(reader.read(wanted.id), wanted);
    }
    const LintReport report = lint(folder / "smoke.h5");
    CHECK(report.ok());
    CHECK(report.cases == cases.size());
    CHECK(report.findings.empty());
}

TEST_CASE("every ci case comes back from a file") {
    const ScratchFolder folder;
    for (const CaseData& wanted : valid_cases("ci")) {
        CAPTURE(wanted.id);
        write_file(folder / "one.h5", {wanted});
        check_same(FileReader(folder / "one.h5").read(wanted.id), wanted);
    }
}

TEST_CASE("every attribute that differs from its default comes back") {
    const ScratchFolder folder;
    for (const std::string& rest :
         {std::string(
              "dialect=vllm dtype=f32 rope=interleaved rotary_dim=6 rope_base=777 rope_scaling=llama3 rope_factor=3 "
              "original_max_position=55 beta_fast=17 beta_slow=2 low_freq_factor=1.5 high_freq_factor=7 mscale=1.1 "
              "softmax_scale=0.3 query_offset=2"),
          std::string("rope=none rotary_dim=4"),
          std::string("rope_scaling=dynamic rope_factor=2 original_max_position=4 cu_seqlens=0,3,9"),
          std::string("inv_freq=1,0.5,0.25,0.125")}) {
        const CaseData wanted = sample_case("id=a seq_q=9 heads_q=2 head_dim=8 chunk_size=4 local_size=1 " + rest);
        CAPTURE(rest);
        write_file(folder / "a.h5", {wanted});
        check_same(FileReader(folder / "a.h5").read("a"), wanted);
    }
}

TEST_CASE("a case with inputs alone comes back without results and judge data") {
    const ScratchFolder folder;
    CaseData wanted = sample_case("id=a seq_q=5 head_dim=4 chunk_size=3 local_size=1 gradient=0");
    wanted.results = {};
    wanted.certificates = {};
    wanted.judge.reset();
    write_file(folder / "inputs.h5", {wanted});
    check_same(FileReader(folder / "inputs.h5").read("a"), wanted);
    CHECK(lint(folder / "inputs.h5").ok());
}

TEST_CASE("an unset mscale stays unset, a set one is kept") {
    const ScratchFolder folder;
    const std::string text =
        "id=a seq_q=5 head_dim=4 chunk_size=3 local_size=1 rope_scaling=yarn rope_factor=4 original_max_position=8";
    write_file(folder / "a.h5", {sample_case(text)});
    CHECK_FALSE(FileReader(folder / "a.h5").read("a").problem.rope.mscale);
    write_file(folder / "b.h5", {sample_case(text + " mscale=1.25")});
    CHECK(FileReader(folder / "b.h5").read("a").problem.rope.mscale == 1.25);
}

TEST_CASE("results keep NaN and infinities") {
    const ScratchFolder folder;
    CaseData data = sample_case("id=a seq_q=5 head_dim=4 chunk_size=3 local_size=1");
    data.results.out->values()[0] = NAN;
    data.results.out->values()[1] = -INFINITY;
    write_file(folder / "a.h5", {data});
    const CaseData got = FileReader(folder / "a.h5").read("a");
    CHECK(std::isnan(got.results.out->values()[0]));
    CHECK(got.results.out->values()[1] == -INFINITY);
}

TEST_CASE("asking for a case that is not there suggests the one that is") {
    const ScratchFolder folder;
    write_file(folder / "a.h5", {sample_case("id=gqa_b2 seq_q=5 head_dim=4 chunk_size=3 local_size=1")});
    const FileReader reader(folder / "a.h5");
    try {
        static_cast<void>(reader.read("gqa_b3"));
        FAIL("accepted");
    } catch (const FormatError& error) {
        CHECK(std::string(error.what()) ==
              (folder / "a.h5").string() + ": there is no case gqa_b3, did you mean gqa_b2?");
    }
}

TEST_CASE("the writer refuses what would not be a legal file") {
    const ScratchFolder folder;
    const CaseData good = sample_case("id=a seq_q=5 head_dim=4 chunk_size=3 local_size=1 dtype=f32");
    FileWriter writer(folder / "a.h5");
    CaseData bad = good;
    bad.id = "a/b";
    CHECK_THROWS_AS(writer.write(bad), ContractError);
    bad = good;
    bad.provenance["rope_bas"] = 1.0;
    CHECK_THROWS_AS(writer.write(bad), ContractError);
    bad = good;
    bad.id = "b";
    bad.inputs.q.values()[0] = 0.1;  // not a float32
    CHECK_THROWS_AS(writer.write(bad), ContractError);
    bad = good;
    bad.id = "c";
    bad.results.out = Tensor4({1, 5, 1, 3});
    CHECK_THROWS_AS(writer.write(bad), ContractError);
    bad = good;
    bad.inputs.v.values()[0] = NAN;
    CHECK_THROWS_AS(writer.write(bad), InvalidProblem);
}
