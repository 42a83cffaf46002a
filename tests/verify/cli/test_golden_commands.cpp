// generate, run and lint: complete files, the same bytes every time.
#include <cmath>

#include "golden/store.hpp"
#include "tests/verify/cli/support.hpp"

using namespace dca::test;

TEST_CASE("generate writes the same bytes every time and on any number of threads") {
    const TemporaryFolder folder;
    const auto generate = [&](const std::string& environment, const std::string& name) {
        require_success(
            run_shell(environment + " " + program + " generate --suite smoke -o " + shell_quoted(folder / name)));
        return read_file(folder / name);
    };
    const std::string first = generate("", "a.h5");
    CHECK(first == generate("", "b.h5"));
    CHECK(first == generate("OMP_NUM_THREADS=1", "c.h5"));
    CHECK(first == generate("OMP_NUM_THREADS=2", "d.h5"));
    const Finished lint = run_dca("lint " + shell_quoted(folder / "a.h5"));
    CAPTURE(lint.out);
    CHECK(lint.status == 0);
}

namespace {

/// Every expected tensor of the file has a radius that fits what it says of itself; how many are proven.
int count_proven(const std::string& path) {
    const dca::golden::FileReader reader(path);
    int proven = 0;
    for (const std::string& id : reader.case_ids()) {
        CAPTURE(id);
        const dca::golden::CaseData data = reader.read(id);
        REQUIRE(!data.certificates.empty());
        if (!data.chunk_summary) CHECK(data.certificates.size() == std::size_t{data.results.dq ? 5U : 2U});
        for (const auto& [tensor, certificate] : data.certificates) {
            CAPTURE(tensor);
            CHECK(certificate.proven == std::isfinite(certificate.error_radius));
            if (certificate.proven) CHECK(certificate.error_radius < 1e-6);  // a bound that says something
            proven += certificate.proven;
        }
        const bool dense = !data.chunk_summary && !data.problem.sparse_prefill();
        if (dense && data.problem.dialect == "exact") CHECK(data.certificates.at("out").proven);
    }
    return proven;
}

}  // namespace

TEST_CASE("every golden says how far it can be from the truth, proven where one softmax computes the definition") {
    const TemporaryFolder folder;
    const std::string smoke = folder / "smoke.h5", others = folder / "others.h5";
    require_success(run_dca("generate --suite smoke -o " + shell_quoted(smoke)));
    CHECK(count_proven(smoke) > 0);
    require_success(
        run_dca("generate --case 'id=c algorithm=chunk_summary seq_len=12 hidden=6 heads=2 chunk_size=4' "
                "--case 'id=d dialect=chunkllama seq_q=21 head_dim=8 chunk_size=7 local_size=2' "
                "--case 'id=s seq_q=12 head_dim=4 C=14 w=2 gradient=0 dialect_sparse_vertical_size=1 "
                "dialect_sparse_slash_size=2' -o " +
                shell_quoted(others)));
    CHECK(count_proven(others) == 0);
}

TEST_CASE("generate tells what it wrote and what it refused") {
    const TemporaryFolder folder;
    const std::string target = folder / "two.h5";
    const Finished made = run_dca("generate --case " + small_case +
                                  " --case 'id=bad seq_q=5 head_dim=8 chunk_size=4 local_size=4 expect=reject' -o " +
                                  shell_quoted(target));
    require_success(made);
    CHECK(made.out.rfind(target + ": 1 case, ", 0) == 0);
    CHECK(contains(made.out, "KiB; 1 case refused as it must be\n"));
    const dca::golden::FileReader reader(target);
    REQUIRE(reader.case_ids() == std::vector<std::string>{"small"});
    const dca::golden::CaseData data = reader.read("small");
    CHECK(data.results.out);
    CHECK(data.results.lse);
    CHECK(data.results.dq);
    CHECK(data.results.dk);
    CHECK(data.results.dv);
    CHECK(data.judge);
}

TEST_CASE("run gives the golden that generate gave for the same inputs") {
    const TemporaryFolder folder;
    require_success(run_dca("generate --case " + small_case + " -o " + shell_quoted(folder / "generated.h5")));
    const Finished made =
        run_dca("run " + shell_quoted(folder / "generated.h5") + " -o " + shell_quoted(folder / "run.h5"));
    require_success(made);
    CHECK(made.out.rfind(folder / "run.h5: 1 case, ", 0) == 0);
    CHECK(read_file(folder / "generated.h5") == read_file(folder / "run.h5"));
}

TEST_CASE("run computes the recorded inputs of every public implementation by the exact definition") {
    for (const char* name : {"megatron_pr4048", "megatron_bridge_pr4185", "chunkllama", "chunkqwen",
                             "chunkllama_flash_decoding", "vllm_fork", "vllm", "sglang"}) {
        CAPTURE(name);
        const TemporaryFolder folder;
        const Finished source = run_dca("lint " + recording(name));
        CAPTURE(source.out);
        CHECK(source.status == 0);
        require_success(
            run_dca("run " + recording(name) + " --dialect exact -o " + shell_quoted(folder / "golden.h5")));
        const Finished lint = run_dca("lint " + shell_quoted(folder / "golden.h5"));
        CAPTURE(lint.out);
        CHECK(lint.status == 0);
    }
}

TEST_CASE("run computes only the cases asked for, and keeps no word about recorded results") {
    const TemporaryFolder folder;
    require_success(run_dca("run " + recording("megatron_pr4048") + " --dialect exact --case 'meg_yarn*' -o " +
                            shell_quoted(folder / "yarn.h5")));
    const dca::golden::FileReader reader(folder / "yarn.h5");
    REQUIRE(reader.case_ids() == std::vector<std::string>{"meg_yarn4", "meg_yarn40_inv"});
    const dca::golden::CaseData data = reader.read("meg_yarn4");
    CHECK(data.problem.dialect == "exact");
    CHECK(data.provenance.count("source") == 1);
    CHECK(data.provenance.count("gradient") == 0);
    CHECK(data.provenance.count("measured_max_abs") == 0);
    CHECK(data.dialect_facts.empty());
}
