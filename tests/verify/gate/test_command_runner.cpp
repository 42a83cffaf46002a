// External programs: whatever one does with its files is the result of one case.
#include <sys/stat.h>

#include "tests/support/catch.hpp"
#include "tests/support/process.hpp"
#include "tests/verify/gate/candidates.hpp"
#include "verify/gate/command_runner.hpp"
#include "verify/gate/run_gate.hpp"

using namespace dca;
using verify::Verdict;

namespace {

const std::string honest = test::program + " peer {input} -o {output}";

verify::CommandOptions shell(const std::string& command) {
    verify::CommandOptions options;
    options.command = command;
    options.shell = true;
    options.timeout = 60;
    return options;
}

verify::RunReport gate(const verify::CommandOptions& command,
                       std::vector<golden::CaseSpec> cases = test::cases_of({test::small_case})) {
    verify::CommandRunner runner(command);
    verify::GateOptions options;
    options.cases = std::move(cases);
    return run_gate(options, runner);
}

verify::CaseReport one(const std::string& command) {
    return gate(shell(command)).cases.at(0);
}

const auto two_cases = [] { return test::cases_of({test::small_case, test::other_case}); };

}  // namespace

TEST_CASE("An honest program passes, one process for a case or for all") {
    for (const bool batch : {false, true}) {
        for (const bool with_shell : {false, true}) {
            verify::CommandOptions command = shell(honest);
            command.batch = batch;
            command.shell = with_shell;
            command.jobs = 2;
            const auto report = gate(command, two_cases());
            CHECK(verify::exit_status(report.verdict) == 0);
            REQUIRE(report.cases.size() == 2);
            CHECK(report.cases[1].tensors.size() == 5);
            CHECK(report.cases[1].seconds > 0);
        }
    }
}

TEST_CASE("The program is given the inputs of the case alone") {
    const test::TemporaryFolder folder;
    verify::CommandOptions command = shell(honest);
    command.keep = folder / "kept";
    CHECK(verify::exit_status(gate(command, two_cases()).verdict) == 0);
    const golden::FileReader file(folder.path() / "kept" / "other" / "input.h5");
    CHECK(file.case_ids() == std::vector<std::string>{"other"});
    const golden::CaseData data = file.read("other");
    CHECK(data.inputs.dout.has_value());
    CHECK_FALSE(data.results.out.has_value());
    CHECK_FALSE(data.judge.has_value());
    CHECK(std::filesystem::exists(folder.path() / "kept" / "small" / "output.h5"));
    CHECK_THROWS_AS(gate(command, two_cases()), IoError);  // what was kept is not written over
}

