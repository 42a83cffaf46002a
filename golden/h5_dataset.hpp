// Datasets of untrusted files: type, layout and sizes are checked before any memory is asked for, the checksum after.
// And the writing of our own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "golden/h5_file.hpp"
#include "golden/h5_handle.hpp"
#include "golden/run_apart.hpp"

namespace dca::golden::h5 {

/// A dataset whose header has been found sound (h5_header.hpp).
class Dataset {
public:
    /// The dataset at this path below the root, "case/outputs/out". Throws FormatError (without the name). The file
    /// outlives the dataset.
    Dataset(const File& file, const std::string& path);

    [[nodiscard]] const std::vector<std::int64_t>& extents() const { return node_->header.extents; }
    [[nodiscard]] std::int64_t count() const { return node_->header.count; }
    [[nodiscard]] const ElementType& type() const { return node_->header.type; }
    /// Where the elements lie in the file one after the other; nothing if they do not.
    [[nodiscard]] std::optional<std::uint64_t> offset() const { return node_->header.offset; }
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
    /// The file it lies in.
    [[nodiscard]] const File& file() const { return *file_; }

private:
    friend class DatasetCursor;

    const File* file_;
    std::string path_;
    const Node* node_;
};

/// Reads the elements of a dataset in order, a piece at a time. The checksum is verified with the last piece.
class DatasetCursor {
public:
    /// The dataset outlives the cursor.
    explicit DatasetCursor(const Dataset& dataset);
    ~DatasetCursor();
    DatasetCursor(DatasetCursor&&) noexcept;
    DatasetCursor& operator=(DatasetCursor&&) = delete;
    /// The next elements. Throws FormatError. Precondition: there are so many, and they are numbers.
    void read(std::span<double> out);
    /// The same as they are stored, little-endian: out.size() / type().bytes elements.
    void read_raw(std::span<std::byte> out);
    [[nodiscard]] std::int64_t left() const { return dataset_.count() - done_; }

private:
    const Dataset& dataset_;
    std::unique_ptr<ChildProcess> child_;  ///< sends the elements that only the library can find
    std::int64_t done_ = 0;
    std::uint32_t checksum_ = 0;
    std::vector<std::byte> bytes_;
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
