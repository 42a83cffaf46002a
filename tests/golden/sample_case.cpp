#include "tests/golden/sample_case.hpp"

#include <cmath>

#include "golden/case_text.hpp"
#include "golden/h5_attribute.hpp"
#include "golden/h5_walk.hpp"
#include "golden/make_inputs.hpp"
#include "golden/schema.hpp"

namespace dca::test {
namespace {

using namespace dca::golden;

template <class T, std::size_t Rank>
Tensor<T, static_cast<int>(Rank)> arbitrary(const std::array<std::int64_t, Rank>& extents, std::uint64_t seed) {
    Tensor<T, static_cast<int>(Rank)> tensor(extents);
    std::uint64_t element = 0;
    for (T& value : tensor.values()) {
        value = static_cast<T>(std::abs(unit_element(seed, InputTensor::q, element++)) / 3);
    }
    return tensor;
}

h5::Handle open_object(hid_t file, const std::string& path) {
    return {H5Oopen(file, path.c_str(), H5P_DEFAULT), H5Oclose, "test: cannot open " + path};
}

}  // namespace

CaseData sample_case(const CaseSpec& spec) {
    const Shape& shape = spec.problem.shape;
    CaseData data;
    data.id = spec.id;
    data.problem = spec.problem;
    data.inputs = make_inputs(spec);
    data.results.out = arbitrary<double>(out_extents(shape), 1);
    data.results.lse = arbitrary<double>(lse_extents(shape), 2);
    data.results.lse->values().front() = -INFINITY;
    data.certificates["out"] = {1e-15, true, true};
    data.certificates["lse"] = {INFINITY, false, false};
    JudgeData& judge = data.judge.emplace();
    judge.error_model_version = 1;
    judge.scales.out = arbitrary<float>(out_extents(shape), 3);
    judge.scales.lse = arbitrary<float>(lse_extents(shape), 4);
    if (data.inputs.dout) {
        data.results.dq = arbitrary<double>(q_extents(shape), 5);
        data.results.dk = arbitrary<double>(k_extents(shape), 6);
        data.results.dv = arbitrary<double>(v_extents(shape), 7);
        judge.scales.dq = arbitrary<float>(q_extents(shape), 8);
        judge.scales.dk = arbitrary<float>(k_extents(shape), 9);
        judge.scales.dv = arbitrary<float>(v_extents(shape), 10);
    }
    for (std::int64_t i = 0; i < shape.seq_q; ++i) judge.regions.query.push_back(static_cast<Region>(i % 4));
    for (std::int64_t j = 0; j < shape.seq_k; ++j) judge.regions.key.push_back(static_cast<Region>((j + 1) % 4));
    data.problem.facts.phase = Phase::prefill;
    data.problem.facts.prompt_length = {3, 4};
    data.provenance = {{"case_text", to_text(spec)},
                       {"seed", static_cast<std::int64_t>(spec.recipe.seed)},
                       {"measured_max_abs", 1e-9},
                       {"note", std::string("")}};
    return data;
}

CaseData sample_case(std::string_view text) {
    return sample_case(parse_case(text));
}

void write_file(const std::filesystem::path& path, const std::vector<CaseData>& cases) {
    FileWriter writer(path);
    for (const CaseData& data : cases) writer.write(data);
    writer.commit();
}

/// As somebody who changes a case knowingly would do.
void remove_case_checksums(hid_t file) {
    for (const h5::Child& child : h5::children(file, h5::most_objects)) {
        if (child.kind != h5::ObjectKind::group) continue;
        const h5::Handle group = h5::open_group(file, child.name);
        const std::string name(case_checksum_name);
        if (H5Aexists(group.get(), name.c_str()) > 0) H5Adelete(group.get(), name.c_str());
    }
}

void edit(const std::filesystem::path& path, const std::function<void(hid_t file)>& change) {
    h5::silence();
    h5::Handle file(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose, "test: cannot open " + path.string());
    change(file.get());
    remove_case_checksums(file.get());
    file.close("test: cannot close " + path.string());
}

void remove_object(hid_t file, const std::string& path) {
    h5::check(H5Ldelete(file, path.c_str(), H5P_DEFAULT), "test: cannot delete " + path);
}

void set_attribute(hid_t file, const std::string& object, const std::string& name, const AttributeValue& value) {
    const h5::Handle target = open_object(file, object);
    if (H5Aexists(target.get(), name.c_str()) > 0) H5Adelete(target.get(), name.c_str());
    h5::write_attribute(target.get(), name, value);
}

void remove_attribute(hid_t file, const std::string& object, const std::string& name) {
    const h5::Handle target = open_object(file, object);
    h5::check(H5Adelete(target.get(), name.c_str()), "test: cannot delete attribute " + name);
}

void put_dataset(hid_t file, const std::string& path, const std::vector<hsize_t>& extents, hid_t type,
                 const std::vector<double>& values) {
    const std::string action = "test: cannot write " + path;
    if (H5Lexists(file, path.c_str(), H5P_DEFAULT) > 0) remove_object(file, path);
    const h5::Handle space(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr), H5Sclose,
                           action);
    const h5::Handle dataset(H5Dcreate2(file, path.c_str(), type, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                             H5Dclose, action);
    h5::check(H5Dwrite(dataset.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), action);
}

std::string read_error(const std::filesystem::path& path) {
    try {
        const FileReader reader(path);
        for (const std::string& id : reader.case_ids()) static_cast<void>(reader.read(id));
    } catch (const FormatError& error) {
        return error.what();
    }
    return "read without error";
}

}  // namespace dca::test
