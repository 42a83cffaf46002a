// A dataset that is filled in order, piece by piece: space and checksum attribute are laid out when it is made, so the
// bytes of the file do not depend on the pieces, nor on how several datasets take turns.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "golden/h5_handle.hpp"

namespace dca::golden::h5 {

enum class StoredType : std::uint8_t { f64, f32, i64, i32, u8 };

class DatasetStream {
public:
    /// Creates the dataset: contiguous, little-endian, no object times.
    DatasetStream(hid_t parent, const std::string& name, std::span<const std::int64_t> extents, StoredType type);

    [[nodiscard]] StoredType type() const { return type_; }
    [[nodiscard]] bool full() const { return written_ == count_; }
    /// The next elements, already in the stored type. Precondition: they fit.
    void append(const void* elements, std::int64_t count);
    /// Writes the checksum. Precondition: full().
    void finish();

private:
    void write_box(const std::byte* elements, std::span<const hsize_t> start, std::span<const hsize_t> count);

    std::string name_;
    StoredType type_;
    std::vector<std::int64_t> extents_;
    std::int64_t count_ = 1, written_ = 0;
    std::uint32_t checksum_ = 0;
    Handle dataset_, space_;
};

}  // namespace dca::golden::h5
