// Files in memory, and reproducible ways to damage them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dca::test {

/// A file without a place on a disk. Its name works for every reader of this process and of its children.
class MemoryFile {
public:
    MemoryFile();
    ~MemoryFile();
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    /// Replaces the content.
    void write(std::string_view bytes);
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    int descriptor_;
    std::string path_;
};

/// Well mixed 64 bits of a seed and a number.
[[nodiscard]] std::uint64_t mixed(std::uint64_t seed, std::uint64_t number);

/// The bytes with one bit flipped, bit n of all.
[[nodiscard]] std::string with_bit_flipped(std::string bytes, std::uint64_t bit);

/// `count` different bits, or all there are, drawn by the seed, ascending.
[[nodiscard]] std::vector<std::uint64_t> drawn_bits(std::size_t bytes, std::size_t count, std::uint64_t seed);

/// Whether DCA_LONG_TESTS is set: everything instead of a sample.
[[nodiscard]] bool long_tests();

/// How many of each there were.
struct Tally {
    std::size_t same = 0, refused = 0, other_values = 0, tried = 0;
};

}  // namespace dca::test
