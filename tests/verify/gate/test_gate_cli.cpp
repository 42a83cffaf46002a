// dca gate as a user meets it: exit status, one line on stderr, reports, and commands that show a failure again.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/support/catch.hpp"
#include "tests/support/process.hpp"

using dca::test::Finished;
using dca::test::program;
using dca::test::run_dca;
using dca::test::run_shell;
using dca::test::TemporaryFolder;

namespace {

const std::string smoke = "gate --suite smoke ";

/// An error of the user: exit 2, nothing on stdout, one line on stderr that says this.
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

std::vector<std::string> listed(const std::string& arguments) {
    std::vector<std::string> ids;
    std::istringstream lines(run_dca("gate --list " + arguments).out);
    for (std::string line; std::getline(lines, line);) ids.push_back(line.substr(0, line.find('\t')));
    return ids;
}

/// The first command of a report that shows a case again.
std::string repro(const std::string& out) {
    const std::string mark = "repeat with: dca ";
    const std::size_t at = out.find(mark);
    REQUIRE(at != std::string::npos);
    return program + " " + out.substr(at + mark.size(), out.find('\n', at) - at - mark.size());
}

}  // namespace

TEST_CASE("Exit status of the gate") {
    CHECK(run_dca(smoke + "--candidate peer").status == 0);
    const Finished reference = run_dca(smoke + "--candidate reference");
    CHECK(reference.status == 0);
    CHECK(reference.out.find("checks the gate, and says nothing of any kernel") != std::string::npos);
    const Finished mutant = run_dca(smoke + "--candidate mutant:detached-merge --fail-fast");
    CHECK(mutant.status == 1);
    CHECK(mutant.out.find("detached-merge") != std::string::npos);
    CHECK(run_dca(smoke + "--command 'true {input} {output}'").status == 2);
    CHECK(run_dca(smoke + "--tag reject --candidate peer").status == 3);  // nothing judged
    CHECK(run_dca(smoke + "--case 'no*' --candidate peer").status == 3);
    CHECK(run_dca(smoke + "--case packed --case 'no*' --candidate peer").status == 3);
    CHECK(run_dca(smoke + "--dtype tf32 --candidate peer").status == 3);
    // gradients of every case asked for: decode_row has none
    CHECK(run_dca(smoke + "--case packed --tensor dk --candidate peer").status == 0);
}

TEST_CASE("What cannot be meant is refused in one line") {
    check_refused("gate --candidate peer", "either --suite or --case-text");
    check_refused("gate --suite smoke --case-text 'seq_q=3 head_dim=8 C=3 w=1' --candidate peer", "either --suite");
    check_refused(smoke, "either --candidate or --command");
    check_refused(smoke + "--candidate peer --command 'x {input} {output}'", "--candidate excludes --command");
    check_refused(smoke + "--candidate peer --timeout 3", "--timeout requires --command");
    check_refused(smoke + "--candidate nobody", "there is no candidate 'nobody'");
    if (run_dca("list candidates").out.find("cuda: this project's kernels on a GPU (not here: ") != std::string::npos) {
        check_refused(smoke + "--candidate cuda", "candidate cuda: ");
    }
    check_refused(smoke + "--candidate mutant:nobody", "there is no mutant 'nobody'");
    check_refused(smoke + "--candidate peer --tag pakced", "did you mean packed?");
    check_refused(smoke + "--candidate peer --seed 3x", "--seed: '3x'");
    check_refused(smoke + "--candidate peer --seed -3", "--seed: '-3'");
    check_refused(smoke + "--candidate peer --shard 3/2", "--shard: '3/2'");
    check_refused(smoke + "--candidate peer --today 1.1.2027", "--today");
    check_refused(smoke + "--candidate peer --waivers /nowhere.json", "/nowhere.json");
    check_refused(smoke + "--candidate peer --json /nowhere/x.json", "/nowhere");
    check_refused(smoke + "--command 'no-such-program-dca {input} {output}'", "no-such-program-dca");
    check_refused("gate --suite nothing --candidate peer", "there is no suite 'nothing'");
    check_refused("gate --case-text 'seq_q=3 head_dim=8 C=3 w=3' --candidate peer", "local_size");
    check_refused("gate --case-text 'seq_q=64 head_dim=8 C=8 w=2 sample=8' --candidate peer", "no sampled cases");
}

TEST_CASE("A failing case prints the command that shows it again") {
    const std::string mutant = smoke + "--case packed --candidate mutant:dq-unscaled --seed 5";
    const Finished first = run_dca(mutant);
    CHECK(first.status == 1);
    const Finished again = run_shell(repro(first.out));
    CHECK(again.status == 1);
    // all but the first two lines, which name the source: the same numbers
    const auto body = [](const std::string& out) {
        return out.substr(out.find("\nfailed "), out.find("note:") - out.find("\nfailed "));
    };
    CHECK(body(again.out) == body(first.out));
    CHECK(body(run_dca(mutant + "6").out) != body(first.out));

    const Finished broken = run_dca(
        smoke + "--case packed --shell --name 'my kernel' --command 'echo \"it'\\''s\"; exit 4 # {input} {output}'");
    CHECK(broken.status == 2);
    CHECK(broken.out.find("candidate my kernel") != std::string::npos);
    const Finished again_broken = run_shell(repro(broken.out));
    CHECK(again_broken.out.find("status 4; its last output: it's") != std::string::npos);
}

