// Exit status and form of the output of everything that needs no tensor file.
#include <nlohmann/json.hpp>

#include "tests/verify/cli/support.hpp"

using namespace dca::test;

TEST_CASE("help and version go to stdout with status 0") {
    const Finished help = run_dca("--help");
    require_success(help);
    for (const char* command : {"run", "generate", "compare", "positions", "list", "lint", "bench"}) {
        CAPTURE(command);
        CHECK(contains(help.out, command));
        const Finished of_command = run_dca(std::string(command) + " --help");
        require_success(of_command);
        CHECK(!of_command.out.empty());
    }
    const Finished version = run_dca("--version");
    require_success(version);
    CHECK(version.out.rfind("dca 0.", 0) == 0);
}

TEST_CASE("usage errors are one line and status 2") {
    check_refused(run_dca(""), "no command given");
    check_refused(run_dca("frobnicate"), "frobnicate");
    check_refused(run_dca("run"), "INPUT");
    check_refused(run_dca("run in.h5"), "--output");
    check_refused(run_dca("run in.h5 -o out.h5 --frob"), "--frob");
    check_refused(run_dca("generate -o out.h5"), "--suite");
    check_refused(run_dca("generate --suite smoke --case 'seq_q=1' -o out.h5"), "--case");
    check_refused(run_dca("compare golden.h5"), "CANDIDATE");
    check_refused(run_dca("compare golden.h5 candidate.h5 --tensor dz"), "dz");
    check_refused(run_dca("compare golden.h5 candidate.h5 --pdf page.pdf"), "--pdf");
    check_refused(run_dca("list"), "list needs one of");
    check_refused(run_dca("list planets"), "planets");
    check_refused(run_dca("bench --repeats 0"), "--repeats");
    check_refused(run_dca("bench --seq-len 512 --memory 512"), "--memory");
    check_refused(run_dca("bench --seq-len 0 --repeats 1"), "seq_q");
}

TEST_CASE("list tells what there is") {
    const Finished suites = run_dca("list suites");
    require_success(suites);
    CHECK(contains(suites.out, "smoke: "));
    CHECK(contains(suites.out, "ci: "));

    const Finished cases = run_dca("list cases --suite smoke");
    require_success(cases);
    CHECK(contains(cases.out, " head_dim="));
    CHECK(!contains(cases.out, "ci\t"));
    check_refused(run_dca("list cases --suite nosuch"), "nosuch");

    const Finished dialects = run_dca("list dialects");
    require_success(dialects);
    CHECK(dialects.out.rfind("exact", 0) == 0);

    const Finished candidates = run_dca("list candidates");
    require_success(candidates);
    CHECK(contains(candidates.out, "peer: an honest flash-style kernel"));

    const Finished mutants = run_dca("list mutants");
    require_success(mutants);
    CHECK(contains(mutants.out, "detached-merge: "));
}

TEST_CASE("every listed case text can be generated again") {
    const TemporaryFolder folder;
    const Finished cases = run_dca("list cases --suite smoke");
    require_success(cases);
    const std::string first = cases.out.substr(0, cases.out.find('\n'));
    const std::string text = first.substr(first.rfind('\t') + 1);
    CAPTURE(text);
    require_success(run_dca("generate --case " + shell_quoted(text) + " -o " + shell_quoted(folder / "one.h5")));
}

TEST_CASE("output that cannot be written is an error, not silence") {
    for (const char* command : {"list cases", "--help", "positions --chunk-size 6 --local-size 2 --seq-len 12",
                                "positions --chunk-size 6 --local-size 2 --seq-len 3000 --format csv"}) {
        CAPTURE(command);
        check_refused(run_dca(std::string(command) + " >/dev/full"), "standard output");
        check_refused(run_dca(std::string(command) + " >&-"), "standard output");
    }
}

TEST_CASE("bench prints the machine, both passes and the ratio to plain attention") {
    const Finished bench = run_dca("bench --seq-len 512 --head-dim 32 --repeats 1 --threads 1");
    require_success(bench);
    for (const char* words :
         {"machine   ", "1 thread, ", "FMA peak  ", "GFLOP/s", "chunk_size 128, local_size 16", "forward   dual chunk",
          "forward   plain causal", "backward  dual chunk", "backward  plain causal", "of peak",
          "dual chunk / plain causal", "ns per element: ", "ulp, worst: "}) {
        CAPTURE(bench.out, words);
        CHECK(contains(bench.out, words));
    }
    const Finished json = run_dca("bench --seq-len 512 --head-dim 32 --repeats 2 --threads 1 --json");
    require_success(json);
    const auto figures = nlohmann::json::parse(json.out);
    CHECK(figures.at("chunk_size") == 128);
    for (const char* pass : {"forward", "backward"}) {
        const auto& seconds = figures.at(pass).at("dual_chunk_seconds");
        CHECK(seconds.at("min").get<double>() > 0);
        CHECK(seconds.at("min").get<double>() <= seconds.at("median").get<double>());
        CHECK(seconds.at("median").get<double>() <= seconds.at("max").get<double>());
    }
    for (const auto& figure : figures.at("figures")) {
        if (figure.at("name") == "exp error") CHECK(figure.at("value").at("max").get<double>() <= 0.6);
    }
    const Finished memory = run_dca("bench --memory 512 --head-dim 32");
    require_success(memory);
    CHECK(contains(memory.out, "peak resident memory "));
}
