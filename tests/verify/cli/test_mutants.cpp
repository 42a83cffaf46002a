// dca mutants, the kills of cases in listings and in golden files.
#include <nlohmann/json.hpp>

#include "golden/store.hpp"
#include "tests/verify/cli/support.hpp"

using namespace dca;
using namespace dca::test;

namespace {

const std::string text =
    "id=mine seq_q=33 heads_q=4 heads_kv=2 head_dim=16 chunk_size=12 local_size=4 dtype=bf16 seed=3";

}  // namespace

TEST_CASE("dca mutants says what was killed, and exits by it") {
    const TemporaryFolder folder;
    const std::string mine = "mutants --text " + shell_quoted(text) + " --dtype own ";
    const Finished killed = run_dca(mine + "--mutant detached-merge --named --json " + shell_quoted(folder / "m.json"));
    require_success(killed);
    CHECK(contains(killed.out, "killed in   1 of   1"));
    CHECK(contains(killed.out, "; named detached-merge"));
    CHECK(contains(killed.out, "honest peer, modes apart: 0 of 1 cases failed"));
    const auto json = nlohmann::json::parse(read_file(folder / "m.json"));
    CHECK(json["schema"] == "dca-kill-matrix");
    CHECK(json["cases"][0]["id"] == "mine");
    CHECK(json["cases"][0]["mutants"]["detached-merge"]["killed"] == true);
    CHECK(json["named"][0]["named"] == true);

    // 1 % of D is less than the noise of bf16 here: missed, and no known limit.
    const Finished missed = run_dca(mine + "--mutant delta-one-percent");
    CHECK(missed.status == 1);
    CHECK(contains(missed.out, "MISSED in   0 of   1"));
    const Finished nothing = run_dca(mine + "--mutant mscale-once");
    CHECK(nothing.status == 3);
    CHECK(contains(nothing.out, "no case applies"));

    check_refused(run_dca(mine + "--mutant no-such-*"), "none matches 'no-such-*'");
    check_refused(run_dca("mutants --suite smoke --case no-such-*"), "no case matches 'no-such-*'");
    check_refused(run_dca("mutants --dtype f12"), "'f12' is not a dtype");
    check_refused(run_dca("mutants --suite nosuch"), "nosuch");
}

TEST_CASE("a suite's case carries the mutants it kills into its golden file, and dca run keeps them") {
    const TemporaryFolder folder;
    require_success(run_dca("generate --suite smoke -o " + shell_quoted(folder / "smoke.h5")));
    require_success(run_dca("lint " + shell_quoted(folder / "smoke.h5")));
    require_success(run_dca("run " + shell_quoted(folder / "smoke.h5") + " -o " + shell_quoted(folder / "again.h5")));
    const Finished listed = run_dca("list cases --suite smoke -v");
    require_success(listed);
    for (const char* name : {"smoke.h5", "again.h5"}) {
        const golden::FileReader reader(folder / name);
        CHECK(reader.case_ids().size() >= 14);
        for (const std::string& id : reader.case_ids()) {
            INFO(name << " " << id);
            const golden::CaseData data = reader.read_head(id);
            REQUIRE(data.provenance.contains("kills"));
            const auto kills = std::get<std::string>(data.provenance.at("kills"));
            CHECK(contains(kills, "zeros="));
            CHECK(contains(listed.out, kills));
        }
    }
    // A case of one's own says nothing, and that is no fault.
    require_success(run_dca("generate --case " + shell_quoted(text) + " -o " + shell_quoted(folder / "mine.h5")));
    CHECK_FALSE(golden::FileReader(folder / "mine.h5").read_head("mine").provenance.contains("kills"));
    require_success(run_dca("lint " + shell_quoted(folder / "mine.h5")));
}
