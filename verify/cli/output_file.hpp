// Targets of -o and of the report options: checked before anything is computed, replaced in one step or not at all.
#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <vector>

namespace dca::cli {

/// Throws IoError unless `target` can become a regular file: its folder exists, it is not a folder, a device or a
/// symbolic link, and it is none of `sources` (which would be destroyed), whatever the names they go by.
void require_writable_target(const std::filesystem::path& target, const std::vector<std::filesystem::path>& sources);

/// Writes through a temporary file in the folder of `target` and renames it. Throws IoError; the target is then as
/// before.
void write_text_file(const std::filesystem::path& target, const std::function<void(std::ostream&)>& write);

}  // namespace dca::cli
