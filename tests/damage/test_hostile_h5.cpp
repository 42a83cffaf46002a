// HDF5 files made to hurt their reader: bombs, cycles, plugins, files that change under it. Each is refused in one
// line, in little memory and time.
#include <sys/resource.h>
#include <zlib.h>

#include <fstream>

#include "golden/h5_attribute.hpp"
#include "golden/h5_dataset.hpp"
#include "golden/h5_walk.hpp"
#include "golden/lint.hpp"
#include "tests/golden/sample_case.hpp"
#include "tests/golden/scratch_folder.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/process.hpp"

using namespace dca;
using namespace dca::golden;
using namespace dca::test;

namespace {

const std::string small = "id=a seq_q=5 heads_q=2 head_dim=4 chunk_size=3 local_size=1";

/// The error of reading a sample file after a change, without "FILE: ". lint must agree.
std::string error_after(const std::function<void(hid_t)>& change) {
    const ScratchFolder folder;
    const std::filesystem::path path = folder / "a.h5";
    write_file(path, {sample_case(small)});
    edit(path, change);
    const std::string error = read_error(path), start = path.string() + ": ";
    CHECK(error.find('\n') == error.npos);
    CHECK_FALSE(lint(path).ok());
    return error.starts_with(start) ? error.substr(start.size()) : "wrong start: " + error;
}

/// A dataset of doubles whose chunks hold these packed bytes, whatever those unpack to.
void put_packed(hid_t file, const std::string& path, const std::vector<hsize_t>& extents,
                const std::vector<hsize_t>& chunk, const std::string& packed) {
    remove_object(file, path);
    const h5::Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "creation");
    H5Pset_chunk(creation.get(), static_cast<int>(chunk.size()), chunk.data());
    H5Pset_deflate(creation.get(), 9);
    const h5::Handle space(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr), H5Sclose, "s");
    const h5::Handle dataset(
        H5Dcreate2(file, path.c_str(), H5T_IEEE_F64LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT), H5Dclose,
        "dataset");
    std::vector<hsize_t> at(extents.size(), 0);
    for (at[0] = 0; at[0] < extents[0]; at[0] += chunk[0]) {
        h5::check(H5Dwrite_chunk(dataset.get(), H5P_DEFAULT, 0, at.data(), packed.size(), packed.data()), "chunk");
    }
}

/// What `size` zeros pack to, `times` times without an end in between.
std::string packed_zeros(std::size_t size, std::size_t times) {
    const std::string zeros(size, '\0');
    std::string packed(size / 500 + 1000, '\0');
    z_stream stream{};
    REQUIRE(deflateInit(&stream, 9) == Z_OK);
    std::string all;
    for (std::size_t n = 0; n < times; ++n) {
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(zeros.data()));
        stream.avail_in = static_cast<uInt>(zeros.size());
        stream.next_out = reinterpret_cast<Bytef*>(packed.data());
        stream.avail_out = static_cast<uInt>(packed.size());
        REQUIRE(deflate(&stream, n + 1 == times ? Z_FINISH : Z_SYNC_FLUSH) >= 0);
        all.append(packed.data(), packed.size() - stream.avail_out);
    }
    deflateEnd(&stream);
    return all;
}

