// Every recording, run in the dialect its file names and judged like any candidate.
#include "golden/store.hpp"
#include "reference/forward.hpp"
#include "tests/verify/cli/support.hpp"

using namespace dca::test;

TEST_CASE("every recording passes as a candidate of its own dialect") {
    int cases = 0;
    for (const char* name : {"megatron_pr4048", "megatron_bridge_pr4185", "chunkllama", "chunkqwen",
                             "chunkllama_flash_decoding", "vllm_fork", "vllm", "sglang"}) {
        CAPTURE(name);
        const TemporaryFolder folder;
        const std::string golden = shell_quoted(folder / "golden.h5");
        require_success(run_dca("run " + recording(name) + " -o " + golden));
        const Finished verdict = run_dca("compare " + golden + " " + recording(name));
        INFO(verdict.out);
        CHECK(verdict.status == 0);
        CHECK(verdict.out.rfind("PASSED: ", 0) == 0);
        const dca::golden::FileReader reader(folder / "golden.h5");
        for (const std::string& id : reader.case_ids()) CHECK(reader.read(id).problem.dialect == name);
        cases += static_cast<int>(reader.case_ids().size());
    }
    CHECK(cases == 100);
}

TEST_CASE("the facts of a dialect go into the golden file, and change nothing of exact") {
    const TemporaryFolder folder;
    const std::string golden = shell_quoted(folder / "golden.h5");
    require_success(run_dca("run " + recording("vllm") + " --case vllm_packed -o " + golden));
    const auto data = dca::golden::FileReader(folder / "golden.h5").read("vllm_packed");
    CHECK(data.problem.facts.prompt_length == std::vector<std::int64_t>{27, 5, 14});
    CHECK(data.problem.facts.original_max_position_embeddings == 12);
    require_success(run_dca("run " + recording("vllm") + " --case vllm_packed --dialect exact -o " + golden));
    auto exact = dca::golden::FileReader(folder / "golden.h5").read("vllm_packed");
    CHECK(exact.problem.facts == data.problem.facts);
    // They stay, so that a failing candidate can be recomputed under the dialects that need them.
    exact.problem.facts = {};
    CHECK(dca::reference::forward(exact.problem, exact.inputs).out.values()[0] == exact.results.out->values()[0]);
}

TEST_CASE("another dialect is another answer: vllm's recordings fail as sglang once tokens were generated") {
    const TemporaryFolder folder;
    const std::string golden = shell_quoted(folder / "golden.h5");
    require_success(run_dca("run " + recording("vllm") + " --dialect sglang -o " + golden));
    CHECK(run_dca("compare " + golden + " " + recording("vllm") + " --case vllm_scaled").status == 0);
    CHECK(run_dca("compare " + golden + " " + recording("vllm") + " --case vllm_scaled_a_decode").status == 1);
}

TEST_CASE("generate makes cases of any dialect from a line of text") {
    const TemporaryFolder folder;
    const std::string golden = shell_quoted(folder / "golden.h5");
    require_success(
        run_dca("generate -o " + golden +
                " --case 'id=a seq_q=40 head_dim=8 chunk_size=9 local_size=3 dialect=chunkllama dtype=bf16 "
                "dialect_max_position_embeddings=16 dialect_max_seen_length=64'"
                " --case 'id=b seq_q=3 seq_k=40 head_dim=8 chunk_size=9 local_size=3 dialect=sglang "
                "dialect_phase=decode dialect_prompt_length=30 dialect_original_max_position_embeddings=8'"));
    CHECK(run_dca("lint " + golden).status == 0);
    CHECK(run_dca("compare " + golden + " " + golden).status == 0);
    check_refused(run_dca("generate -o " + golden +
                          " --case 'id=c seq_q=5 head_dim=8 chunk_size=6 local_size=2 dialect=megatron_pr4048'"),
                  "case c: dialect megatron_pr4048 cannot run this: index out of range");
}
