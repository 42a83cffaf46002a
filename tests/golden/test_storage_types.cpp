// Files of other writers: every accepted element type, byte order and layout.
#include <cmath>

#include "golden/h5_attribute.hpp"
#include "golden/lint.hpp"
#include "tests/golden/sample_case.hpp"
#include "tests/golden/scratch_folder.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using namespace dca::golden;
using namespace dca::test;

namespace {

const std::vector<hsize_t> q_shape{1, 5, 2, 4};

std::string text_for(Dtype dtype) {
    return "id=a seq_q=5 heads_q=2 head_dim=4 C=3 w=1 dtype=" + std::string(name(dtype));
}

/// Writes the case, replaces inputs/q through `replace`, and checks that it still reads as the same values.
void check_same_after(Dtype dtype, const std::function<void(hid_t file, const std::vector<double>& q)>& replace) {
    const ScratchFolder folder;
    const std::filesystem::path path = folder / "a.h5";
    const CaseData data = sample_case(text_for(dtype));
    write_file(path, {data});
    const auto q = data.inputs.q.values();
    edit(path, [&](hid_t file) { replace(file, std::vector<double>(q.begin(), q.end())); });
    CHECK(read_error(path) == "read without error");
    CHECK(lint(path).ok());
    CHECK(FileReader(path).read("a").inputs.q == data.inputs.q);
}

template <class Pattern>
void put_patterns(hid_t file, hid_t type, Dtype dtype, const std::vector<double>& q) {
    remove_object(file, "a/inputs/q");
    const h5::Handle space(H5Screate_simple(4, q_shape.data(), nullptr), H5Sclose, "space");
    const h5::Handle dataset(H5Dcreate2(file, "a/inputs/q", type, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                             H5Dclose, "dataset");
    std::vector<Pattern> patterns;
    for (double value : q) patterns.push_back(static_cast<Pattern>(encode(dtype, value)));
    h5::check(H5Dwrite(dataset.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, patterns.data()), "write");
}

/// An HDF5 floating-point type of 16 bits.
h5::Handle sixteen_bits(std::size_t exponent_bits, std::size_t bias) {
    h5::Handle type(H5Tcopy(H5T_IEEE_F32LE), H5Tclose, "type");
    const std::size_t fraction_bits = 15 - exponent_bits;
    h5::check(H5Tset_fields(type.get(), 15, fraction_bits, exponent_bits, 0, fraction_bits), "fields");
    h5::check(H5Tset_precision(type.get(), 16), "precision");
    h5::check(H5Tset_size(type.get(), 2), "size");
    h5::check(H5Tset_ebias(type.get(), bias), "bias");
    return type;
}

void put_chunked(hid_t file, const std::vector<double>& q, const std::function<void(hid_t)>& filters) {
    remove_object(file, "a/inputs/q");
    const h5::Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "creation");
    const hsize_t chunk[4] = {1, 2, 2, 3};
    H5Pset_chunk(creation.get(), 4, chunk);
    filters(creation.get());
    const h5::Handle space(H5Screate_simple(4, q_shape.data(), nullptr), H5Sclose, "space");
    const h5::Handle dataset(
        H5Dcreate2(file, "a/inputs/q", H5T_IEEE_F32LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT), H5Dclose,
        "dataset");
    h5::check(H5Dwrite(dataset.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, q.data()), "write");
}

}  // namespace

TEST_CASE("float32 and float64 of both byte orders are read") {
    for (const hid_t type : {H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_IEEE_F64LE, H5T_IEEE_F64BE}) {
        check_same_after(Dtype::bf16, [&](hid_t file, const std::vector<double>& q) {
            put_dataset(file, "a/inputs/q", q_shape, type, q);
        });
    }
}

