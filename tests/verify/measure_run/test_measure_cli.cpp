// dca measure as a user meets it. Verdicts are asked of memory and counts, which no other process disturbs.
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/process.hpp"

using dca::test::Finished;
using dca::test::run_dca;
using dca::test::TemporaryFolder;
using nlohmann::json;

namespace {

const std::string small =
    "measure --candidate reference --n 256..1100*1.5 --chunk-size 64 --head-dim 16 --memory-only ";

void check_refused(const std::string& arguments, const std::string& text) {
    CAPTURE(arguments);
    const Finished finished = run_dca(arguments);
    CHECK(finished.status == 2);
    CHECK(finished.out.empty());
    CAPTURE(finished.err);
    CHECK(finished.err.find("dca: ") == 0);
    CHECK(finished.err.find(text) != std::string::npos);
    CHECK(finished.err.find('\n') == finished.err.size() - 1);
}

std::string double_command(const std::string& name) {
    return " --name mine --command '" DCA_MEASURE_DOUBLE " " + name + " {n} {input} {output}' ";
}

}  // namespace

TEST_CASE("exit status of measure: the verdicts on its claims") {
    const Finished plain = run_dca(small);
    CHECK(plain.status == 0);
    CHECK(plain.out.find("MEASURED: 1 ladder, 4 sizes measured\n") == 0);
    CHECK(plain.err.empty());  // no progress in a pipe
#ifdef DCA_ALLOCATION_HOOK
    CHECK(run_dca(small + "--claim 'memory <= O(n)'").status == 0);
    const Finished failed = run_dca(small + "--claim 'memory <= O(n)' --claim 'memory <= 1 B/token'");
    CHECK(failed.status == 1);
    CHECK(failed.out.find("FAILED: ") == 0);
#endif
    CHECK(run_dca(small + "--claim 'elements <= O(n)'").status == 1);
    CHECK(run_dca(small + "--claim 'elements <= O(n^2)'").status == 0);
    const Finished open = run_dca(
        "measure --candidate reference --n 256 --chunk-size 64 --head-dim 16 --memory-only "
        "--claim 'memory <= O(n)'");
    CHECK(open.status == 3);
    CHECK(open.out.find("would be decided by") != std::string::npos);
}

TEST_CASE("what measure refuses") {
    check_refused("measure", "--candidate or --command");
    check_refused("measure --n 64", "--candidate or --command");
    check_refused("measure --candidate reference", "--n");
    check_refused("measure --candidate refrence --n 64", "did you mean reference?");
    check_refused("measure --candidate cuda --n 64", "candidate cuda: not available here");
    check_refused("measure --candidate three_call --pass backward --n 64", "no backward pass");
    check_refused("measure --candidate reference --n 64..32", "--n: '64..32' ends below where it begins");
    check_refused("measure --candidate reference --n 64 --chunk-size 8 --local-size 8", "");
    check_refused("measure --candidate reference --n 64 --dtype f12", "f12");
    check_refused("measure --candidate reference --n 64 --claim 'memory < O(n)'", "");
    check_refused("measure --candidate reference --n 64 --claims /nowhere/claims.toml", "--claims");
    check_refused("measure --claims /nowhere/claims.toml", "/nowhere/claims.toml");
    check_refused("measure --candidate reference --candidate reference --n 64",
                  "two candidates are called 'reference'");
    check_refused("measure --command 'true {input}' --n 64", "{output}");
    check_refused("measure --command 'no-such-program {input} {output}' --n 64", "no-such-program");
    check_refused(small + "--json /nowhere/report.json", "/nowhere/report.json");
    check_refused(small + "--json /tmp/same --html /tmp/same", "two reports cannot go to one file");
    check_refused("measure --predict 'n=1M heads=7 kv_heads=2'", "");
}

TEST_CASE("a candidate that breaks: what there is is shown, one line says how, and nothing passes") {
    const Finished broken = run_dca("measure --n 64 --memory-only --claim 'memory <= 1 GiB'" + double_command("fails"));
    CHECK(broken.status == 2);
    CHECK(broken.out.find("ERROR: ") == 0);
    CHECK(broken.err.find("dca: candidate mine at n = 64: the program exited with status 5") == 0);
    CHECK(broken.err.find('\n') == broken.err.size() - 1);
}

TEST_CASE("a program of somebody else's that holds n^2 bytes is caught") {
    // From 16 to 130 MiB, well above what a process has resident anyway.
    const Finished caught = run_dca("measure --n 4000..11500*1.3 --head-dim 4 --memory-only --claim 'memory <= O(n)'" +
                                    double_command("square"));
    CHECK(caught.status == 1);
    CHECK(caught.out.find("getrusage") != std::string::npos);
}

TEST_CASE("reports of a real run: JSON follows its schema, all are written") {
    const TemporaryFolder folder;
    const Finished finished = run_dca(
        "measure --candidate reference --candidate plain_causal --n 64..220*1.5 --chunk-size 16,32 --head-dim 8 "
        "--repeats 6 --seconds 1 --claim 'ratio(elements, plain_causal) <= 1.0' --json " +
        folder / "m.json" + " --junit " + folder / "m.xml" + " --markdown " + folder / "m.md" + " --html " +
        folder / "m.html");
    CHECK(finished.status != 2);
    std::ifstream file(DCA_SOURCE_DIR "/docs/measure.schema.json");
    const dca::test::JsonSchema schema(json::parse(file), true);
    const json report = json::parse(dca::test::read_file(folder / "m.json"));
    const std::vector<std::string> violations = schema.violations(report);
    CAPTURE(violations.empty() ? "" : violations.front());
    CHECK(violations.empty());
    CHECK(report["exit_status"] == finished.status);
    REQUIRE(report["ladders"].size() == 2);
    CHECK(report["ladders"][0]["points"].size() == 8);  // four lengths, two chunk sizes
    for (const json& point : report["ladders"][0]["points"]) {
        CHECK(point["repeats"].size() == 6);
        const json& pairs = point["elements"];
        const auto n = point["n"].get<std::int64_t>();
        CHECK(pairs["intra"].get<std::int64_t>() + pairs["succ"].get<std::int64_t>() +
                  pairs["inter"].get<std::int64_t>() ==
              n * (n + 1) / 2);
    }
    CHECK(report["command"].get<std::string>().find("dca measure --candidate reference") == 0);
    CHECK(dca::test::read_file(folder / "m.xml").find("<testsuites>") != std::string::npos);
    CHECK(dca::test::read_file(folder / "m.md").find("## ") == 0);
    CHECK(dca::test::read_file(folder / "m.html").find("<!DOCTYPE html>") == 0);
}

TEST_CASE("measure --predict prints a table") {
    const Finished table = run_dca("measure --predict 'n=128K C=8K w=1K layers=32'");
    CHECK(table.status == 0);
    CHECK(table.out.find("| fused DCA |") != std::string::npos);
    CHECK(table.err.empty());
}