/// KiB that the largest child so far has had in memory.
long largest_child() {
    rusage usage{};
    getrusage(RUSAGE_CHILDREN, &usage);
    return usage.ru_maxrss;
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("groups without end are refused") {
    const std::string cycle = error_after([](hid_t file) {
        const h5::Handle group = h5::open_group(file, "a");
        for (int n = 0; n < 250; ++n) {
            H5Lcreate_hard(file, "a", group.get(), ("again" + std::to_string(n)).c_str(), H5P_DEFAULT, H5P_DEFAULT);
        }
    });
    CHECK(cycle == "holds more objects than is accepted");
    const std::string wide = error_after([](hid_t file) {
        for (std::size_t n = 0; n <= h5::most_objects; ++n) {
            H5Lcreate_hard(file, "a/inputs", file, ("a/b" + std::to_string(n)).c_str(), H5P_DEFAULT, H5P_DEFAULT);
        }
    });
    CHECK(contains(wide, "holds more objects than is accepted"));
    const std::string deep = error_after([](hid_t file) {
        std::string path = "a/inputs";
        for (int n = 0; n < 2000; ++n) {
            path += "/g";
            const h5::Handle group = h5::create_group(file, path);
        }
    });
    CHECK(contains(deep, "inputs/g"));
}

TEST_CASE("too many and too long attributes are refused") {
    CHECK(error_after([](hid_t file) {
              const h5::Handle group = h5::open_group(file, "a");
              for (std::size_t n = 0; n <= h5::most_attributes; ++n) {
                  h5::write_attribute(group.get(), "measured_" + std::to_string(n), std::int64_t{1});
              }
          }) == "case a: has more attributes than is accepted");
    CHECK(error_after([](hid_t file) {
              set_attribute(file, "a", "note", std::string(h5::most_attribute_bytes + 1, 'x'));
          }) == "case a: attribute note: is longer than is accepted");
    CHECK(error_after([](hid_t file) {
              const h5::Handle group = h5::open_group(file, "a");
              const h5::Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "type");
              H5Tset_size(type.get(), 60000);
              const hsize_t many = 1000;
              const h5::Handle space(H5Screate_simple(1, &many, nullptr), H5Sclose, "space");
              H5Adelete(group.get(), "note");
              const hid_t created = H5Acreate2(group.get(), "note", type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT);
              if (created >= 0) H5Aclose(created);
              set_attribute(file, "a", "chunk_size", std::vector<std::int64_t>(5000, 1));
          }).find("case a: attribute ") == 0);
}

TEST_CASE("types that are objects of the file are refused") {
    CHECK(error_after([](hid_t file) {
              const h5::Handle type(H5Tcopy(H5T_IEEE_F64LE), H5Tclose, "type");
              h5::check(H5Tcommit2(file, "a/named", type.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), "commit");
              put_dataset(file, "a/inputs/q", {1, 5, 2, 4}, type.get(), std::vector<double>(40, 1.0));
              remove_object(file, "a/named");
          }) == "case a: inputs/q: has a type that is an object of the file, which is not accepted");
}

TEST_CASE("chunks that unpack to far more than they should are refused in little memory") {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they cannot live with the limit that stops it
    const std::string bomb = packed_zeros(std::size_t{1} << 20, 700);
    CHECK(contains(error_after([&](hid_t file) {
                       put_packed(file, "a/inputs/q", {1, 5, 2, 4}, {1, 5, 2, 4}, bomb);
                   }),
                   "case a: inputs/q: cannot be read"));
    CHECK(largest_child() < 600 * 1024);
#endif
    const std::string packed = packed_zeros(std::size_t{32} << 20, 1);  // 16 chunks of 32 MiB
    CHECK(contains(error_after([&](hid_t file) {
                       put_packed(file, "a/inputs/q", {16, 1 << 12, 64, 16}, {1, 1 << 12, 64, 16}, packed);
                   }),
                   "which is not accepted; store it without compression"));
}

TEST_CASE("a filter twice is refused") {
    CHECK(error_after([](hid_t file) {
              remove_object(file, "a/inputs/q");
              const hsize_t extents[4] = {1, 5, 2, 4};
              const h5::Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "creation");
              H5Pset_chunk(creation.get(), 4, extents);
              for (int n = 0; n < 2; ++n) {
                  H5Pset_filter(creation.get(), H5Z_FILTER_SHUFFLE, H5Z_FLAG_MANDATORY, 0, nullptr);
              }
              const h5::Handle space(H5Screate_simple(4, extents, nullptr), H5Sclose, "space");
              const h5::Handle q(
                  H5Dcreate2(file, "a/inputs/q", H5T_IEEE_F64LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
                  H5Dclose, "q");
          }) == "case a: inputs/q: uses HDF5 filter 2 twice");
}

namespace {

std::size_t keep(unsigned, std::size_t, const unsigned*, std::size_t bytes, std::size_t*, void**) {
    return bytes;
}

}  // namespace

