// Opening a tensor file and checking its root: the schema attributes, and one group per case.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "golden/case_reader.hpp"

namespace dca::golden {

/// Opens for reading. Throws IoError naming the file (no such file, no permission, not a regular file) or FormatError
/// without its name (not an HDF5 file, truncated, so damaged that the library cannot be let near it).
[[nodiscard]] h5::Handle open_file(const std::filesystem::path& path);

/// Checks schema, version and producer, and that the root holds nothing but case groups. Returns the ids of those, in
/// lexical order.
[[nodiscard]] std::vector<std::string> read_root(hid_t file, const Report& report);

}  // namespace dca::golden
