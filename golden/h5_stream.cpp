#include "golden/h5_stream.hpp"

#include <bit>
#include <cstddef>

#include "golden/crc32.hpp"
#include "golden/h5_attribute.hpp"
#include "golden/h5_box.hpp"

namespace dca::golden::h5 {
namespace {

static_assert(std::endian::native == std::endian::little, "the checksum is over little-endian bytes");

hid_t library_type(StoredType type) {
    switch (type) {
        case StoredType::f64: return H5T_IEEE_F64LE;
        case StoredType::f32: return H5T_IEEE_F32LE;
        case StoredType::i64: return H5T_STD_I64LE;
        case StoredType::i32: return H5T_STD_I32LE;
        case StoredType::u8: return H5T_STD_U8LE;
    }
    throw ContractError("no such stored type");
}

std::size_t bytes_of(StoredType type) {
    switch (type) {
        case StoredType::f64:
        case StoredType::i64: return 8;
        case StoredType::f32:
        case StoredType::i32: return 4;
        case StoredType::u8: return 1;
    }
    throw ContractError("no such stored type");
}

}  // namespace

DatasetStream::DatasetStream(hid_t parent, const std::string& name, std::span<const std::int64_t> extents,
                             StoredType type)
    : name_(name), type_(type), extents_(extents.begin(), extents.end()) {
    const std::string action = "cannot write dataset " + name;
    for (const std::int64_t extent : extents_) count_ *= extent;
    const std::vector<hsize_t> sizes(extents_.begin(), extents_.end());
    space_ = Handle(H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr), H5Sclose, action);
    const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, action);
    check(H5Pset_obj_track_times(creation.get(), false), action);
    check(H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER), action);
    check(H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY), action);
    dataset_ = Handle(
        H5Dcreate2(parent, name.c_str(), library_type(type), space_.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
        H5Dclose, action);
    write_attribute(dataset_.get(), "crc32", std::int64_t{0});
}

void DatasetStream::append(const void* elements, std::int64_t count) {
    expects(count >= 0 && count <= count_ - written_, "DatasetStream: more elements than the dataset has");
    const auto* bytes = static_cast<const std::byte*>(elements);
    const std::size_t size = bytes_of(type_);
    checksum_ = crc32(checksum_, {bytes, static_cast<std::size_t>(count) * size});
    while (count > 0) {
        const Box box = next_box(extents_, written_, count);
        write_box(bytes, box.start, box.extent);
        bytes += static_cast<std::size_t>(box.count) * size;
        written_ += box.count;
        count -= box.count;
    }
}

void DatasetStream::write_box(const std::byte* elements, std::span<const hsize_t> start,
                              std::span<const hsize_t> count) {
    const std::string action = "cannot write dataset " + name_;
    check(H5Sselect_hyperslab(space_.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr), action);
    const Handle memory(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr), H5Sclose, action);
    check(H5Dwrite(dataset_.get(), library_type(type_), memory.get(), space_.get(), H5P_DEFAULT, elements), action);
}

void DatasetStream::finish() {
    expects(full(), "DatasetStream: elements are missing");
    const std::string action = "cannot write dataset " + name_;
    const Handle attribute(H5Aopen(dataset_.get(), "crc32", H5P_DEFAULT), H5Aclose, action);
    const auto value = static_cast<std::int64_t>(checksum_);
    check(H5Awrite(attribute.get(), H5T_NATIVE_INT64, &value), action);
    dataset_.reset();
}

}  // namespace dca::golden::h5
