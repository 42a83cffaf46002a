// Files that cannot be opened, are no HDF5 files, are cut short, or belong to another schema.
#include <sys/stat.h>
#include <unistd.h>

#include "golden/h5_handle.hpp"
#include "golden/lint.hpp"
#include "tests/golden/sample_case.hpp"
#include "tests/golden/scratch_folder.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using namespace dca::golden;
using namespace dca::test;

namespace {

std::string open_error(const std::filesystem::path& path) {
    try {
        const FileReader reader(path);
    } catch (const IoError& error) {
        return error.what();
    }
    return "opened";
}

/// Runs without the powers of root, to whom no file is forbidden.
template <class Work>
auto as_nobody(const Work& work) {
    const bool root = geteuid() == 0;
    if (root && seteuid(65534) != 0) throw std::runtime_error("cannot drop privileges");
    auto result = work();
    if (root && seteuid(0) != 0) throw std::runtime_error("cannot regain privileges");
    return result;
}

bool starts_with(const std::string& text, const std::string& start) {
    return text.substr(0, start.size()) == start;
}

}  // namespace

TEST_CASE("files that cannot be opened give the system's reason") {
    const ScratchFolder folder;
    chmod(folder.path().c_str(), 0755);
    const std::string missing = (folder / "missing.h5").string();
    CHECK(open_error(missing) == "cannot open " + missing + ": No such file or directory");
    CHECK(open_error(folder.path()) == "cannot open " + folder.path().string() + ": not a regular file");
    CHECK(open_error("/dev/zero") == "cannot open /dev/zero: not a regular file");

    const std::filesystem::path pipe = folder / "pipe";  // opening a pipe without a writer would hang
    REQUIRE(mkfifo(pipe.c_str(), 0666) == 0);
    CHECK(open_error(pipe) == "cannot open " + pipe.string() + ": not a regular file");

    const std::filesystem::path forbidden = folder / "forbidden.h5";
    write_bytes(forbidden, "x");
    chmod(forbidden.c_str(), 0);
    CHECK(as_nobody([&] { return open_error(forbidden); }) ==
          "cannot open " + forbidden.string() + ": Permission denied");
    CHECK_THROWS_AS(lint(missing), IoError);
}

TEST_CASE("what is not HDF5 is refused in one line naming the file") {
    const ScratchFolder folder;
    for (const std::string& bytes : {std::string(), std::string("PK\x03\x04 an archive"), std::string(100000, '\0')}) {
        const std::filesystem::path path = folder / "other.h5";
        write_bytes(path, bytes);
        const std::string error = read_error(path);
        CAPTURE(error);
        CHECK(starts_with(error, path.string() + ": not a readable HDF5 file"));
        CHECK(error.find('\n') == std::string::npos);
        CHECK_FALSE(lint(path).ok());
    }
}

TEST_CASE("a file cut anywhere is refused in one line naming the file") {
    const ScratchFolder folder;
    write_file(folder / "whole.h5", {sample_case("id=a seq_q=40 heads_q=2 head_dim=16 C=12 w=4"),
                                     sample_case("id=b seq_q=40 heads_q=2 head_dim=16 C=12 w=4 seed=1")});
    const std::string whole = read_bytes(folder / "whole.h5");
    const std::filesystem::path cut = folder / "cut.h5";
    constexpr std::size_t steps = 100;
    for (std::size_t step = 0; step < steps; ++step) {
        const std::size_t size = step + 1 == steps ? whole.size() - 1 : whole.size() * step / steps;
        write_bytes(cut, whole.substr(0, size));
        const std::string error = read_error(cut);
        CAPTURE(size, whole.size(), error);
        REQUIRE(starts_with(error, cut.string() + ": "));
        REQUIRE(error.find('\n') == std::string::npos);
        REQUIRE_FALSE(lint(cut).ok());
    }
}

