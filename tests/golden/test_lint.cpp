// lint collects every finding where the reader stops at the first.
#include "golden/lint.hpp"

#include <algorithm>
#include <cmath>

#include "golden/store.hpp"
#include "tests/golden/sample_case.hpp"
#include "tests/golden/scratch_folder.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using namespace dca::golden;
using namespace dca::test;

namespace {

std::vector<std::string> lines(const LintReport& report) {
    std::vector<std::string> out;
    for (const Finding& finding : report.findings) {
        const std::string level = finding.level == Finding::Level::error ? "error" : "note";
        out.push_back(level + " | " + finding.where + " | " + finding.message);
    }
    return out;
}

}  // namespace

TEST_CASE("lint finds all faults of all cases at once") {
    const ScratchFolder folder;
    const std::filesystem::path path = folder / "a.h5";
    write_file(path,
               {sample_case("id=a seq_q=5 head_dim=4 C=3 w=1 dtype=bf16"),
                sample_case("id=b seq_q=5 head_dim=4 C=3 w=1"), sample_case("id=clean seq_q=5 head_dim=4 C=3 w=1")});
    edit(path, [](hid_t f) {
        set_attribute(f, "a", "rope_bas", 1e4);
        set_attribute(f, "a", "local_size", std::int64_t{3});
        remove_attribute(f, "a", "chunk_size");
        std::vector<double> q(20, 1.0);
        q[3] = 0.1;
        put_dataset(f, "a/inputs/q", {1, 5, 1, 4}, H5T_IEEE_F64LE, q);
        put_dataset(f, "a/outputs/out", {1, 5, 2, 4}, H5T_IEEE_F64LE, std::vector<double>(40, 1.0));
        q[3] = NAN;
        put_dataset(f, "b/inputs/k", {1, 5, 1, 4}, H5T_IEEE_F64LE, q);
        set_attribute(f, "b", "dialect_colour", std::string("red"));
        set_attribute(f, "b/inputs/v", "units", std::string("furlong"));
        remove_object(f, "b/inputs/q");
    });
    const LintReport report = lint(path);
    CHECK_FALSE(report.ok());
    CHECK(report.cases == 3);
    const std::string unprotected = "is missing: nothing protects the attributes of this case";
    CHECK(lines(report) ==
          std::vector<std::string>{
              "error | case a: outputs/out | shape (1, 5, 2, 4), expected (batch 1, seq_q 5, heads_q 1, head_dim_v 4)",
              "error | case a: attribute rope_bas | is unknown, did you mean rope_base?",
              "error | case a: attribute chunk_size | is missing",
              "error | case a: problem | chunk_size 1 must be greater than local_size 3 (H7: the stride chunk_size - "
              "local_size must be at least 1)",
              "error | case a: inputs/q | element (0, 0, 0, 3) is 0.1: not representable in dtype bf16 (nearest is "
              "0.10009765625)",
              "note | case a: attribute case_crc32 | " + unprotected,
              "note | case b: inputs/v | attribute units is ignored",
              "note | case b: attribute dialect_colour | is not one that any dialect uses; ignored",
              "error | case b: inputs/q | is missing",
              "error | case b: inputs/k | element (0, 0, 0, 3) is nan: inputs must be finite",
              "note | case b: attribute case_crc32 | " + unprotected,
              "note | case clean: attribute case_crc32 | " + unprotected,
          });
}

TEST_CASE("a file without cases is not clean") {
    const ScratchFolder folder;
    write_file(folder / "empty.h5", {});
    const LintReport report = lint(folder / "empty.h5");
    CHECK_FALSE(report.ok());
    CHECK(lines(report) == std::vector<std::string>{"error |  | there are no cases in the file"});
    CHECK(FileReader(folder / "empty.h5").case_ids().empty());
    CHECK_FALSE(LintReport{}.ok());
}

TEST_CASE("a candidate's case needs outputs only") {
    const ScratchFolder folder;
    const std::filesystem::path path = folder / "candidate.h5";
    write_file(path, {sample_case("id=a seq_q=5 head_dim=4 C=3 w=1")});
    const auto strip = [](hid_t f) {
        for (const char* attribute : {"chunk_size", "local_size"}) remove_attribute(f, "a", attribute);
        remove_object(f, "a/inputs");
        remove_object(f, "a/judge");
    };
    edit(path, strip);
    CHECK(lint(path).ok());
    CHECK(lines(lint(path)) ==
          std::vector<std::string>{"note | case a: inputs | absent: a candidate's case, only its outputs are checked"});
    CHECK(read_error(path) == path.string() + ": case a: attribute chunk_size: is missing");  // no golden

    edit(path, [](hid_t f) { put_dataset(f, "a/outputs/dq", {1, 5, 1}, H5T_IEEE_F32LE, std::vector<double>(5)); });
    CHECK_FALSE(lint(path).ok());
}

TEST_CASE("a case that lost its inputs but has judge data is not a candidate") {
    const ScratchFolder folder;
    const std::filesystem::path path = folder / "a.h5";
    write_file(path, {sample_case("id=a seq_q=5 head_dim=4 C=3 w=1")});
    edit(path, [](hid_t f) { remove_object(f, "a/inputs"); });
    CHECK_FALSE(lint(path).ok());
    edit(path, [](hid_t f) {
        remove_object(f, "a/outputs");
        remove_object(f, "a/judge");
    });
    CHECK_FALSE(lint(path).ok());
}
