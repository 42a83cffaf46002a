#include "golden/h5_attribute.hpp"

#include <cstring>
#include <limits>
#include <optional>
#include <utility>

namespace dca::golden::h5 {
namespace {

struct Names {
    std::vector<std::string> found;
    std::size_t most;
};

/// An exception must not pass through the library. 1 ends the listing.
herr_t collect_name(hid_t, const char* name, const H5A_info_t*, void* out) {
    auto& names = *static_cast<Names*>(out);
    if (names.found.size() > names.most) return 1;
    names.found.emplace_back(name);
    return 0;
}

std::string until_nul(const char* text, std::size_t size) {
    return {text, strnlen(text, size)};
}

std::string read_variable_string(hid_t attribute, hid_t type, std::size_t most_bytes) {
    const Handle memory(H5Tcopy(type), H5Tclose, "cannot copy a string type");
    char* text = nullptr;
    check(H5Aread(attribute, memory.get(), &text), "cannot be read");
    const std::size_t size = text == nullptr ? 0 : strnlen(text, most_bytes + 1);
    const std::string value(text == nullptr ? "" : text, size);
    H5free_memory(text);
    if (size > most_bytes) throw FormatError("is longer than is accepted");
    return value;
}

std::string read_fixed_string(hid_t attribute, hid_t type) {
    std::vector<char> buffer(H5Tget_size(type) + 1);
    check(H5Aread(attribute, type, buffer.data()), "cannot be read");
    std::string value = until_nul(buffer.data(), buffer.size());
    if (H5Tget_strpad(type) == H5T_STR_SPACEPAD) value.erase(value.find_last_not_of(' ') + 1);
    return value;
}

std::vector<std::int64_t> read_integers(hid_t attribute, hid_t type, std::size_t count) {
    std::vector<std::int64_t> values(count);
    if (H5Tget_size(type) > 8) throw FormatError("is an integer of more than 64 bits");
    if (H5Tget_size(type) == 8 && H5Tget_sign(type) == H5T_SGN_NONE) {
        // The library would clamp what does not fit.
        std::vector<std::uint64_t> wide(count);
        check(H5Aread(attribute, H5T_NATIVE_UINT64, wide.data()), "cannot be read");
        for (std::size_t i = 0; i < count; ++i) {
            if (wide[i] > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
                throw FormatError("is " + std::to_string(wide[i]) + ", beyond 64-bit signed integers");
            }
            values[i] = static_cast<std::int64_t>(wide[i]);
        }
        return values;
    }
    check(H5Aread(attribute, H5T_NATIVE_INT64, values.data()), "cannot be read");
    return values;
}

std::vector<double> read_reals(hid_t attribute, hid_t type, std::size_t count) {
    if (H5Tget_size(type) > 8) throw FormatError("is a floating-point number of more than 64 bits");
    std::vector<double> values(count);
    check(H5Aread(attribute, H5T_NATIVE_DOUBLE, values.data()), "cannot be read");
    return values;
}

template <class T>
AttributeValue scalar_or_array(std::vector<T> values, bool scalar) {
    if (scalar) return values.front();
    return values;
}

/// Creates the attribute and writes it, contiguous elements from `data`; an array if `length` is given.
void write_as(hid_t object, const std::string& name, hid_t file_type, hid_t memory_type, const void* data,
              std::optional<std::size_t> length) {
    const std::string action = "cannot write attribute " + name;
    const hsize_t extent = length.value_or(0);
    const Handle space(length ? H5Screate_simple(1, &extent, nullptr) : H5Screate(H5S_SCALAR), H5Sclose, action);
    const Handle attribute(H5Acreate2(object, name.c_str(), file_type, space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
                           action);
    if (!length || *length > 0) check(H5Awrite(attribute.get(), memory_type, data), action);
}

}  // namespace

std::vector<std::string> attribute_names(hid_t object, std::size_t most) {
    Names names{{}, most};
    hsize_t position = 0;
    check(H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, &position, collect_name, &names), "cannot list attributes");
    if (names.found.size() > most) throw FormatError("has more attributes than is accepted");
    return std::move(names.found);
}

AttributeValue read_attribute(hid_t object, const std::string& name, std::size_t most_bytes) {
    const Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose, "cannot be opened");
    const Handle type(H5Aget_type(attribute.get()), H5Tclose, "has an unreadable type");
    const Handle space(H5Aget_space(attribute.get()), H5Sclose, "has an unreadable shape");
    const int rank = check(H5Sget_simple_extent_ndims(space.get()), "has an unreadable shape");
    const auto count = check(H5Sget_simple_extent_npoints(space.get()), "has an unreadable shape");
    const bool scalar = rank == 0;
    if (rank > 1) throw FormatError("has " + std::to_string(rank) + " dimensions, expected a scalar or a list");
    if (scalar && count != 1) throw FormatError("is empty");
    if (H5Aget_storage_size(attribute.get()) > file_size(object))
        throw FormatError("claims more bytes than the file has");
    if (H5Aget_storage_size(attribute.get()) > most_bytes) throw FormatError("is longer than is accepted");
    switch (H5Tget_class(type.get())) {
        case H5T_INTEGER:
            return scalar_or_array(read_integers(attribute.get(), type.get(), static_cast<std::size_t>(count)), scalar);
        case H5T_FLOAT:
            return scalar_or_array(read_reals(attribute.get(), type.get(), static_cast<std::size_t>(count)), scalar);
        case H5T_STRING:
            if (count != 1) throw FormatError("is a list of strings, expected one");
            return check(H5Tis_variable_str(type.get()), "has an unreadable type") > 0
                       ? read_variable_string(attribute.get(), type.get(), most_bytes)
                       : read_fixed_string(attribute.get(), type.get());
        case H5T_NO_CLASS:
        case H5T_TIME:
        case H5T_BITFIELD:
        case H5T_OPAQUE:
        case H5T_COMPOUND:
        case H5T_REFERENCE:
        case H5T_ENUM:
        case H5T_VLEN:
        case H5T_ARRAY:
        case H5T_NCLASSES: break;
    }
    throw FormatError("is neither an integer, a floating-point number nor a string");
}

void write_attribute(hid_t object, const std::string& name, const AttributeValue& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        write_as(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, integer, {});
    } else if (const auto* real = std::get_if<double>(&value)) {
        write_as(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, real, {});
    } else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value)) {
        write_as(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, integers->data(), integers->size());
    } else if (const auto* reals = std::get_if<std::vector<double>>(&value)) {
        write_as(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, reals->data(), reals->size());
    } else {
        const auto& text = std::get<std::string>(value);
        const char* characters = text.c_str();
        const Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "cannot make a string type");
        check(H5Tset_size(type.get(), H5T_VARIABLE), "cannot make a string type");
        check(H5Tset_cset(type.get(), H5T_CSET_UTF8), "cannot make a string type");
        write_as(object, name, type.get(), type.get(), &characters, {});
    }
}

}  // namespace dca::golden::h5