TEST_CASE("no plugin is loaded for a file that wants one") {
    const ScratchFolder folder;
    const std::filesystem::path path = folder / "a.h5";
    write_file(path, {sample_case(small)});
    edit(path, [](hid_t file) {
        const H5Z_class2_t filter{H5Z_CLASS_T_VERS, 32123, 1, 1, "keep", nullptr, nullptr, keep};
        REQUIRE(H5Zregister(&filter) >= 0);
        {  // a group whose list of links goes through the filter
            const h5::Handle creation(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, "creation");
            H5Pset_link_phase_change(creation.get(), 0, 0);
            h5::check(H5Pset_filter(creation.get(), 32123, H5Z_FLAG_MANDATORY, 0, nullptr), "filter");
            const h5::Handle group(H5Gcreate2(file, "b", H5P_DEFAULT, creation.get(), H5P_DEFAULT), H5Gclose, "group");
            for (int n = 0; n < 50; ++n) {
                const h5::Handle child = h5::create_group(group.get(), "child" + std::to_string(n));
            }
        }
        H5Fflush(file, H5F_SCOPE_GLOBAL);
    });
    H5Zunregister(32123);
    std::filesystem::create_directory(folder / "plugins");
    std::filesystem::copy(DCA_TEST_PLUGIN, folder / "plugins");
    const std::string mark = (folder / "loaded").string();
    const Finished lint = run_shell("HDF5_PLUGIN_PATH='" + (folder / "plugins").string() + "' DCA_PLUGIN_MARK='" +
                                    mark + "' " + program + " lint '" + path.string() + "'");
    CAPTURE(lint.out, lint.err);
    CHECK(lint.status == 2);
    CHECK_FALSE(std::filesystem::exists(mark));
}

TEST_CASE("a file exchanged or cut under its reader is read as it was opened, or refused") {
    const ScratchFolder folder;
    const std::filesystem::path path = folder / "a.h5";
    write_file(path, {sample_case(small)});
    write_file(folder / "b.h5", {sample_case(small + " seed=1")});
    const CaseData data = FileReader(path).read("a");

    const FileReader exchanged(path);
    std::filesystem::rename(folder / "b.h5", path);
    const CaseData read = exchanged.read("a");
    CHECK(std::equal(read.inputs.q.values().begin(), read.inputs.q.values().end(), data.inputs.q.values().begin()));
    CHECK_FALSE(FileReader(path).read("a").inputs.q.values()[0] == data.inputs.q.values()[0]);

    const FileReader cut(path);
    std::filesystem::resize_file(path, 1000);
    try {
        static_cast<void>(cut.read("a"));
        FAIL("read what is no longer there");
    } catch (const FormatError& error) {
        CHECK(std::string(error.what()).find(": ends too early") != std::string::npos);
    }
}

TEST_CASE("a changed attribute, name or shape of a case is found by its checksum") {
    const auto error_keeping_the_checksum = [](const std::function<void(hid_t)>& change) {
        const ScratchFolder folder;
        const std::filesystem::path path = folder / "a.h5";
        write_file(path, {sample_case(small)});
        {
            const h5::Handle file(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose, "open");
            change(file.get());
        }
        CHECK_FALSE(lint(path).ok());
        return read_error(path);
    };
    const std::string word = "case a: attribute case_crc32: checksum mismatch";
    const auto changed = [&](const char* object, const char* name, const AttributeValue& value) {
        return contains(error_keeping_the_checksum([&](hid_t file) { set_attribute(file, object, name, value); }),
                        word);
    };
    CHECK(changed("a", "softmax_scale", 0.25));
    CHECK(changed("a", "dialect", std::string("vllm")));
    CHECK(changed("a", "note", std::string("better")));
    CHECK(changed("a/judge", "error_model_version", std::int64_t{1000}));
    CHECK(changed("a/outputs/out", "units", std::string("furlong")));
    CHECK(contains(error_keeping_the_checksum([](hid_t file) { remove_object(file, "a/outputs/dq"); }), word));
    CHECK(contains(error_keeping_the_checksum([](hid_t file) { remove_attribute(file, "a", "dialect"); }), word));
    CHECK(error_keeping_the_checksum([](hid_t file) {
              set_attribute(file, "a", "case_crc32", std::string("x"));
          }).find(word) != std::string::npos);
}

TEST_CASE("a case text that asks for absurd numbers of sampled rows is refused at once") {
    const std::string error = error_after([](hid_t file) {
        remove_object(file, "a/inputs");
        set_attribute(file, "a", "inputs_stored", std::int64_t{0});
        set_attribute(file, "a", "case_text",
                      std::string("id=a seq_q=2147483648 head_dim=4 chunk_size=3 local_size=1 sample=2147483648"));
    });
    CHECK(contains(error, "shape "));  // outputs/out has not as many rows
}