TEST_CASE("a file with its tail zeroed is refused") {
    const ScratchFolder folder;
    write_file(folder / "whole.h5", {sample_case("id=a seq_q=40 heads_q=2 head_dim=16 C=12 w=4")});
    const std::string whole = read_bytes(folder / "whole.h5");
    const std::filesystem::path damaged = folder / "damaged.h5";
    for (std::size_t keep = whole.size() / 10; keep < whole.size() * 9 / 10; keep += whole.size() / 10) {
        write_bytes(damaged, whole.substr(0, keep) + std::string(whole.size() - keep, '\0'));
        const std::string error = read_error(damaged);
        CAPTURE(keep, error);
        CHECK(starts_with(error, damaged.string() + ": "));
    }
}

TEST_CASE("damage that the HDF5 library itself does not survive is an error like any other") {
    const ScratchFolder folder;
    write_file(folder / "whole.h5", {sample_case("id=a seq_q=5 head_dim=4 C=3 w=1")});
    const std::string whole = read_bytes(folder / "whole.h5");
    const std::size_t heap = whole.find("GCOL");  // where HDF5 keeps strings of variable length
    REQUIRE(heap != std::string::npos);
    const std::filesystem::path damaged = folder / "damaged.h5";
    int refused = 0, killers = 0;
    for (std::size_t at = heap + 8; at < heap + 48; ++at) {  // its size, and the sizes of its first objects
        std::string bytes = whole;
        bytes[at] = '\xff';
        write_bytes(damaged, bytes);
        const std::string error = read_error(damaged);
        CAPTURE(at - heap, error);
        REQUIRE(error.find('\n') == std::string::npos);
        refused += starts_with(error, damaged.string() + ": ") ? 1 : 0;
        killers += starts_with(error, damaged.string() + ": damaged: the HDF5 library") ? 1 : 0;
    }
    CHECK(refused >= 8);
    CHECK(killers >= 1);
}

TEST_CASE("other schemas and versions are refused by name") {
    const ScratchFolder folder;
    const std::filesystem::path path = folder / "a.h5";
    const auto error_after = [&](const std::function<void(hid_t)>& change) {
        write_file(path, {sample_case("id=a seq_q=5 head_dim=4 chunk_size=3 local_size=1")});
        edit(path, change);
        CHECK_FALSE(lint(path).ok());
        return read_error(path).substr(path.string().size());
    };
    CHECK(error_after([](hid_t f) { set_attribute(f, "/", "schema", std::string("netcdf")); }) ==
          ": attribute schema: is 'netcdf', expected 'dca'");
    CHECK(error_after([](hid_t f) { remove_attribute(f, "/", "schema"); }) ==
          ": attribute schema: is missing: this is not a dca tensor file (docs/golden_format.md)");
    CHECK(error_after([](hid_t f) { set_attribute(f, "/", "schema_version", std::int64_t{2}); }) ==
          ": attribute schema_version: is 2, this program reads version 1");
    CHECK(error_after([](hid_t f) { set_attribute(f, "/", "schema_version", std::string("1")); }) ==
          ": attribute schema_version: is a string");
    CHECK(error_after([](hid_t f) { set_attribute(f, "/", "chunk_size", std::int64_t{4}); }) ==
          ": attribute chunk_size: is unknown at the root of a file");
    CHECK(error_after([](hid_t f) { put_dataset(f, "/stray", {1}, H5T_NATIVE_DOUBLE, {0}); }) ==
          ": stray: is not a group: the root of a file holds one group per case");
    CHECK(error_after([](hid_t f) { H5Lcreate_external("/etc/passwd", "/", f, "b", H5P_DEFAULT, H5P_DEFAULT); }) ==
          ": b: is a soft or external link, which is not accepted");
    CHECK(error_after([](hid_t f) { H5Lmove(f, "a", f, "a b", H5P_DEFAULT, H5P_DEFAULT); }) ==
          ": a b: is not a case id (A-Z a-z 0-9 _ . -)");
}
