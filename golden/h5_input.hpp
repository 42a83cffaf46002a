// Opening an input file in the HDF5 library by its descriptor: the library cannot be made to look at another file than
// the one that was opened, takes no locks, and reads nothing beyond the end.
#pragma once

#include "golden/h5_handle.hpp"
#include "golden/input_file.hpp"

namespace dca::golden::h5 {

/// For child processes. Throws FormatError "not a readable HDF5 file (...)". The file outlives the handle.
[[nodiscard]] Handle open_input(const InputFile& file);

}  // namespace dca::golden::h5
