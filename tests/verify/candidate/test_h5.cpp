// .h5: only outputs are needed; whatever else the file says must be what the golden says.
#include <functional>

#include "golden/h5_attribute.hpp"
#include "golden/h5_dataset.hpp"
#include "tests/verify/candidate/files.hpp"

namespace {

using namespace dca::test;
namespace h5 = dca::golden::h5;
using dca::golden::AttributeValue;
using dca::verify::open_candidate;

h5::Handle make_group(hid_t parent, const char* name) {
    return {H5Gcreate2(parent, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose, "create"};
}

/// Case "one" with out = 1, 2, 3, ...; `more` may add to the file, the case and its outputs.
std::string h5_file(
    const TemporaryFolder& folder,
    const std::function<void(hid_t file, hid_t one, hid_t outputs)>& more = [](hid_t, hid_t, hid_t) {}) {
    const std::string path = folder / "c.h5";
    const h5::Handle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose, "create");
    const h5::Handle one = make_group(file.get(), "one");
    const h5::Handle outputs = make_group(one.get(), "outputs");
    const std::vector<double> values{1, 2, 3, 4, 5, 6, 7, 8};
    const std::vector<std::int64_t> extents{1, 2, 2, 2};
    h5::write_dataset(outputs.get(), "out", extents, std::span<const double>(values));
    more(file.get(), one.get(), outputs.get());
    return path;
}

std::string with_attribute(const TemporaryFolder& folder, const std::string& name, const AttributeValue& value) {
    return h5_file(folder, [&](hid_t, hid_t one, hid_t) { h5::write_attribute(one, name, value); });
}

TEST_CASE("h5: outputs alone, without any attribute, are enough") {
    const TemporaryFolder folder;
    const auto candidate = open_candidate(h5_file(folder));
    CHECK(candidate->case_ids() == std::vector<std::string>{"one"});
    const auto results = candidate->read(small_golden());
    CHECK(counts_up(results.out->values()));
    CHECK_FALSE(results.lse.has_value());
}

TEST_CASE("h5: attributes of the problem must be the golden's, defaults resolved") {
    const TemporaryFolder folder;
    auto golden = small_golden();
    const auto accepted = [&](const std::string& name, const AttributeValue& value) {
        return open_candidate(with_attribute(folder, name, value))->read(golden).out.has_value();
    };
    const auto refused = [&](const std::string& name, const AttributeValue& value) {
        const std::string message = refusal_of(with_attribute(folder, name, value), golden);
        CHECK(contains(message, "c.h5: case one: attribute " + name));
        return true;
    };
    CHECK(accepted("chunk_size", std::int64_t{6}));
    CHECK(refused("chunk_size", std::int64_t{7}));
    CHECK(refused("chunk_size", std::string("6")));
    CHECK(refused("local_size", std::int64_t{1}));
    CHECK(accepted("softmax_scale", 0.5));  // head_dim 4
    CHECK(refused("softmax_scale", 0.25));
    CHECK(accepted("query_offset", std::int64_t{1}));
    CHECK(refused("query_offset", std::int64_t{0}));
    CHECK(accepted("rope", std::string("neox")));
    CHECK(refused("rope", std::string("interleaved")));
    CHECK(refused("rope", std::string("banana")));
    CHECK(accepted("rotary_dim", std::int64_t{4}));
    CHECK(refused("rotary_dim", std::int64_t{2}));
    CHECK(accepted("mscale", 1.0));
    CHECK(refused("mscale", 1.1));
    CHECK(accepted("dtype", std::string("f64")));
    CHECK(refused("dtype", std::string("f32")));
    CHECK(refused("rope_scaling", std::string("yarn")));
    golden.problem.rope.scaling = dca::RopeScaling::yarn;
    golden.problem.rope.factor = 4;
    CHECK(accepted("mscale", 0.1 * std::log(4.0) + 1));
    CHECK(refused("mscale", 1.0));
    CHECK(refused("rope_factor", 8.0));
}

TEST_CASE("h5: dialect, provenance and dialect facts are the candidate's own business, unknown attributes are not") {
    const TemporaryFolder folder;
    for (const char* name : {"dialect", "source", "note", "measured_max_abs", "dialect_phase"}) {
        CHECK(open_candidate(with_attribute(folder, name, std::string("vllm")))->read(small_golden()).out.has_value());
    }
    const std::string message = refusal_of(with_attribute(folder, "chunk_sise", std::int64_t{6}), small_golden());
    CHECK(contains(message, "chunk_sise"));
    CHECK(contains(message, "did you mean chunk_size"));
}

TEST_CASE("h5: bfloat16 as 16-bit patterns, float32, and integers that are no floats") {
    const TemporaryFolder folder;
    const auto stored = [&](hid_t type, const void* data, const char* storage) {
        return h5_file(folder, [&](hid_t, hid_t, hid_t outputs) {
            H5Ldelete(outputs, "out", H5P_DEFAULT);
            const hsize_t dims[4]{1, 2, 2, 2};
            const h5::Handle space(H5Screate_simple(4, dims, nullptr), H5Sclose, "space");
            const h5::Handle set(H5Dcreate2(outputs, "out", type, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                                 H5Dclose, "dataset");
            H5Dwrite(set.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
            if (storage) h5::write_attribute(set.get(), "storage", std::string(storage));
        });
    };
    const std::uint16_t bf16[8]{0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x40c0, 0x40e0, 0x4100};
    const float f32[8]{1, 2, 3, 4, 5, 6, 7, 8};
    const std::uint8_t e4m3[8]{0x38, 0x40, 0x44, 0x48, 0x4a, 0x4c, 0x4e, 0x50};
    CHECK(counts_up(open_candidate(stored(H5T_NATIVE_UINT16, bf16, "bf16"))->read(small_golden()).out->values()));
    CHECK(counts_up(open_candidate(stored(H5T_NATIVE_UINT8, e4m3, "e4m3"))->read(small_golden()).out->values()));
    CHECK(counts_up(open_candidate(stored(H5T_NATIVE_FLOAT, f32, nullptr))->read(small_golden()).out->values()));
    CHECK(
        contains(refusal_of(stored(H5T_NATIVE_UINT16, bf16, nullptr), small_golden()), "outputs/out: holds integers"));
    CHECK(contains(refusal_of(stored(H5T_NATIVE_UINT16, bf16, "e4m3"), small_golden()), "storage"));
}

TEST_CASE("h5: another schema, foreign objects and links are refused") {
    const TemporaryFolder folder;
    const auto message = [&](const std::function<void(hid_t, hid_t, hid_t)>& more) {
        const std::string path = h5_file(folder, more);
        return refusal_to_open(path);
    };
    CHECK(contains(message([](hid_t file, hid_t, hid_t) { h5::write_attribute(file, "schema", std::string("other")); }),
                   "schema"));
    CHECK(contains(
        message([](hid_t file, hid_t, hid_t) { h5::write_attribute(file, "schema_version", std::int64_t{2}); }),
        "schema_version"));
    CHECK(contains(message([](hid_t, hid_t, hid_t outputs) {
                       H5Lcreate_external("/etc/passwd", "x", outputs, "lse", H5P_DEFAULT, H5P_DEFAULT);
                   }),
                   "one/outputs/lse"));
    CHECK(contains(message([](hid_t, hid_t, hid_t outputs) {
                       H5Lcreate_soft("/one/outputs/out", outputs, "dq", H5P_DEFAULT, H5P_DEFAULT);
                   }),
                   "one/outputs/dq"));
    // A group that contains itself.
    CHECK(contains(message([](hid_t file, hid_t one, hid_t) {
                       H5Lcreate_hard(file, "one", one, "outputs2", H5P_DEFAULT, H5P_DEFAULT);
                   }),
                   "one/outputs2"));
    message([](hid_t, hid_t one, hid_t) { (void)make_group(make_group(one, "inputs").get(), "deep"); });
}

TEST_CASE("h5: the judge data of a golden file offered as candidate are not looked at") {
    const TemporaryFolder folder;
    const std::string path = h5_file(folder, [](hid_t, hid_t one, hid_t) {
        const h5::Handle judge = make_group(one, "judge");
        const std::vector<double> one_value{1};
        const std::vector<std::int64_t> extents{1};
        h5::write_dataset(judge.get(), "sigma_out", extents, std::span<const double>(one_value));
    });
    CHECK(open_candidate(path)->read(small_golden()).out.has_value());
}

TEST_CASE("h5: what is no HDF5 file is refused by name") {
    const TemporaryFolder folder;
    write_file(folder / "c.h5", "no");
    CHECK(contains(refusal_to_open(folder / "c.h5"), "c.h5: not a readable HDF5 file"));
}

}  // namespace
