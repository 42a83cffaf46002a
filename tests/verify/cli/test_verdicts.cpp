// dca compare from files to exit status, up to the recordings of public implementations.
#include <algorithm>
#include <filesystem>

#include "golden/store.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/verify/cli/support.hpp"

using namespace dca::test;

namespace {

/// A golden of the small case, and candidates made from its own results.
struct Sample {
    TemporaryFolder folder;
    std::string golden = folder / "golden.h5", candidate = folder / "candidate.h5";

    Sample() { require_success(run_dca("generate --case " + small_case + " -o " + shell_quoted(golden))); }

    /// Writes the candidate: the golden's results after `change`.
    template <class Change>
    void write_candidate(Change change) const {
        dca::golden::CaseData data = dca::golden::FileReader(golden).read("small");
        data.judge.reset();
        change(data.results);
        dca::golden::FileWriter writer(candidate);
        writer.write(data);
        writer.commit();
    }

    [[nodiscard]] Finished compare(const std::string& options = "") const {
        return run_dca("compare " + shell_quoted(golden) + " " + shell_quoted(candidate) + " " + options);
    }
};

using Results = dca::golden::Results;

}  // namespace

TEST_CASE("a golden file agrees with itself") {
    const Sample sample;
    const Finished same = run_dca("compare " + shell_quoted(sample.golden) + " " + shell_quoted(sample.golden));
    CAPTURE(same.out);
    CHECK(same.status == 0);
    CHECK(same.err.empty());
    CHECK(same.out.rfind("PASSED: ", 0) == 0);
}

TEST_CASE("one wrong element is a failure that is located") {
    const Sample sample;
    sample.write_candidate([](Results& results) { (*results.out)(0, 17, 1, 3) += 1e-9; });
    const Finished wrong = sample.compare();
    CAPTURE(wrong.out);
    CHECK(wrong.status == 1);
    CHECK(wrong.err.empty());
    CHECK(wrong.out.rfind("FAILED: ", 0) == 0);
    CHECK(contains(wrong.out, "batch 0, row 17, head 1, channel 3 (region +inter)"));
    CHECK(sample.compare("--tensor lse").status == 0);
}

TEST_CASE("without looking for the mistake the verdict is the same") {
    const Sample sample;
    sample.write_candidate([](Results& results) {
        for (double& value : results.out->values()) value = 0;
    });
    const Finished explained = sample.compare(), bare = sample.compare("--no-explain");
    CAPTURE(explained.out, bare.out);
    CHECK(explained.status == 1);
    CHECK(contains(explained.out, "looks like output that was never written"));
    CHECK(bare.status == 1);
    CHECK_FALSE(contains(bare.out, "looks like"));
}

TEST_CASE("a case that broke is said in one line on stderr") {
    const Finished broke = run_dca("gate --case-text 'id=a seq_q=3 head_dim=4 C=4 w=1' --command 'false {input} {output}'");
    CAPTURE(broke.out, broke.err);
    CHECK(broke.status == 2);
    CHECK(broke.err.rfind("dca: case a: ", 0) == 0);
    CHECK(std::count(broke.err.begin(), broke.err.end(), '\n') == 1);
}

TEST_CASE("nothing to compare is inconclusive, never a pass") {
    const Sample sample;
    sample.write_candidate([](Results& results) { results = {}; });
    CHECK(sample.compare().status == 3);

    sample.write_candidate([](Results& results) { results.dq.reset(); });
    CHECK(sample.compare("--tensor dq").status == 3);
    CHECK(sample.compare("--tensor dk").status == 0);
    CHECK(sample.compare("--case 'nosuch*'").status == 3);
    CHECK(sample.compare("--case 'sm*' --tensor out --tensor dk").status == 0);
}

