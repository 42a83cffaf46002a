// The HDF5 library crashes or loops for ever on some damaged files. So a child process walks through a file's structure
// first, and what kills the child is reported instead of killing us.
#pragma once

#include <filesystem>

namespace dca::golden::h5 {

/// Opens every object, reads every attribute, and reads the datasets whose storage has a structure of its own (chunks),
/// all in a child process with a limit on processor time. Returns if the child survived, whatever errors it met: they
/// will be met again. Throws FormatError (without the file's name) if it did not, IoError if no child process could be
/// started.
void probe(const std::filesystem::path& path);

}  // namespace dca::golden::h5