TEST_CASE("Nothing of a case stays behind") {
    const test::TemporaryFolder folder;
    const auto finished = test::run_shell("TMPDIR='" + folder.path().string() + "' " + test::program +
                                          " gate --suite smoke --case ragged --command \"" + honest + "\"");
    CHECK(finished.status == 0);
    CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("A program that breaks breaks its case") {
    CHECK(one("kill -SEGV $$ # {input} {output}").reason.find("SIGSEGV") != std::string::npos);
    CHECK(one("echo no kernel >&2; exit 3 # {input} {output}").reason ==
          "the program exited with status 3; its last words: no kernel");
    // an output file beside an exit status that is not 0 counts for nothing
    const auto finished_badly = one(honest + "; exit 1");
    CHECK(finished_badly.verdict == Verdict::errored);
    CHECK(finished_badly.tensors.empty());
    verify::CommandOptions slow = shell("sleep 60 # {input} {output}");
    slow.timeout = 0.2;
    const auto report = gate(slow, two_cases());
    CHECK(report.cases.size() == 2);  // a hang is not the end of the gate
    CHECK(report.cases[0].reason == "the program did not end within 0.2 s and was killed");
    CHECK(verify::exit_status(report.verdict) == 2);
}

TEST_CASE("A missing, partial or nonsensical output breaks its case") {
    CHECK(one("true # {input} {output}").reason == "the program exited with status 0, but wrote no output file");
    CHECK(one("echo garbage > {output} # {input}").verdict == Verdict::errored);
    CHECK(one("mkdir {output} # {input}").reason == "output.h5: is not a regular file");
    CHECK(one("mkfifo {output} # {input}").reason == "output.h5: is not a regular file");
    CHECK(one("cp {input} {output}").reason == "output.h5: holds no output of case small");
    CHECK(one(honest + "; truncate -s -100 {output}").verdict == Verdict::errored);
    CHECK(one(honest + "; truncate -s 0 {output}").verdict == Verdict::errored);
}

TEST_CASE("The output of the case before is no output of this one") {
    const test::TemporaryFolder folder;
    const std::string stale = "'" + folder / "stale.h5" + "'";
    // The first case's file is given again for the second.
    const auto report = gate(shell("test -e " + stale + " || " + test::program + " peer {input} -o " + stale + "; cp " +
                                   stale + " {output}"),
                             two_cases());
    CHECK(report.cases[0].verdict == Verdict::passed);
    CHECK(report.cases[1].reason == "output.h5: holds no tensor of case other, but of case small");
    // And a program that writes once, under a fixed name, has no output in the second case's folder.
    const auto once = gate(shell("test -e " + stale + " && exit 0; " + honest), two_cases());
    CHECK(once.cases[0].reason.find("wrote no output file") != std::string::npos);
}

TEST_CASE("Status 77 says that a case is not supported") {
    const auto report = one("exit 77 # {input} {output}");
    CHECK(report.verdict == Verdict::skipped);
}

TEST_CASE("Folders with blanks and quotes do no harm") {
    const test::TemporaryFolder folder;
    const std::filesystem::path odd = folder.path() / "it's a \"folder\" $HOME";
    std::filesystem::create_directory(odd);
    for (const bool with_shell : {false, true}) {
        verify::CommandOptions command = shell(honest);
        command.shell = with_shell;
        command.keep = odd / (with_shell ? "a" : "b");
        CHECK(verify::exit_status(gate(command).verdict) == 0);
    }
}

TEST_CASE("A batch that breaks breaks every case") {
    verify::CommandOptions command = shell(honest + "; kill -ABRT $$");
    command.batch = true;
    const auto report = gate(command, two_cases());
    REQUIRE(report.cases.size() == 2);
    for (const auto& each : report.cases) CHECK(each.reason.find("SIGABRT") != std::string::npos);
    command.command = test::program + " peer {input} -o {output} --case small";
    const auto partial = gate(command, two_cases());
    CHECK(partial.cases[0].verdict == Verdict::passed);
    CHECK(partial.cases[1].reason == "output.h5: holds no tensor of case other, but of case small");
}

TEST_CASE("Tensors without a case are for one case alone") {
    const test::TemporaryFolder folder;
    const std::string header = R"({"out":{"dtype":"F32","shape":[1,13,2,8],"data_offsets":[0,832]}})";
    const std::string length{static_cast<char>(header.size()), 0, 0, 0, 0, 0, 0, 0};
    test::write_file(folder / "zeros", length + header + std::string(832, '\0'));
    verify::CommandOptions command = shell("cp '" + folder / "zeros" + "' {output}; : {input}");
    command.output_format = "safetensors";
    for (const auto& each : gate(command, two_cases()).cases)
        CHECK(each.verdict == Verdict::failed);  // zeros, but read
    command.batch = true;
    for (const auto& each : gate(command, two_cases()).cases) {
        CHECK(each.verdict == Verdict::errored);
        CHECK(each.reason.find("output.safetensors: its tensors name no case") == 0);
    }
    CHECK(gate(command).cases.front().verdict == Verdict::failed);
}

TEST_CASE("Commands that cannot be right are refused before anything runs") {
    CHECK_THROWS_AS(verify::CommandRunner(shell("prog {input}")), InvalidProblem);
    CHECK_THROWS_AS(verify::CommandRunner(shell("prog {output}")), InvalidProblem);
    verify::CommandOptions plain = shell("no-such-program-dca {input} {output}");
    plain.shell = false;
    CHECK_THROWS_AS(verify::CommandRunner(plain), IoError);
    plain.command = "{input} {output}";
    CHECK_THROWS_AS(verify::CommandRunner(plain), InvalidProblem);
    plain.command = "prog '{input} {output}";
    CHECK_THROWS_AS(verify::CommandRunner(plain), InvalidProblem);
}

TEST_CASE("Several programs run at a time, and the report is the same") {
    verify::CommandOptions command = shell("sleep 0.3; " + honest);
    command.jobs = 4;
    auto cases = test::cases_of({test::small_case, test::small_case, test::small_case, test::small_case});
    for (std::size_t i = 0; i < cases.size(); ++i) cases[i].id = "case_" + std::to_string(i);
    const auto report = gate(command, cases);
    CHECK(verify::exit_status(report.verdict) == 0);
    REQUIRE(report.cases.size() == 4);
    CHECK(report.cases[3].id == "case_3");
}

TEST_CASE("Stopping while a program runs takes the program along") {
    struct Stopped {};
    verify::CommandOptions command = shell("sleep 60 # {input} {output}");
    command.waiting = [] { throw Stopped{}; };
    CHECK_THROWS_AS(gate(command), Stopped);  // and returns at once: a minute would be noticed
}
