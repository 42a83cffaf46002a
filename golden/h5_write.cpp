// Writing datasets: contiguous, little-endian, no object times, checksum over the bytes as stored.
#include "golden/h5_attribute.hpp"
#include "golden/h5_dataset.hpp"
#include "golden/h5_stream.hpp"

namespace dca::golden::h5 {
namespace {

template <class T>
void write_elements(hid_t parent, const std::string& name, std::span<const std::int64_t> extents, StoredType type,
                    std::span<const T> values) {
    DatasetStream dataset(parent, name, extents, type);
    dataset.append(values.data(), static_cast<std::int64_t>(values.size()));
    dataset.finish();
}

}  // namespace

void write_dataset_attribute(hid_t parent, const std::string& dataset, const std::string& name,
                             const AttributeValue& value) {
    const Handle opened(H5Dopen2(parent, dataset.c_str(), H5P_DEFAULT), H5Dclose, "cannot open dataset " + dataset);
    write_attribute(opened.get(), name, value);
}

Handle create_group(hid_t parent, const std::string& name) {
    const std::string action = "cannot create group " + name;
    const Handle creation(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, action);
    check(H5Pset_obj_track_times(creation.get(), false), action);
    return {H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, creation.get(), H5P_DEFAULT), H5Gclose, action};
}

void write_dataset(hid_t parent, const std::string& name, std::span<const std::int64_t> extents,
                   std::span<const double> values) {
    write_elements(parent, name, extents, StoredType::f64, values);
}
void write_dataset(hid_t parent, const std::string& name, std::span<const std::int64_t> extents,
                   std::span<const float> values) {
    write_elements(parent, name, extents, StoredType::f32, values);
}
void write_dataset(hid_t parent, const std::string& name, std::span<const std::int64_t> extents,
                   std::span<const std::int32_t> values) {
    write_elements(parent, name, extents, StoredType::i32, values);
}
void write_dataset(hid_t parent, const std::string& name, std::span<const std::int64_t> extents,
                   std::span<const std::uint8_t> values) {
    write_elements(parent, name, extents, StoredType::u8, values);
}

void write_dataset(hid_t parent, const std::string& name, std::span<const std::int64_t> extents,
                   std::span<const std::int64_t> values) {
    write_elements(parent, name, extents, StoredType::i64, values);
}

}  // namespace dca::golden::h5
