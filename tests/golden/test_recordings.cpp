// The recordings of public implementations follow the schema: 8 files, 100 cases.
#include "golden/lint.hpp"
#include "golden/store.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using namespace dca::golden;

TEST_CASE("all recordings are clean and can be read") {
    std::size_t files = 0, cases = 0, packed = 0, gradients = 0;
    for (const char* name : {"chunkllama", "chunkllama_flash_decoding", "chunkqwen", "megatron_bridge_pr4185",
                             "megatron_pr4048", "sglang", "vllm", "vllm_fork"}) {
        const std::filesystem::path path =
            std::filesystem::path(DCA_SOURCE_DIR) / "tests/recordings" / (name + std::string(".h5"));
        CAPTURE(path.string());
        const LintReport report = lint(path);
        for (const Finding& finding : report.findings) {
            CAPTURE(finding.where, finding.message);
            CHECK(finding.level == Finding::Level::note);
            CHECK(finding.where.find("attribute dialect_") != std::string::npos);
        }
        CHECK(report.ok());
        const FileReader reader(path);
        CHECK(reader.case_ids().size() == report.cases);
        for (const std::string& id : reader.case_ids()) {
            const CaseData data = reader.read(id);
            CHECK(data.problem.dialect == name);
            CHECK(data.results.out.has_value());
            CHECK_FALSE(data.results.lse.has_value());
            CHECK_FALSE(data.judge.has_value());
            CHECK(data.provenance.contains("source"));
            packed += data.problem.packed() ? 1 : 0;
            gradients += data.inputs.dout && data.results.dq && data.results.dk && data.results.dv ? 1 : 0;
        }
        cases += report.cases;
        ++files;
    }
    CHECK(files == 8);
    CHECK(cases == 100);
    CHECK(packed == 7);
    CHECK(gradients == 56);
}

TEST_CASE("attributes of a recording arrive in the problem") {
    const FileReader reader(std::filesystem::path(DCA_SOURCE_DIR) / "tests/recordings/megatron_pr4048.h5");
    const CaseData data = reader.read("meg_partial_yarn");
    CHECK(data.problem.shape == Shape{1, 33, 33, 1, 1, 32, 32});
    CHECK(data.problem.chunk == ChunkConfig{12, 4});
    CHECK(data.problem.dtype == Dtype::f32);
    CHECK(data.problem.rope.scaling == RopeScaling::yarn);
    CHECK(data.problem.rope.rotary_dim == 16);
    CHECK(data.problem.rope.factor == 4.0);
    CHECK(data.problem.rope.original_max_position == 32.0);
    CHECK(data.problem.query_offset == 0);
    CHECK(std::get<std::string>(data.provenance.at("gradient")) == "detached_merge");
    CHECK(data.problem.facts.path == MegatronPath::unfused);
    CHECK(data.dialect_facts.contains("dialect_concentration_factor"));  // no dialect uses it
    const CaseData packed =
        FileReader(std::filesystem::path(DCA_SOURCE_DIR) / "tests/recordings/vllm.h5").read("vllm_packed");
    CHECK(packed.problem.facts.phase == Phase::prefill);
    CHECK(packed.problem.facts.prompt_length == std::vector<std::int64_t>{27, 5, 14});
    CHECK(packed.problem.facts.original_max_position_embeddings == 12);
}
