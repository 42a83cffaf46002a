// A sampled golden from its case text to the verdict on candidates with all rows, or the sampled ones alone.
#include <sstream>

#include "golden/case_text.hpp"
#include "golden/lint.hpp"
#include "golden/make_inputs.hpp"
#include "golden/sample_rows.hpp"
#include "tests/golden/scratch_folder.hpp"
#include "tests/support/catch.hpp"
#include "verify/report/writers.hpp"
#include "verify/run/make_golden.hpp"
#include "verify/run/run_compare.hpp"
#include "verify/run/write_inputs.hpp"

using namespace dca;
using namespace dca::test;
using namespace dca::verify;

namespace {

const std::string text =
    "id=s batch=2 seq_q=150 seq_k=170 heads_q=4 heads_kv=2 head_dim=16 head_dim_v=12 C=60 w=12 dtype=bf16 sample=20";

/// What the reference makes of the whole problem, dout masked, as a candidate with every row.
golden::CaseData whole_candidate() {
    golden::CaseData data;
    data.id = "s";
    data.problem = golden::parse_case(text).problem;
    data.inputs = golden::make_inputs(golden::parse_case(text));
    complete(data);
    data.judge.reset();
    return data;
}

void write(const std::filesystem::path& path, const golden::CaseData& data) {
    golden::FileWriter writer(path);
    writer.write(data);
    writer.commit();
}

RunReport compared(const ScratchFolder& folder, const golden::CaseData& candidate) {
    write(folder / "candidate.h5", candidate);
    return run_compare(folder / "golden.h5", folder / "candidate.h5", {});
}

std::string as_text(const RunReport& report) {
    std::ostringstream out;
    write_text(out, report, {});
    return out.str();
}

}  // namespace

TEST_CASE("a sampled golden is sound, regenerates bit by bit and passes honest candidates") {
    const ScratchFolder folder;
    const std::vector<golden::CaseSpec> cases{golden::parse_case(text)};
    std::vector<std::string> steps;
    generate(cases, folder / "golden.h5",
             [&](const std::string& id, std::size_t, std::size_t) { steps.push_back(id); });
    CHECK(steps.size() > 3);
    generate(cases, folder / "again.h5", {});
    CHECK(read_bytes(folder / "again.h5") == read_bytes(folder / "golden.h5"));
    const golden::LintReport lint = golden::lint(folder / "golden.h5");
    CHECK(lint.ok());
    CHECK(lint.findings.empty());

    const golden::CaseData data = golden::FileReader(folder / "golden.h5").read("s");
    CHECK(data.sample_rows == golden::sample_rows(cases.front()));
    CHECK(data.results.out->extents() == Extents<4>{2, 20, 4, 12});
    CHECK(data.results.lse->extents() == Extents<3>{2, 4, 20});
    CHECK(data.results.dk->extents() == Extents<4>{2, 170, 2, 16});
    for (const char* tensor : {"out", "lse", "dq", "dk", "dv"}) {
        CHECK(data.certificates.at(tensor).proven);
        CHECK(data.certificates.at(tensor).error_radius > 0);
        CHECK(data.certificates.at(tensor).error_radius < 1e-9);
    }
    write(folder / "rewritten.h5", data);
    CHECK(read_bytes(folder / "rewritten.h5") == read_bytes(folder / "golden.h5"));

    const RunReport report = compared(folder, whole_candidate());
    CHECK(report.verdict == Verdict::passed);
    CHECK(report.cases.front().coverage ==
          "out, lse, dq: 20 of 150 query rows, nothing is known of the others; dk, dv: every key, for a dout that is 0 "
          "outside the 20 sampled rows");
    CHECK(as_text(report).find("20 of 150 query rows") != std::string::npos);
    // The golden itself is a candidate with the sampled rows alone.
    CHECK(run_compare(folder / "golden.h5", folder / "golden.h5", {}).verdict == Verdict::passed);
}

TEST_CASE("a wrong row is seen where it is sampled, and any wrong key") {
    const ScratchFolder folder;
    generate({golden::parse_case(text)}, folder / "golden.h5", {});
    const auto rows = golden::sample_rows(golden::parse_case(text));
    const auto wrong = [&](const char* tensor, std::int64_t row) {
        golden::CaseData data = whole_candidate();
        golden::Results& results = data.results;
        const std::string name(tensor);
        if (name == "lse") {
            (*results.lse)(1, 3, row) += 1;
        } else {
            Tensor4& values = name == "out"  ? *results.out
                              : name == "dq" ? *results.dq
                              : name == "dk" ? *results.dk
                                             : *results.dv;
            values(1, row, 1, 3) += 1;
        }
        return compared(folder, data);
    };
    std::int64_t free_row = 0;
    while (std::binary_search(rows.begin(), rows.end(), free_row)) ++free_row;
    for (const char* tensor : {"out", "lse", "dq"}) {
        CAPTURE(tensor);
        const RunReport sampled = wrong(tensor, rows[11]);
        CHECK(sampled.verdict == Verdict::failed);
        CHECK(as_text(sampled).find("row " + std::to_string(rows[11])) != std::string::npos);
        CHECK(!sampled.notes.empty());  // no mistake was looked for
        CHECK(wrong(tensor, free_row).verdict == Verdict::passed);
    }
    for (const char* tensor : {"dk", "dv"}) {
        for (const std::int64_t key : {0, 77, 169}) CHECK(wrong(tensor, key).verdict == Verdict::failed);
    }
}

TEST_CASE("what does not belong to the sampled golden is an error") {
    const ScratchFolder folder;
    generate({golden::parse_case(text)}, folder / "golden.h5", {});
    golden::CaseData other = whole_candidate();
    other.inputs.k(0, 3, 0, 0) = 0.5;
    CHECK(compared(folder, other).verdict == Verdict::errored);
    other = whole_candidate();
    (*other.inputs.dout)(0, 5, 0, 0) = 0.5;
    CHECK(compared(folder, other).verdict == Verdict::errored);
    // The inputs of the case as a file are those that the golden stands for.
    write_inputs({golden::parse_case(text)}, folder / "inputs.h5", {});
    CHECK(golden::FileReader(folder / "inputs.h5").read("s").inputs == whole_candidate().inputs);
    CHECK(run_compare(folder / "golden.h5", folder / "inputs.h5", {}).verdict == Verdict::skipped);
    CHECK_THROWS_AS(generate({golden::parse_case(text + " dialect=vllm")}, folder / "x.h5", {}), Unsupported);
    CHECK_THROWS_AS(
        generate({golden::parse_case("seq_q=9 head_dim=4 C=8 w=2 sample=3 cu_seqlens=0,9")}, folder / "x.h5", {}),
        InvalidProblem);
}
