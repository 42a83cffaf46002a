#include "golden/h5_header.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "golden/h5_attribute.hpp"
#include "golden/h5_handle.hpp"
#include "golden/schema.hpp"
#include "golden/text.hpp"
#include "reference/spec/problem.hpp"

namespace dca::golden::h5 {
namespace {

/// Where sign, exponent and significand of an IEEE-like type lie.
struct BitFields {
    std::size_t sign, exponent, exponent_bits, significand, significand_bits, bias;
    friend bool operator==(const BitFields&, const BitFields&) = default;
};
constexpr BitFields f16_fields{15, 10, 5, 0, 10, 15};
constexpr BitFields bf16_fields{15, 7, 8, 0, 7, 127};

bool equal(hid_t type, hid_t other) {
    return check(H5Tequal(type, other), "has an unreadable type") > 0;
}

bool is_big_endian(hid_t type) {
    const H5T_order_t order = H5Tget_order(type);
    if (order != H5T_ORDER_LE && order != H5T_ORDER_BE) throw FormatError("has an unusual byte order");
    return order == H5T_ORDER_BE;
}

ElementType float_type(hid_t type) {
    if (equal(type, H5T_IEEE_F64LE) || equal(type, H5T_IEEE_F64BE)) return {.bytes = 8, .dtype = Dtype::f64};
    if (equal(type, H5T_IEEE_F32LE) || equal(type, H5T_IEEE_F32BE)) return {.bytes = 4, .dtype = Dtype::f32};
    BitFields fields{};
    check(H5Tget_fields(type, &fields.sign, &fields.exponent, &fields.exponent_bits, &fields.significand,
                        &fields.significand_bits),
          "has an unreadable type");
    fields.bias = H5Tget_ebias(type);
    const bool plain = H5Tget_size(type) == 2 && H5Tget_precision(type) == 16 && H5Tget_norm(type) == H5T_NORM_IMPLIED;
    if (plain && fields == f16_fields) return {.bytes = 2, .dtype = Dtype::f16};
    if (plain && fields == bf16_fields) return {.bytes = 2, .dtype = Dtype::bf16};
    throw FormatError("has a floating-point type of " + std::to_string(8 * H5Tget_size(type)) +
                      " bits that is none of float64, float32, float16, bfloat16");
}

std::optional<std::string> storage_attribute(hid_t dataset) {
    if (check(H5Aexists(dataset, "storage"), "cannot look for attribute storage") == 0) return std::nullopt;
    constexpr std::size_t longest = 100;
    const AttributeValue value = read_attribute(dataset, "storage", longest);
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    throw FormatError("attribute storage is " + std::string(kind_text(value)) + ", expected a string");
}

/// Bit patterns of a 16- or 8-bit format are stored as integers of that size with the format's name in `storage`.
ElementType integer_type(hid_t dataset, hid_t type) {
    const std::size_t bytes = H5Tget_size(type);
    const bool plain =
        bytes <= 8 && std::has_single_bit(bytes) && H5Tget_precision(type) == 8 * bytes && H5Tget_offset(type) == 0;
    if (!plain) throw FormatError("has an unusual integer type of " + std::to_string(8 * bytes) + " bits");
    const auto storage = storage_attribute(dataset);
    if (!storage) return {.integer = true, .is_signed = H5Tget_sign(type) == H5T_SGN_2, .bytes = bytes};
    const auto dtype = parse_dtype(*storage);
    if (!dtype || traits(*dtype).storage_bits > 16) {
        throw FormatError("attribute storage is '" + printable(*storage) + "', expected f16, bf16, e4m3 or e5m2");
    }
    if (traits(*dtype).storage_bits != static_cast<int>(8 * bytes)) {
        throw FormatError("attribute storage is " + *storage + ", but its integers have " + std::to_string(8 * bytes) +
                          " bits");
    }
    return {.bytes = bytes, .dtype = *dtype};
}

ElementType element_type(hid_t dataset) {
    const Handle type(H5Dget_type(dataset), H5Tclose, "has an unreadable type");
    if (check(H5Tcommitted(type.get()), "has an unreadable type") > 0) {
        throw FormatError("has a type that is an object of the file, which is not accepted");
    }
    const H5T_class_t kind = H5Tget_class(type.get());
    if (kind != H5T_FLOAT && kind != H5T_INTEGER) {
        throw FormatError("holds neither floating-point numbers nor integers");
    }
    ElementType element = kind == H5T_FLOAT ? float_type(type.get()) : integer_type(dataset, type.get());
    element.big_endian = element.bytes > 1 && is_big_endian(type.get());
    return element;
}

void read_extents(hid_t dataset, Header& header) {
    const Handle space(H5Dget_space(dataset), H5Sclose, "has an unreadable shape");
    if (H5Sget_simple_extent_type(space.get()) == H5S_NULL) throw FormatError("is empty");
    const int rank = check(H5Sget_simple_extent_ndims(space.get()), "has an unreadable shape");
    std::vector<hsize_t> extents(static_cast<std::size_t>(rank));
    check(H5Sget_simple_extent_dims(space.get(), extents.data(), nullptr), "has an unreadable shape");
    if (rank == 0) throw FormatError("is a single number, expected an array");
    header.count = 1;
    for (hsize_t extent : extents) {
        if (extent == 0) throw FormatError("has an axis of length 0");
        if (extent > static_cast<hsize_t>(max_elements / header.count)) {
            throw FormatError("claims more than 2^40 elements");
        }
        header.count *= static_cast<std::int64_t>(extent);
        header.extents.push_back(static_cast<std::int64_t>(extent));
    }
}

/// Refuses every filter but the three that are always available and harmless. Returns whether the bytes are compressed.
bool check_filters(hid_t creation) {
    bool compressed = false;
    std::vector<H5Z_filter_t> seen;
    const int filters = check(H5Pget_nfilters(creation), "has unreadable filters");
    for (int i = 0; i < filters; ++i) {
        unsigned flags = 0, config = 0;
        std::size_t values = 0;
        const H5Z_filter_t id =
            H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values, nullptr, 0, nullptr, &config);
        if (id == H5Z_FILTER_DEFLATE) compressed = true;
        if (id != H5Z_FILTER_DEFLATE && id != H5Z_FILTER_SHUFFLE && id != H5Z_FILTER_FLETCHER32) {
            throw FormatError("uses HDF5 filter " + std::to_string(id) +
                              "; only deflate, shuffle and fletcher32 are accepted");
        }
        if (std::find(seen.begin(), seen.end(), id) != seen.end()) {
            throw FormatError("uses HDF5 filter " + std::to_string(id) + " twice");
        }
        seen.push_back(id);
    }
    return compressed;
}

/// Bytes of one chunk.
hsize_t check_chunk_size(hid_t creation, const Header& header) {
    constexpr hsize_t always_fine = hsize_t{1} << 24;
    std::vector<hsize_t> chunk(header.extents.size());
    check(H5Pget_chunk(creation, static_cast<int>(chunk.size()), chunk.data()), "has an unreadable chunk shape");
    const hsize_t limit = std::max(always_fine, static_cast<hsize_t>(header.count) * header.type.bytes);
    hsize_t bytes = header.type.bytes;
    for (hsize_t extent : chunk) {
        if (extent == 0 || bytes > limit / extent) throw FormatError("has HDF5 chunks larger than the dataset");
        bytes *= extent;
    }
    return bytes;
}

void check_stored_bytes(hsize_t needed, hsize_t stored, bool compressed) {
    constexpr hsize_t deflate_limit = 1032;  // its format: 258 bytes for a length and a distance code of one bit each
    if (needed > (compressed ? stored * deflate_limit : stored)) {
        throw FormatError("claims " + std::to_string(needed) + " bytes, but the file stores only " +
                          std::to_string(stored) + " for it");
    }
    if (needed > always_expanded && needed / most_expansion > stored) {
        throw FormatError("unpacks " + std::to_string(stored) + " bytes to " + std::to_string(needed) +
                          ", which is not accepted; store it without compression");
    }
}

/// The bytes the elements need must be in this file, so that a small file cannot ask for large memory.
void check_storage(hid_t dataset, hid_t creation, Header& header) {
    const hsize_t needed = static_cast<hsize_t>(header.count) * header.type.bytes;
    const hsize_t in_file = file_size(dataset);
    if (check(H5Pget_external_count(creation), "has unreadable storage") > 0)
        throw FormatError("keeps its data in another file");
    const H5D_layout_t layout = H5Pget_layout(creation);
    bool compressed = false;
    switch (layout) {
        case H5D_COMPACT:
        case H5D_CONTIGUOUS: break;
        case H5D_CHUNKED:
            compressed = check_filters(creation);
            header.chunk_bytes = check_chunk_size(creation, header);
            break;
        case H5D_VIRTUAL: throw FormatError("is a virtual dataset, which is not accepted");
        case H5D_LAYOUT_ERROR:
        case H5D_NLAYOUTS: fail("has an unreadable layout");
    }
    check_stored_bytes(needed, std::min<hsize_t>(H5Dget_storage_size(dataset), in_file), compressed);
    if (layout != H5D_CONTIGUOUS) return;
    const haddr_t start = H5Dget_offset(dataset);
    if (start == HADDR_UNDEF || start > in_file - needed) throw FormatError("lies beyond the end of the file");
    header.offset = start;
}

}  // namespace

Header check_header(hid_t dataset) {
    Header header;
    header.type = element_type(dataset);
    read_extents(dataset, header);
    const Handle creation(H5Dget_create_plist(dataset), H5Pclose, "has an unreadable layout");
    check_storage(dataset, creation.get(), header);
    return header;
}

}  // namespace dca::golden::h5
