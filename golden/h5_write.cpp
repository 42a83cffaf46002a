// Writing datasets: contiguous, little-endian, no object times, checksum over the bytes as stored.
#include <zlib.h>

#include <bit>

#include "golden/h5_attribute.hpp"
#include "golden/h5_dataset.hpp"

namespace dca::golden::h5 {
namespace {

static_assert(std::endian::native == std::endian::little, "the checksum is over little-endian bytes");

template <class T>
void write_elements(hid_t parent, const std::string& name, std::span<const std::int64_t> extents, hid_t type,
                    std::span<const T> values) {
    const std::string action = "cannot write dataset " + name;
    const std::vector<hsize_t> sizes(extents.begin(), extents.end());
    const Handle space(H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr), H5Sclose, action);
    const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, action);
    check(H5Pset_obj_track_times(creation.get(), false), action);
    check(H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER), action);
    const Handle dataset(H5Dcreate2(parent, name.c_str(), type, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
                         H5Dclose, action);
    check(H5Dwrite(dataset.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), action);
    const auto checksum = crc32_z(0, reinterpret_cast<const Bytef*>(values.data()), values.size_bytes());
    write_attribute(dataset.get(), "crc32", static_cast<std::int64_t>(checksum));
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
    write_elements(parent, name, extents, H5T_IEEE_F64LE, values);
}
void write_dataset(hid_t parent, const std::string& name, std::span<const std::int64_t> extents,
                   std::span<const float> values) {
    write_elements(parent, name, extents, H5T_IEEE_F32LE, values);
}
void write_dataset(hid_t parent, const std::string& name, std::span<const std::int64_t> extents,
                   std::span<const std::int32_t> values) {
    write_elements(parent, name, extents, H5T_STD_I32LE, values);
}
void write_dataset(hid_t parent, const std::string& name, std::span<const std::int64_t> extents,
                   std::span<const std::uint8_t> values) {
    write_elements(parent, name, extents, H5T_STD_U8LE, values);
}

}  // namespace dca::golden::h5
