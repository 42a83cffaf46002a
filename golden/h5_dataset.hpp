// Datasets of untrusted files: type, layout and sizes are checked before any memory is asked for, the checksum after.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "golden/h5_handle.hpp"
#include "golden/store.hpp"
#include "reference/spec/dtype.hpp"

namespace dca::golden::h5 {

/// How the elements lie in the file: a number format (docs/golden_format.md says how 16 and 8 bits are stored), or
/// plain integers.
struct ElementType {
    bool integer = false;
    bool is_signed = false;  ///< integers only
    std::size_t bytes = 0;
    Dtype dtype = Dtype::f64;  ///< numbers only
};

/// An open dataset whose header has been found sound: an accepted element type; contiguous, compact or chunked layout
/// inside this file; no filters but deflate, shuffle and fletcher32; and no more elements than the file really stores
/// (deflate: than its stored bytes could expand to).
class Dataset {
public:
    /// Opens `name` under `parent`, which must be a hard link to a dataset. Throws FormatError (without the name).
    Dataset(hid_t parent, const std::string& name);

    [[nodiscard]] const std::vector<std::int64_t>& extents() const { return extents_; }
    [[nodiscard]] std::int64_t count() const { return count_; }
    [[nodiscard]] const ElementType& type() const { return type_; }
    [[nodiscard]] bool chunked() const { return chunked_; }
    /// An attribute of the dataset, if it is there. Throws FormatError as read_attribute.
    [[nodiscard]] std::optional<AttributeValue> attribute(const std::string& name) const;
    /// Names of attributes that have no meaning on a dataset.
    [[nodiscard]] std::vector<std::string> unknown_attributes() const;

    /// Reads every element of a numeric dataset; `out` has count() elements. Verifies the crc32 attribute if there is
    /// one. Throws FormatError. Precondition: type() is not an integer type.
    void read(std::span<double> out) const;
    /// Reads every element of an integer dataset. Precondition: type().integer.
    [[nodiscard]] std::vector<std::int64_t> read_integers() const;

    /// The crc32 attribute, if there is one. Throws FormatError if it is none.
    [[nodiscard]] std::optional<std::uint32_t> stored_checksum() const;
    [[nodiscard]] hid_t id() const { return id_.get(); }

private:
    void read_raw(std::span<std::byte> out) const;

    Handle id_;
    std::vector<std::int64_t> extents_;
    std::int64_t count_ = 0;
    ElementType type_;
    bool chunked_ = false;
};

/// Adds an attribute to a dataset under `parent`.
void write_dataset_attribute(hid_t parent, const std::string& dataset, const std::string& name,
                             const AttributeValue& value);

/// A new group that records no times.
[[nodiscard]] Handle create_group(hid_t parent, const std::string& name);

/// Writes one contiguous little-endian dataset with its crc32 attribute.
void write_dataset(hid_t parent, const std::string& name, std::span<const std::int64_t> extents,
                   std::span<const double> values);
void write_dataset(hid_t parent, const std::string& name, std::span<const std::int64_t> extents,
                   std::span<const float> values);
void write_dataset(hid_t parent, const std::string& name, std::span<const std::int64_t> extents,
                   std::span<const std::int32_t> values);
void write_dataset(hid_t parent, const std::string& name, std::span<const std::int64_t> extents,
                   std::span<const std::uint8_t> values);
void write_dataset(hid_t parent, const std::string& name, std::span<const std::int64_t> extents,
                   std::span<const std::int64_t> values);

}  // namespace dca::golden::h5