TEST_CASE("The list of a run and its shards") {
    const std::vector<std::string> all = listed("--suite ci");
    const std::string known = run_dca("list cases --suite ci").out;
    CHECK(all.size() == static_cast<std::size_t>(std::count(known.begin(), known.end(), '\n')));
    CHECK(all.size() > 50);
    std::multiset<std::string> shards;
    for (const char* shard : {"1/3", "2/3", "3/3"}) {
        for (const std::string& id : listed(std::string("--suite ci --shard ") + shard)) shards.insert(id);
    }
    CHECK(shards == std::multiset<std::string>(all.begin(), all.end()));
    CHECK(listed("--suite ci --tag packed --dtype bf16") == std::vector<std::string>{"packed_gqa_chunk_means"});
    const Finished none = run_dca("gate --suite ci --list --case none");
    CHECK(none.status == 3);
    CHECK(none.err == "dca: no case matches 'none'\n");
    const Finished text = run_dca("gate --list --case-text 'id=one seq_q=3 head_dim=8 C=3 w=1'");
    CHECK(text.out.find("one\tsucc,") == 0);
    CHECK(text.status == 0);
}

TEST_CASE("A dry run predicts and runs nothing") {
    const Finished finished = run_dca(smoke + "--dry-run --command 'false {input} {output}'");
    CHECK(finished.status == 0);
    CHECK(finished.out.find("\n14 cases ") != std::string::npos);
    CHECK(finished.out.find("A prediction; nothing was run.") != std::string::npos);
    CHECK(finished.out.find("12 cases must be rejected") != std::string::npos);
}

TEST_CASE("Every report is written, from one run") {
    const TemporaryFolder folder;
    const Finished finished = run_dca(smoke + "--case packed --case ragged --candidate mutant:detached-merge --json '" +
                                      folder / "r.json" + "' --junit '" + folder / "r.xml" + "' --markdown '" +
                                      folder / "r.md" + "' --html '" + folder / "r.html" + "'");
    CHECK(finished.status == 1);
    const auto json = nlohmann::json::parse(dca::test::read_file(folder / "r.json"));
    CHECK(json["candidate"] == "mutant:detached-merge");
    CHECK(json["cases"].size() == 2);
    for (const char* name : {"r.xml", "r.md", "r.html"}) {
        CHECK(dca::test::read_file(folder / name).find("detached-merge") != std::string::npos);
    }
}

TEST_CASE("Waivers on the command line") {
    const TemporaryFolder folder;
    dca::test::write_file(folder / "w.json",
                          R"({"waivers": [{"issue": "#9", "reason": "merge weights", "case": "packed",
        "candidate": "mutant:detached-merge", "tensor": ["dq", "dk"], "expires": "2027-01-31"}]})");
    const std::string run =
        smoke + "--case packed --candidate mutant:detached-merge --waivers '" + folder / "w.json" + "' --today ";
    CHECK(run_dca(run + "2027-01-31").status == 3);
    CHECK(run_dca(run + "2027-02-01").status == 1);
    CHECK(run_dca(smoke + "--candidate peer --waivers '" + folder / "w.json" + "'").status == 0);
}

TEST_CASE("Fresh seeds are said, and repeat") {
    const Finished random = run_dca(smoke + "--case packed --candidate peer --seed random");
    CHECK(random.status == 0);
    const std::string mark = "repeat this run with --seed ";
    const std::size_t at = random.out.find(mark);
    REQUIRE(at != std::string::npos);
    const std::string seed = random.out.substr(at + mark.size(), random.out.find('\n', at) - at - mark.size());
    CHECK(run_dca(smoke + "--case packed --candidate peer --seed " + seed).out == random.out);
}

TEST_CASE("An interrupted gate takes its program along and leaves no file") {
    const TemporaryFolder folder;
    const std::string gate = "TMPDIR='" + folder.path().string() + "' exec " + program + " " + smoke + "--json '" +
                             folder / "r.json" + "' --shell --command 'echo $$ > \"" + folder / "pid" +
                             "\"; sleep 60; : {input} {output}'";
    const Finished finished = run_shell("(" + gate + ") & gate=$!; until test -s '" + folder / "pid" +
                                        "'; do sleep 0.05; done; kill -TERM $gate; "
                                        "wait $gate; status=$?; kill -0 $(cat '" +
                                        folder / "pid" + "') && echo alive; exit $status");
    CHECK(finished.status == 128 + 15);
    CHECK(finished.out.empty());
    std::filesystem::remove(folder / "pid");
    CHECK(std::filesystem::is_empty(folder.path()));
}
