// The listing of a file as bytes, from the child process that walked through it to the parent that does not trust it.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "golden/h5_node.hpp"

namespace dca::golden::h5 {

[[nodiscard]] std::string to_bytes(const Node& root);

/// Throws FormatError for anything but what to_bytes() makes of the listing of a file of `file_size` bytes: headers are
/// checked again (products, places inside the file), so a child that the file has led astray can at worst list other
/// values.
[[nodiscard]] Node parse_catalogue(std::span<const std::byte> bytes, std::uint64_t file_size);

/// Groups nest no deeper: root, case, inputs / outputs / judge, dataset.
inline constexpr int deepest_node = 3;

/// CRC-32 of zlib over what a case says besides its elements: attributes (but for `except` on the case itself), names
/// of groups and datasets, types and shapes, checksums and certificates. Independent of where and how elements are
/// stored.
[[nodiscard]] std::uint32_t structure_checksum(const Node& case_group, const std::string& except);

}  // namespace dca::golden::h5
