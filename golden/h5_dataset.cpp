// Reading. The crc32 attribute covers the elements as little-endian bytes, whatever the byte order in the file.
#include "golden/h5_dataset.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "golden/crc32.hpp"
#include "golden/h5_attribute.hpp"
#include "golden/h5_header.hpp"
#include "golden/schema.hpp"
#include "golden/text.hpp"

namespace dca::golden::h5 {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are handled as little-endian bytes");

template <class T>
T element_at(std::span<const std::byte> bytes, std::int64_t index) {
    T value;
    std::memcpy(&value, bytes.data() + static_cast<std::size_t>(index) * sizeof(T), sizeof(T));
    return value;
}

double number_at(std::span<const std::byte> bytes, std::int64_t index, Dtype dtype) {
    switch (dtype) {
        case Dtype::f64: return element_at<double>(bytes, index);
        case Dtype::f32:
        case Dtype::tf32: return static_cast<double>(element_at<float>(bytes, index));
        case Dtype::f16:
        case Dtype::bf16: return decode(dtype, element_at<std::uint16_t>(bytes, index));
        case Dtype::e4m3:
        case Dtype::e5m2: return decode(dtype, element_at<std::uint8_t>(bytes, index));
    }
    throw ContractError("no such dtype");
}

std::int64_t integer_at(std::span<const std::byte> bytes, std::int64_t index, const ElementType& type) {
    switch (type.bytes) {
        case 1: return type.is_signed ? element_at<std::int8_t>(bytes, index) : element_at<std::uint8_t>(bytes, index);
        case 2:
            return type.is_signed ? element_at<std::int16_t>(bytes, index) : element_at<std::uint16_t>(bytes, index);
        case 4:
            return type.is_signed ? element_at<std::int32_t>(bytes, index) : element_at<std::uint32_t>(bytes, index);
        default: break;
    }
    const auto value = element_at<std::int64_t>(bytes, index);
    if (!type.is_signed && value < 0) throw FormatError("holds an integer beyond 64-bit signed integers");
    return value;
}

}  // namespace

Dataset::Dataset(hid_t parent, const std::string& name)
    : id_(H5Dopen2(parent, name.c_str(), H5P_DEFAULT), H5Dclose, "cannot be opened") {
    const Header header = check_header(id_.get());
    extents_ = header.extents;
    count_ = header.count;
    type_ = header.type;
    chunked_ = header.chunked;
}

std::vector<std::string> Dataset::unknown_attributes() const {
    std::vector<std::string> names = attribute_names(id_.get());
    constexpr std::string_view known[] = {"correctly_rounded", "crc32", "error_radius", "error_radius_proven",
                                          "storage"};
    std::erase_if(names, [&](const std::string& name) { return std::ranges::find(known, name) != std::end(known); });
    return names;
}

std::optional<AttributeValue> Dataset::attribute(const std::string& name) const {
    const std::vector<std::string> names = attribute_names(id_.get());
    if (std::ranges::find(names, name) == names.end()) return std::nullopt;
    return read_attribute(id_.get(), name);
}

std::optional<std::uint32_t> Dataset::stored_checksum() const {
    if (check(H5Aexists(id_.get(), "crc32"), "cannot look for attribute crc32") == 0) return std::nullopt;
    const AttributeValue stored = unwrapped(read_attribute(id_.get(), "crc32"));
    const auto* value = std::get_if<std::int64_t>(&stored);
    if (value == nullptr)
        throw FormatError("attribute crc32 is " + std::string(kind_text(stored)) + ", expected an integer");
    if (*value < 0 || *value > std::numeric_limits<std::uint32_t>::max())
        throw FormatError("attribute crc32 is " + std::to_string(*value) + ", no checksum of 32 bits");
    return static_cast<std::uint32_t>(*value);
}

void Dataset::read_raw(std::span<std::byte> out) const {
    const Handle file_type(H5Dget_type(id_.get()), H5Tclose, "has an unreadable type");
    const Handle memory_type(H5Tcopy(file_type.get()), H5Tclose, "has an unreadable type");
    check(H5Tset_order(memory_type.get(), H5T_ORDER_LE), "has an unreadable type");
    check(H5Dread(id_.get(), memory_type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, out.data()), "cannot be read");
    const std::optional<std::uint32_t> expected = stored_checksum();
    if (!expected) return;
    if (const std::uint32_t actual = crc32(0, out); actual != *expected) {
        throw FormatError("checksum mismatch: crc32 is " + std::to_string(actual) + ", the file says " +
                          std::to_string(*expected) + "; the data was altered or damaged");
    }
}

void Dataset::read(std::span<double> out) const {
    expects(!type_.integer && static_cast<std::int64_t>(out.size()) == count_, "read: wrong type or size");
    if (type_.dtype == Dtype::f64) return read_raw(std::as_writable_bytes(out));
    std::vector<std::byte> bytes(out.size() * type_.bytes);
    read_raw(bytes);
    for (std::int64_t i = 0; i < count_; ++i) out[static_cast<std::size_t>(i)] = number_at(bytes, i, type_.dtype);
}

std::vector<std::int64_t> Dataset::read_integers() const {
    expects(type_.integer, "read_integers: a dataset of numbers");
    std::vector<std::byte> bytes(static_cast<std::size_t>(count_) * type_.bytes);
    read_raw(bytes);
    std::vector<std::int64_t> values(static_cast<std::size_t>(count_));
    for (std::int64_t i = 0; i < count_; ++i) values[static_cast<std::size_t>(i)] = integer_at(bytes, i, type_);
    return values;
}

}  // namespace dca::golden::h5
