// An untrusted file, opened once: whatever happens to its name later, every reader sees this file. What it holds may
// still change under a reader, so nobody relies on having seen a byte before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace dca::golden {

class InputFile {
public:
    /// Throws IoError "cannot open PATH: REASON" (no such file, no permission, not a regular file).
    explicit InputFile(const std::filesystem::path& path);
    ~InputFile();
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;

    [[nodiscard]] int descriptor() const { return descriptor_; }
    /// Bytes when it was opened.
    [[nodiscard]] std::uint64_t size() const { return size_; }
    /// Exactly these bytes from offset `at` on. Throws FormatError (without the name) if the file ends before.
    void read(std::uint64_t at, std::span<std::byte> out) const;

private:
    int descriptor_ = -1;
    std::uint64_t size_ = 0;
};

}  // namespace dca::golden
