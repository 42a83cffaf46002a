// dca check-laws: exit statuses, messages and reports.
#include <nlohmann/json.hpp>

#include "golden/store.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/process.hpp"

namespace dca::test {
namespace {

const std::string text = "seq_q=40 heads_q=2 heads_kv=1 head_dim=16 C=12 w=4 dtype=bf16";

bool contains(const std::string& where, const std::string& what) {
    return where.find(what) != std::string::npos;
}

/// A golden file of the case, and the path to it.
struct Made {
    TemporaryFolder folder;
    std::string path = folder / "golden.h5";
    explicit Made(const std::string& more = "") {
        REQUIRE(run_dca("generate --case 'id=one " + text + more + "' -o " + path).status == 0);
    }
    [[nodiscard]] golden::CaseData read() const { return golden::FileReader(path).read("one"); }
    [[nodiscard]] std::string write(const char* name, const golden::CaseData& data) const {
        const std::string target = folder / name;
        golden::FileWriter writer(target);
        writer.write(data);
        writer.commit();
        return target;
    }
};

TEST_CASE("a golden file keeps the laws: status 0, and what they cannot see") {
    const Made made(" batch=3 linear_v=1");
    const Finished finished = run_dca("check-laws " + made.path + " --json " + made.folder / "laws.json");
    CAPTURE(finished.out, finished.err);
    CHECK(finished.status == 0);
    CHECK(finished.out.starts_with("PASSED: 1 case, every law that could be checked holds"));
    CHECK(contains(finished.out, "linear-in-v"));
    CHECK(contains(finished.out, "These laws cannot see:"));
    CHECK(contains(finished.out, "detached merge weights (H34)"));
    CHECK(contains(finished.out, "not checked: key-shift, every dim is rotated"));
    const auto json = nlohmann::json::parse(read_file(made.folder / "laws.json"));
    CHECK(json["schema"] == "dca-laws");
    CHECK(json["exit_status"] == 0);
    CHECK(json["cases"][0]["laws"].size() == 8);
    CHECK(json["cases"][0]["cannot_see"].size() > 3);
}

TEST_CASE("a broken law is status 1 and says which, where and by how much") {
    const Made made;
    golden::CaseData data = made.read();
    for (double& x : data.results.dv->values()) x *= 2;
    const Finished finished = run_dca("check-laws " + made.write("doubled.h5", data));
    CAPTURE(finished.out, finished.err);
    CHECK(finished.status == 1);
    CHECK(finished.out.starts_with("FAILED: 1 case, laws broken in 1"));
    CHECK(contains(finished.out, "sum-dv: sum of dv over keys = sum of dout over queries; off by"));
    CHECK(contains(finished.out, "channel "));
}

TEST_CASE("inputs may come from another file, by case id") {
    const Made made;
    golden::CaseData data = made.read();
    data.judge.reset();
    data.certificates.clear();
    const std::string own = made.write("candidate.h5", data);
    CHECK(run_dca("check-laws " + own + " --inputs " + made.path).status == 0);
    data.id = "other";
    const Finished other = run_dca("check-laws " + made.write("other.h5", data) + " --inputs " + made.path);
    CAPTURE(other.out, other.err);
    CHECK(other.status == 3);
    CHECK(contains(other.out, "case other has no inputs in"));
}

TEST_CASE("nothing to check is status 3, a broken file status 2") {
    const Made made;
    golden::CaseData data = made.read();
    data.results = {};
    data.judge.reset();
    data.certificates.clear();
    CHECK(run_dca("check-laws " + made.write("inputs.h5", data)).status == 3);
    const Finished none = run_dca("check-laws " + made.path + " --case nothing");
    CHECK(none.status == 3);
    CHECK(contains(none.out, "no case matches 'nothing'"));
    write_file(made.folder / "broken.h5", "not a tensor file");
    const Finished broken = run_dca("check-laws " + made.folder / "broken.h5");
    CHECK(broken.status == 2);
    CHECK(contains(broken.err, "broken.h5"));
    CHECK(run_dca("check-laws " + made.folder / "absent.h5").status == 2);
    CHECK(run_dca("check-laws " + made.path + " --json " + made.path).status == 2);
}

}  // namespace
}  // namespace dca::test
