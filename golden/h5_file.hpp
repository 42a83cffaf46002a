// An open, untrusted HDF5 file: its listing, made by a child process, and its bytes, read by this one. The HDF5 library
// never sees the file in this process.
#pragma once

#include <filesystem>
#include <memory>
#include <utility>

#include "golden/h5_node.hpp"
#include "golden/input_file.hpp"

namespace dca::golden::h5 {

class File {
public:
    /// Throws IoError naming the file (InputFile) or FormatError without its name: no HDF5 file, truncated, so damaged
    /// that the library crashes or does not come to an end.
    explicit File(const std::filesystem::path& path);

    /// With a listing from elsewhere, which must have passed parse_catalogue().
    File(const std::filesystem::path& path, Node listing)
        : bytes_(std::make_shared<const InputFile>(path)), root_(std::move(listing)) {}

    [[nodiscard]] const Node& root() const { return root_; }
    [[nodiscard]] const InputFile& bytes() const { return *bytes_; }
    /// The same, for readers that may live longer than this.
    [[nodiscard]] std::shared_ptr<const InputFile> shared_bytes() const { return bytes_; }

private:
    std::shared_ptr<const InputFile> bytes_;
    Node root_;
};

}  // namespace dca::golden::h5