TEST_CASE("native 16-bit floating-point types are read") {
    check_same_after(Dtype::f16, [](hid_t file, const std::vector<double>& q) {
        put_patterns<std::uint16_t>(file, sixteen_bits(5, 15).get(), Dtype::f16, q);
    });
    check_same_after(Dtype::bf16, [](hid_t file, const std::vector<double>& q) {
        put_patterns<std::uint16_t>(file, sixteen_bits(8, 127).get(), Dtype::bf16, q);
    });
}

TEST_CASE("bit patterns in integers are read where storage names their format") {
    for (const Dtype dtype : {Dtype::f16, Dtype::bf16}) {
        check_same_after(dtype, [&](hid_t file, const std::vector<double>& q) {
            put_patterns<std::uint16_t>(file, H5T_STD_U16LE, dtype, q);
            set_attribute(file, "a/inputs/q", "storage", std::string(name(dtype)));
        });
    }
    for (const Dtype dtype : {Dtype::e4m3, Dtype::e5m2}) {
        check_same_after(dtype, [&](hid_t file, const std::vector<double>& q) {
            put_patterns<std::uint8_t>(file, H5T_STD_U8LE, dtype, q);
            set_attribute(file, "a/inputs/q", "storage", std::string(name(dtype)));
        });
    }
}

TEST_CASE("a wrong storage attribute is refused") {
    const ScratchFolder folder;
    const std::filesystem::path path = folder / "a.h5";
    const auto error_with = [&](const AttributeValue& storage) {
        const CaseData data = sample_case(text_for(Dtype::bf16));
        write_file(path, {data});
        edit(path, [&](hid_t file) {
            const auto q = data.inputs.q.values();
            put_patterns<std::uint16_t>(file, H5T_STD_U16LE, Dtype::bf16, std::vector<double>(q.begin(), q.end()));
            set_attribute(file, "a/inputs/q", "storage", storage);
        });
        return read_error(path).substr((path.string() + ": case a: inputs/q: ").size());
    };
    CHECK(error_with(std::string("half")) == "attribute storage is 'half', expected f16, bf16, e4m3 or e5m2");
    CHECK(error_with(std::string("f32")) == "attribute storage is 'f32', expected f16, bf16, e4m3 or e5m2");
    CHECK(error_with(std::string("e4m3")) == "attribute storage is e4m3, but its integers have 16 bits");
    CHECK(error_with(std::int64_t{16}) == "attribute storage is an integer, expected a string");
}

TEST_CASE("chunked, compressed, shuffled and checksummed datasets are read") {
    check_same_after(Dtype::f32, [](hid_t file, const std::vector<double>& q) { put_chunked(file, q, [](hid_t) {}); });
    check_same_after(Dtype::f32, [](hid_t file, const std::vector<double>& q) {
        put_chunked(file, q, [](hid_t creation) {
            H5Pset_shuffle(creation);
            H5Pset_deflate(creation, 6);
            H5Pset_fletcher32(creation);
        });
    });
}

TEST_CASE("well compressed zeros are read") {
    const ScratchFolder folder;
    const std::filesystem::path path = folder / "a.h5";
    write_file(path, {sample_case("id=a seq_q=2000 heads_q=4 head_dim=64 C=100 w=10 dtype=f32 gradient=0")});
    edit(path, [](hid_t file) {
        remove_object(file, "a/inputs/q");
        const h5::Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "creation");
        const hsize_t extents[4] = {1, 2000, 4, 64};
        H5Pset_chunk(creation.get(), 4, extents);
        H5Pset_deflate(creation.get(), 9);
        const h5::Handle space(H5Screate_simple(4, extents, nullptr), H5Sclose, "space");
        const h5::Handle dataset(
            H5Dcreate2(file, "a/inputs/q", H5T_IEEE_F32LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
            H5Dclose, "dataset");
        const std::vector<float> zeros(2000 * 4 * 64);
        h5::check(H5Dwrite(dataset.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros.data()), "write");
    });
    CHECK(read_error(path) == "read without error");
}
