// From two files to a verdict: what was asked for and not verified is never a pass.

#include "tests/support/catch.hpp"
#include "tests/support/process.hpp"
#include "verify/run/make_golden.hpp"
#include "verify/run/run_compare.hpp"

namespace {

using dca::golden::CaseData;
using dca::test::TemporaryFolder;
using dca::verify::CompareOptions;
using dca::verify::exit_status;
using dca::verify::run_compare;
using dca::verify::RunReport;
using dca::verify::Verdict;

CaseData made(const std::string& id, std::uint64_t seed) {
    dca::golden::CaseSpec spec;
    spec.id = id;
    spec.problem.shape = {
        .batch = 1, .seq_q = 21, .seq_k = 21, .heads_q = 2, .heads_kv = 1, .head_dim = 8, .head_dim_v = 8};
    spec.problem.chunk = {6, 2};
    spec.problem.dtype = dca::Dtype::f32;
    spec.recipe.seed = seed;
    return dca::verify::make_case(spec);
}

struct Files {
    TemporaryFolder folder;
    std::vector<CaseData> cases{made("a1", 1), made("a2", 2), made("b1", 3)};
    std::string golden = write("golden.h5", cases);

    std::string write(const std::string& name, const std::vector<CaseData>& data) const {
        dca::golden::FileWriter writer(folder / name);
        for (const CaseData& one : data) writer.write(one);
        writer.commit();
        return folder / name;
    }
};

CompareOptions only(std::vector<std::string> patterns) {
    CompareOptions options;
    options.cases = std::move(patterns);
    return options;
}

TEST_CASE("a golden file verifies itself, case by case, with progress") {
    const Files files;
    std::vector<std::size_t> seen;
    CompareOptions options;
    options.progress = [&](std::size_t done, std::size_t total) {
        CHECK(total == 3);
        seen.push_back(done);
    };
    const RunReport report = run_compare(files.golden, files.golden, options);
    CHECK(report.verdict == Verdict::passed);
    REQUIRE(report.cases.size() == 3);
    CHECK(report.cases[1].id == "a2");
    CHECK(report.cases[1].repro == "dca compare " + files.golden + " " + files.golden + " --case a2");
    CHECK(report.notes.empty());
    CHECK(seen == std::vector<std::size_t>{0, 1, 2});
}

TEST_CASE("a case the candidate lacks is skipped and the run inconclusive, unless it was not asked for") {
    const Files files;
    const std::string candidate = files.write("some.h5", {files.cases[0], files.cases[1]});
    const RunReport all = run_compare(files.golden, candidate, {});
    REQUIRE(all.cases.size() == 3);
    CHECK(all.cases[2].verdict == Verdict::skipped);
    CHECK(all.verdict == Verdict::skipped);
    CHECK(exit_status(all.verdict) == 3);
    const RunReport filtered = run_compare(files.golden, candidate, only({"a*"}));
    CHECK(filtered.cases.size() == 2);
    CHECK(exit_status(filtered.verdict) == 0);
    CHECK(run_compare(files.golden, candidate, only({"?1"})).cases.size() == 2);
}

TEST_CASE("a pattern that matches nothing leaves the run inconclusive") {
    const Files files;
    const RunReport none = run_compare(files.golden, files.golden, only({"zz*"}));
    CHECK(none.cases.empty());
    CHECK(exit_status(none.verdict) == 3);
    CHECK(none.notes.size() == 1);
    CHECK(exit_status(run_compare(files.golden, files.golden, only({"a1", "zz"})).verdict) == 3);
}

TEST_CASE("cases of the candidate the golden does not know are noted") {
    const Files files;
    std::vector<CaseData> renamed = files.cases;
    renamed.push_back(files.cases[0]);
    renamed.back().id = "stranger";
    const RunReport report = run_compare(files.golden, files.write("more.h5", renamed), {});
    CHECK(report.verdict == Verdict::passed);
    REQUIRE(report.notes.size() == 1);
    CHECK(report.notes[0].find("stranger") != std::string::npos);

    const RunReport nothing = run_compare(files.golden, files.write("strange.h5", {renamed.back()}), {});
    CHECK(exit_status(nothing.verdict) == 3);
}

TEST_CASE("a failing case is explained and fails the run, a broken case does not stop the others") {
    const Files files;
    std::vector<CaseData> wrong = files.cases;
    for (double& value : wrong[1].results.dq->values()) value = 0;
    const RunReport report = run_compare(files.golden, files.write("wrong.h5", wrong), {});
    CHECK(exit_status(report.verdict) == 1);
    CHECK(report.cases[0].verdict == Verdict::passed);
    CHECK(report.cases[1].verdict == Verdict::failed);
    REQUIRE_FALSE(report.cases[1].explanations.empty());
    CHECK(report.cases[1].explanations[0].id == "unwritten");
    CompareOptions hurried;
    hurried.explain_work = 1000;
    const RunReport partly = run_compare(files.golden, files.folder / "wrong.h5", hurried);
    REQUIRE(partly.notes.size() == 1);
    CHECK(partly.notes[0].find("not every known mistake was tried on case a2, it") == 0);
    CHECK(partly.cases[1].explanations.at(0).id == "unwritten");
    CompareOptions silent;
    silent.explain = false;
    CHECK(run_compare(files.golden, files.folder / "wrong.h5", silent).cases[1].explanations.empty());

    wrong[2].problem.chunk.chunk_size += 1;
    const RunReport broken = run_compare(files.golden, files.write("broken.h5", wrong), {});
    CHECK(exit_status(broken.verdict) == 2);
    CHECK(broken.cases[0].verdict == Verdict::passed);
    CHECK(broken.cases[1].verdict == Verdict::failed);
    CHECK(broken.cases[2].verdict == Verdict::errored);
    CHECK(broken.cases[2].reason.find("chunk_size") != std::string::npos);
}

TEST_CASE("only the tensors asked for are judged, and they must be there") {
    const Files files;
    std::vector<CaseData> wrong = files.cases;
    for (CaseData& one : wrong) {
        one.results.dq->values()[0] += 1;
        one.results.lse.reset();
    }
    const std::string candidate = files.write("wrong.h5", wrong);
    CompareOptions options;
    options.tensors = {"out", "dv"};
    const RunReport good = run_compare(files.golden, candidate, options);
    CHECK(exit_status(good.verdict) == 0);
    CHECK(good.cases[0].tensors.size() == 2);
    options.tensors = {"out", "lse"};
    const RunReport missing = run_compare(files.golden, candidate, options);
    CHECK(exit_status(missing.verdict) == 3);
    CHECK(missing.cases[0].reason.find("lse") != std::string::npos);
}

TEST_CASE("an explanation may rest on tensors that were not to be judged") {
    const Files files;
    std::vector<CaseData> coarse{files.cases[0]};
    for (double& value : coarse[0].results.out->values()) value = round_to(dca::Dtype::bf16, value);
    CompareOptions options = only({"a1"});
    options.tensors = {"out"};
    const RunReport report = run_compare(files.golden, files.write("coarse.h5", coarse), options);
    CHECK(report.verdict == Verdict::failed);
    REQUIRE(report.cases[0].tensors.size() == 1);
    REQUIRE_FALSE(report.cases[0].explanations.empty());
    CHECK(report.cases[0].explanations[0].id == "lower-precision");
}

TEST_CASE("bare tensor names are for one case") {
    const Files files;
    const auto bare = [&](const std::string& name) {
        // The float64 bytes of out behind a header, as .safetensors.
        const auto values = files.cases[1].results.out->values();
        const std::string header = R"({"out":{"dtype":"F64","shape":[1,21,2,8],"data_offsets":[0,2688]}})";
        std::string bytes(8, '\0');
        bytes[0] = static_cast<char>(header.size());
        bytes += header;
        bytes.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
        dca::test::write_file(files.folder / name, bytes);
        return files.folder / name;
    };
    const std::string candidate = bare("out.safetensors");
    REQUIRE_THROWS_AS(run_compare(files.golden, candidate, {}), dca::FormatError);
    CHECK(run_compare(files.golden, candidate, only({"a2"})).verdict == Verdict::passed);
    CHECK(run_compare(files.golden, candidate, only({"a1"})).verdict == Verdict::failed);
}

TEST_CASE("an awkward file name is quoted in the command that repeats the result") {
    const Files files;
    const std::string golden = files.folder / "it's golden.h5";
    std::filesystem::copy_file(files.golden, golden);
    const RunReport report = run_compare(golden, files.golden, only({"a1"}));
    CHECK(report.cases[0].repro.find("it'\\''s golden.h5' ") != std::string::npos);
}

TEST_CASE("files that cannot be read as a whole throw") {
    const Files files;
    REQUIRE_THROWS_AS(run_compare(files.folder / "none.h5", files.golden, {}), dca::IoError);
    REQUIRE_THROWS_AS(run_compare(files.golden, files.folder / "none.h5", {}), dca::IoError);
    dca::test::write_file(files.folder / "text.h5", "this is no HDF5 file");
    REQUIRE_THROWS_AS(run_compare(files.golden, files.folder / "text.h5", {}), dca::FormatError);
    REQUIRE_THROWS_AS(run_compare(files.folder / "text.h5", files.golden, {}), dca::FormatError);
}

}  // namespace
