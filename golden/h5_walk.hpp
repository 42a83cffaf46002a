// Lists an HDF5 file with the library. The library (1.10.8) crashes, loops for ever or asks for any amount of memory on
// some damaged files, so untrusted files are walked in a child process alone.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "golden/h5_handle.hpp"
#include "golden/h5_node.hpp"
#include "golden/input_file.hpp"

namespace dca::golden::h5 {

/// Everything down to the datasets: attributes with values, headers checked, nothing of the elements. What cannot be
/// read is a fault of its node. Throws FormatError where there are more objects than a tensor file could sensibly have.
[[nodiscard]] Node walk(hid_t group, const std::string& name, int depth);

/// For a child process: opens and walks.
[[nodiscard]] Node walk_file(const InputFile& file);

/// For a child process: opens a dataset by its path and sends its elements, little-endian. Throws FormatError unless
/// its header still is this one.
void send_elements(const InputFile& file, const std::string& path, const Header& header,
                   const std::function<void(std::span<const std::byte>)>& send);

inline constexpr std::size_t most_objects = 50'000;                        ///< 2000 cases
inline constexpr std::size_t most_attributes = 1'000;                      ///< of one object
inline constexpr std::size_t most_attribute_bytes = std::size_t{1} << 20;  ///< of one attribute

}  // namespace dca::golden::h5
