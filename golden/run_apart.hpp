// Work that may crash through no fault of ours, done in a child process.
#pragma once

#include <functional>
#include <string>

namespace dca::golden {

/// Runs `work` in a child process that may use `seconds` of processor time, and returns what it returned. A FormatError
/// of the child is thrown here; FormatError too if the child crashed ("damaged: the HDF5 library crashes on it") or did
/// not end; IoError if there could be no child.
[[nodiscard]] std::string run_apart(unsigned seconds, const std::function<std::string()>& work);

}  // namespace dca::golden
