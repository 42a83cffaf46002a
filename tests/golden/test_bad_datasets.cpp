// Datasets the schema does not allow: wrong shapes, types, values, layouts, sizes and checksums.
#include "golden/h5_attribute.hpp"
#include "golden/h5_handle.hpp"
#include "golden/lint.hpp"
#include "tests/golden/sample_case.hpp"
#include "tests/golden/scratch_folder.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using namespace dca::golden;
using namespace dca::test;

namespace {

const std::string small = "id=a seq_q=5 seq_k=7 heads_q=4 heads_kv=2 head_dim=6 head_dim_v=3 C=3 w=1 ";
const std::string small_packed = "id=a seq_q=5 heads_q=4 heads_kv=2 head_dim=6 C=3 w=1 cu_seqlens=0,2,5 ";

/// Reads a good file after one change; the error without "FILE: case a: ". lint must agree that something is wrong.
std::string error_after(const std::function<void(hid_t)>& change, const std::string& text = small) {
    const ScratchFolder folder;
    const std::filesystem::path path = folder / "a.h5";
    write_file(path, {sample_case(text)});
    edit(path, change);
    const std::string error = read_error(path);
    const std::string start = path.string() + ": case a: ";
    if (error.substr(0, start.size()) != start) return "wrong start: " + error;
    CHECK_FALSE(lint(path).ok());
    return error.substr(start.size());
}

std::function<void(hid_t)> put(const std::string& path, const std::vector<hsize_t>& extents,
                               hid_t type = H5T_IEEE_F64LE) {
    return [=](hid_t file) {
        std::size_t count = 1;
        for (hsize_t extent : extents) count *= extent;
        put_dataset(file, "a/" + path, extents, type, std::vector<double>(count, 1.0));
    };
}

/// Creates a dataset with the given creation properties and without writing to it.
void declare(hid_t file, const std::string& path, const std::vector<hsize_t>& extents,
             const std::function<void(hid_t creation)>& configure) {
    remove_object(file, path);
    const h5::Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "creation");
    configure(creation.get());
    const h5::Handle space(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr), H5Sclose,
                           "space");
    const h5::Handle dataset(
        H5Dcreate2(file, path.c_str(), H5T_IEEE_F64LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT), H5Dclose,
        "dataset");
}

}  // namespace

