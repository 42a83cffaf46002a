// A new HDF5 file under a temporary name, renamed when complete. The HDF5 library cannot live with a write that fails:
// on a full disk it can neither flush nor drop its metadata cache, and closing the file crashes it (seen with 1.10.8
// for almost every point of failure). So the file is written through a driver of our own that remembers the first
// failure, lets the library believe all is well, and has the failure reported when the file is closed.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "golden/h5_handle.hpp"

namespace dca::golden::h5 {

/// The failure of the underlying file, if any, and its descriptor; shared by OutputFile and the driver.
struct OutputState {
    int descriptor = -1;
    int error = 0;  ///< errno of the first write that failed, 0 while all is well
};

class OutputFile {
public:
    /// Creates the temporary file next to `target`. Throws IoError naming target and reason: no such folder, no
    /// permission, target is not a regular file.
    explicit OutputFile(std::filesystem::path target);
    /// Removes the temporary file unless committed.
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    [[nodiscard]] hid_t file() const { return file_.get(); }
    [[nodiscard]] const std::filesystem::path& target() const { return target_; }
    /// Throws IoError if a write has failed so far.
    void require_written() const;
    /// Closes, syncs and renames. Throws IoError; the target is then untouched.
    void commit();

private:
    [[noreturn]] void refuse(int error) const;
    void close_descriptor() noexcept;

    std::filesystem::path target_, temporary_;
    std::unique_ptr<OutputState> state_;
    Handle driver_, file_;
};

}  // namespace dca::golden::h5