TEST_CASE("reports are written next to the verdict") {
    const Sample sample;
    sample.write_candidate([](Results& results) { (*results.out)(0, 17, 1, 3) += 1e-9; });
    const TemporaryFolder reports;
    std::string options = "-v --annotations";
    for (const char* form : {"json", "junit", "markdown", "html", "sarif"}) {
        options += std::string(" --") + form + " " + shell_quoted(reports / (std::string("r.") + form));
    }
    const Finished wrong = sample.compare(options);
    CHECK(wrong.status == 1);
    const auto report = nlohmann::json::parse(read_file(reports / "r.json"));
    const std::vector<std::string> violations = JsonSchema::of_reports().violations(report);
    CAPTURE(violations);
    CHECK(violations.empty());
    CHECK(report["cases"][0]["id"] == "small");
    CHECK(report["cases"][0]["problem"]["chunk_size"] == 7);
    CHECK(report["cases"][0]["tensors"][0]["golden_accuracy"]["proven"] == true);
    CHECK(contains(read_file(reports / "r.junit"), "<testsuite"));
    CHECK(contains(read_file(reports / "r.markdown"), "### small: failed"));
    CHECK(contains(read_file(reports / "r.html"), "<h1>FAILED</h1>"));
    CHECK(contains(read_file(reports / "r.sarif"), "\"2.1.0\""));
    CHECK(contains(wrong.out, "\n::error title=small failed::out: "));
    const std::string same = shell_quoted(reports / "same");
    check_refused(sample.compare("--json " + same + " --html " + same), "two reports cannot go to one file");
    check_refused(sample.compare("--html " + shell_quoted(sample.golden)), "is the input file");
    check_refused(sample.compare("--json " + shell_quoted(reports / "no/such/r.json")), "no/such");
}

TEST_CASE("the repro command names a file whatever its name holds, and no report prints a control character") {
    const Sample sample;
    const std::string odd = sample.folder / "it's\n\033[31m \\odd.h5";
    std::filesystem::copy(sample.golden, odd);
    const TemporaryFolder reports;
    const std::string candidate = "'" + (sample.folder / "it'\\''s\n\033[31m \\odd.h5") + "'";
    const Finished judged = run_dca("compare " + shell_quoted(sample.golden) + " " + candidate + " --json " +
                                    shell_quoted(reports / "r.json"));
    CAPTURE(judged.out);
    CHECK(judged.status == 0);
    CHECK(judged.out.find('\033') == std::string::npos);
    CHECK(contains(judged.out, "it's ?[31m \\odd.h5"));
    const auto report = nlohmann::json::parse(read_file(reports / "r.json"));
    CHECK(report["candidate"] == odd);
    CHECK(report["cases"][0]["repro"] == "dca compare " + sample.golden + " $'" + (sample.folder / "it\\'s") +
                                             "\\012\\033[31m \\\\odd.h5' --case small");
}

TEST_CASE("no colour outside a terminal") {
    const Sample sample;
    CHECK(!contains(run_dca("compare " + shell_quoted(sample.golden) + " " + shell_quoted(sample.golden)).out, "\033"));
}

TEST_CASE("Megatron-LM pull request 4048: forward verified, gradients rejected as the detached merge") {
    const TemporaryFolder folder;
    const std::string golden = shell_quoted(folder / "golden.h5"), recorded = recording("megatron_pr4048");
    require_success(run_dca("run " + recorded + " --dialect exact -o " + golden));
    const std::string compare = "compare " + golden + " " + recorded;

    const Finished forward = run_dca(compare + " --tensor out");
    CAPTURE(forward.out);
    CHECK(forward.status == 1);
    CHECK(contains(forward.out, "1 of 23 cases failed"));
    CHECK(contains(forward.out, "\nfailed meg_f64 (f64)"));  // computed in f32 behind a float64 input (H33)
    CHECK(run_dca(compare + " --tensor out --case 'meg_[!f]*'").status == 0);

    const Finished gradients = run_dca(compare + " --case meg_gqa_b2");
    CAPTURE(gradients.out);
    CHECK(gradients.status == 1);
    CHECK(contains(gradients.out, "out passed"));
    CHECK(contains(gradients.out, "dv passed"));
    CHECK(contains(gradients.out, "looks like a detached merge"));
}

TEST_CASE("Megatron-Bridge pull request 4185: forward and gradients verified") {
    const TemporaryFolder folder;
    const std::string golden = shell_quoted(folder / "golden.h5"), recorded = recording("megatron_bridge_pr4185");
    require_success(run_dca("run " + recorded + " --dialect exact -o " + golden));
    const Finished judged = run_dca("compare " + golden + " " + recorded);
    CAPTURE(judged.out);
    CHECK(judged.status == 0);
}