TEST_CASE("missing and unknown objects are named") {
    CHECK(error_after([](hid_t f) { remove_object(f, "a/inputs/q"); }) == "inputs/q: is missing");
    CHECK(error_after([](hid_t f) { remove_object(f, "a/inputs"); }) == "inputs/q: is missing");
    CHECK(error_after([](hid_t f) { remove_object(f, "a/judge/sigma_lse"); }) == "judge/sigma_lse: is missing");
    CHECK(error_after(put("outputs/output", {5})) == "outputs/output: is not part of the schema");
    CHECK(error_after(put("inputs/cu_seqlen", {5})) ==
          "inputs/cu_seqlen: is not part of the schema, did you mean cu_seqlens?");
    CHECK(error_after(put("q", {5})) ==
          "q: is not part of the schema: a case holds the groups inputs, outputs and judge");
    CHECK(
        error_after([](hid_t f) { H5Lmove(f, "a/outputs", f, "a/output", H5P_DEFAULT, H5P_DEFAULT); }) ==
        "output: is not part of the schema: a case holds the groups inputs, outputs and judge, did you mean outputs?");
    CHECK(error_after([](hid_t f) {
              remove_object(f, "a/inputs/q");
              const h5::Handle group(H5Gcreate2(f, "a/inputs/q", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose,
                                     "group");
          }) == "inputs/q: is not a dataset");
}

TEST_CASE("links that lead elsewhere are refused") {
    CHECK(error_after([](hid_t f) {
              remove_object(f, "a/inputs/q");
              H5Lcreate_external("other.h5", "/a/inputs/q", f, "a/inputs/q", H5P_DEFAULT, H5P_DEFAULT);
          }) == "inputs/q: is a soft or external link, which is not accepted");
    CHECK(error_after([](hid_t f) {
              remove_object(f, "a/inputs/q");
              H5Lcreate_soft("/a/inputs/k", f, "a/inputs/q", H5P_DEFAULT, H5P_DEFAULT);
          }) == "inputs/q: is a soft or external link, which is not accepted");
}

TEST_CASE("ranks and shapes that do not fit are named with what was expected") {
    CHECK(error_after(put("inputs/q", {5, 4, 6})) ==
          "inputs/q: shape (5, 4, 6), expected (batch, seq_q, heads_q, head_dim)");
    CHECK(error_after(put("inputs/k", {1, 7, 2, 5})) ==
          "inputs/k: shape (1, 7, 2, 5), expected (batch 1, seq_k, heads_kv, head_dim 6)");
    CHECK(error_after(put("inputs/v", {1, 6, 2, 3})) ==
          "inputs/v: shape (1, 6, 2, 3), expected (batch 1, seq_k 7, heads_kv 2, head_dim_v)");
    CHECK(error_after(put("inputs/dout", {1, 5, 4, 6})) ==
          "inputs/dout: shape (1, 5, 4, 6), expected (batch 1, seq_q 5, heads_q 4, head_dim_v 3)");
    CHECK(error_after(put("outputs/lse", {1, 5, 4})) ==
          "outputs/lse: shape (1, 5, 4), expected (batch 1, heads_q 4, seq_q 5)");
    CHECK(error_after(put("outputs/dk", {1, 7, 4, 6})) ==
          "outputs/dk: shape (1, 7, 4, 6), expected (batch 1, seq_k 7, heads_kv 2, head_dim 6)");
    CHECK(error_after(put("judge/query_region", {7}, H5T_STD_U8LE)) ==
          "judge/query_region: shape (7), expected (seq_q 5)");
    CHECK(
        error_after(put("inputs/k", {6, 2, 6}), small_packed) ==
        "inputs/k: shape (6, 2, 6), expected (tokens 5, heads_kv, head_dim 6), the case is packed (it has cu_seqlens)");
    CHECK(error_after(put("inputs/q", {1, 5, 4, 6}), small_packed) ==
          "inputs/q: shape (1, 5, 4, 6), expected (tokens, heads_q, head_dim), the case is packed (it has cu_seqlens)");
    CHECK(error_after(put("inputs/inv_freq", {2})) == "problem: inv_freq has 2 values, rotary_dim / 2 is 3");
    CHECK(error_after(put("inputs/k", {1, 7, 3, 6})) ==
          "inputs/v: shape (1, 7, 2, 3), expected (batch 1, seq_k 7, heads_kv 3, head_dim_v)");
}

TEST_CASE("element types that are not numbers of the schema are refused") {
    CHECK(error_after(put("inputs/q", {1, 5, 4, 6}, H5T_STD_I32LE)) ==
          "inputs/q: holds integers, expected floating-point numbers (bit patterns of 8- and 16-bit formats need the "
          "attribute storage)");
    CHECK(error_after(put("inputs/cu_seqlens", {3}, H5T_IEEE_F64LE), small_packed) ==
          "inputs/cu_seqlens: holds floating-point numbers, expected integers");
    CHECK(error_after([](hid_t f) {
              remove_object(f, "a/inputs/q");
              const hsize_t extents[4] = {1, 5, 4, 6};
              const h5::Handle space(H5Screate_simple(4, extents, nullptr), H5Sclose, "space");
              const h5::Handle dataset(
                  H5Dcreate2(f, "a/inputs/q", H5T_C_S1, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose,
                  "dataset");
          }) == "inputs/q: holds neither floating-point numbers nor integers");
    CHECK(error_after(put("outputs/out", {1, 5, 4, 3}, H5T_NATIVE_LDOUBLE)) ==
          "outputs/out: has a floating-point type of 128 bits that is none of float64, float32, float16, bfloat16");
}

TEST_CASE("inputs must be finite and representable") {
    const auto with_value = [](const std::string& path, std::size_t at, double value) {
        return [=](hid_t file) {
            std::vector<double> values(5 * 4 * 6, 1.0);
            values[at] = value;
            put_dataset(file, "a/" + path, {1, 5, 4, 6}, H5T_IEEE_F64LE, values);
        };
    };
    CHECK(error_after(with_value("inputs/q", 6 * (4 * 3 + 2) + 5, NAN)) ==
          "inputs/q: element (0, 3, 2, 5) is nan: inputs must be finite");
    CHECK(error_after(with_value("inputs/q", 0, -INFINITY)) ==
          "inputs/q: element (0, 0, 0, 0) is -inf: inputs must be finite");
    CHECK(error_after(with_value("inputs/q", 119, 0.1), small + "dtype=bf16") ==
          "inputs/q: element (0, 4, 3, 5) is 0.1: not representable in dtype bf16 (nearest is 0.10009765625)");
    CHECK(error_after(with_value("inputs/q", 1, 500), small + "dtype=e4m3") ==
          "inputs/q: element (0, 0, 0, 1) is 500: not representable in dtype e4m3 (nearest is nan)");
    CHECK(error_after([](hid_t f) {
              put_dataset(f, "a/inputs/inv_freq", {3}, H5T_IEEE_F64LE, {1, NAN, 0});
          }) == "inputs/inv_freq: element (1) is nan: must be finite");
    CHECK(error_after([](hid_t f) {
              put_dataset(f, "a/judge/query_region", {5}, H5T_STD_U8LE, {0, 1, 2, 3, 4});
          }) == "judge/query_region: element (4) is 4: a region is 0, 1, 2 or 3");
    CHECK(error_after([](hid_t f) {
              std::vector<double> sigma(60, 1.0);
              sigma[59] = -1;
              put_dataset(f, "a/judge/sigma_out", {1, 5, 4, 3}, H5T_IEEE_F32LE, sigma);
          }) == "judge/sigma_out: element (0, 4, 3, 2) is -1: an error scale must be at least 0");
}

TEST_CASE("cu_seqlens must fit the tokens") {
    const auto boundaries = [](const std::vector<double>& values) {
        return [=](hid_t f) { put_dataset(f, "a/inputs/cu_seqlens", {values.size()}, H5T_STD_I64LE, values); };
    };
    CHECK(error_after(boundaries({0, 3, 2, 5}), small_packed) == "problem: cu_seqlens decreases at entry 2");
    CHECK(error_after(boundaries({0, 4}), small_packed) == "problem: cu_seqlens ends with 4 but there are 5 tokens");
    CHECK(error_after(boundaries({1, 5}), small_packed) == "problem: cu_seqlens must start with 0, it starts with 1");
    CHECK(error_after(boundaries({5}), small_packed) == "problem: cu_seqlens needs at least 2 values, it has 1");
    CHECK(error_after(boundaries({0, -3, 5}), small_packed) ==
          "inputs/cu_seqlens: element (1) is -3: must be from 0 to 2^31 - 1");
    CHECK(error_after(boundaries({0, 0x1p31}), small_packed) ==
          "inputs/cu_seqlens: element (1) is 2147483648: must be from 0 to 2^31 - 1");
}

TEST_CASE("absurd sizes are refused before memory is asked for") {
    const auto declared = [](const std::vector<hsize_t>& extents, const std::function<void(hid_t)>& configure) {
        return error_after([&](hid_t f) { declare(f, "a/inputs/q", extents, configure); });
    };
    const auto plain = [](hid_t) {};
    CHECK(declared({1, 5, 4, 6}, plain) == "inputs/q: claims 960 bytes, but the file stores only 0 for it");
    CHECK(declared({1, hsize_t{1} << 30, 4, 6}, plain) ==
          "inputs/q: claims 206158430208 bytes, but the file stores only 0 for it");
    CHECK(declared({1, hsize_t{1} << 38, 4, 6}, plain) == "inputs/q: claims more than 2^40 elements");
    CHECK(declared({hsize_t{1} << 20, hsize_t{1} << 20, hsize_t{1} << 10, hsize_t{1} << 14}, [](hid_t creation) {
              const hsize_t chunk[4] = {1, 1, 1, 1};
              H5Pset_chunk(creation, 4, chunk);
          }) == "inputs/q: claims more than 2^40 elements");
    CHECK(declared({0, 5, 4, 6}, plain) == "inputs/q: has an axis of length 0");
    CHECK(declared({1, 1000000, 4, 6}, [](hid_t creation) {
              const hsize_t chunk[4] = {1, 1000, 4, 6};
              H5Pset_chunk(creation, 4, chunk);
              H5Pset_deflate(creation, 9);
          }) == "inputs/q: claims 192000000 bytes, but the file stores only 0 for it");
}

TEST_CASE("storage outside the file and unusual filters are refused") {
    CHECK(error_after([](hid_t f) {
              declare(f, "a/inputs/q", {1, 5, 4, 6},
                      [](hid_t creation) { H5Pset_external(creation, "/etc/passwd", 0, 960); });
          }) == "inputs/q: keeps its data in another file");
    CHECK(error_after([](hid_t f) {
              declare(f, "a/inputs/q", {1, 5, 4, 6}, [](hid_t creation) {
                  const hsize_t extents[4] = {1, 5, 4, 6};
                  const h5::Handle space(H5Screate_simple(4, extents, nullptr), H5Sclose, "space");
                  H5Pset_virtual(creation, space.get(), "/etc/passwd", "x", space.get());
              });
          }) == "inputs/q: is a virtual dataset, which is not accepted");
    CHECK(error_after([](hid_t f) {
              declare(f, "a/inputs/q", {1, 5, 4, 6}, [](hid_t creation) {
                  const hsize_t chunk[4] = {1, 5, 4, 6};
                  H5Pset_chunk(creation, 4, chunk);
                  H5Pset_nbit(creation);
              });
          }) == "inputs/q: uses HDF5 filter 5; only deflate, shuffle and fletcher32 are accepted");
}

TEST_CASE("certificates are whole and sensible") {
    const auto set = [](const char* name, const AttributeValue& value) {
        return [=](hid_t file) {
            const h5::Handle group = h5::open_group(file, "a/outputs");
            const h5::Handle dataset(H5Dopen2(group.get(), "out", H5P_DEFAULT), H5Dclose, "out");
            (void)H5Adelete(dataset.get(), name);
            h5::write_attribute(dataset.get(), name, value);
        };
    };
    CHECK(error_after(set("error_radius", -1.0)) == "outputs/out: error_radius must be a number of at least 0");
    CHECK(error_after(set("error_radius", NAN)) == "outputs/out: error_radius must be a number of at least 0");
    CHECK(error_after(set("error_radius", std::int64_t{0})) ==
          "outputs/out: error_radius must be a number of at least 0");
    CHECK(error_after(set("error_radius_proven", std::int64_t{2})) ==
          "outputs/out: error_radius_proven must be 0 or 1");
    CHECK(error_after(set("correctly_rounded", 1.0)) == "outputs/out: correctly_rounded must be 0 or 1");
    CHECK(error_after([](hid_t file) {
              const h5::Handle group = h5::open_group(file, "a/outputs");
              const h5::Handle dataset(H5Dopen2(group.get(), "lse", H5P_DEFAULT), H5Dclose, "lse");
              (void)H5Adelete(dataset.get(), "error_radius");
          }) == "outputs/lse: needs the attributes error_radius, error_radius_proven and correctly_rounded together");
}

TEST_CASE("a changed value is found by its checksum") {
    const std::string error = error_after([](hid_t f) {
        const h5::Handle dataset(H5Dopen2(f, "a/outputs/out", H5P_DEFAULT), H5Dclose, "dataset");
        std::vector<double> values(60);
        H5Dread(dataset.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
        values[17] = std::nextafter(values[17], 10);
        H5Dwrite(dataset.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    });
    CHECK(error.substr(0, 41) == "outputs/out: checksum mismatch: crc32 is ");
    CHECK(error_after([](hid_t f) { set_attribute(f, "a/inputs/q", "crc32", std::string("x")); }) ==
          "inputs/q: attribute crc32 is a string, expected an integer");
}

TEST_CASE("an error names a hostile object without its control characters") {
    const std::string error = error_after(put("inputs/\x1b[2J\n", {1}));
    CHECK(error == "inputs/?[2J?: is not part of the schema");
}
