#include "tests/damage/damage.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <set>
#include <stdexcept>

namespace dca::test {

MemoryFile::MemoryFile() : descriptor_(memfd_create("dca_test", MFD_CLOEXEC)) {
    if (descriptor_ < 0) throw std::runtime_error("cannot make a file in memory");
    path_ = "/proc/self/fd/" + std::to_string(descriptor_);
}
MemoryFile::~MemoryFile() {
    close(descriptor_);
}

void MemoryFile::write(std::string_view bytes) {
    if (ftruncate(descriptor_, 0) != 0 || pwrite(descriptor_, bytes.data(), bytes.size(), 0) != ssize_t(bytes.size())) {
        throw std::runtime_error("cannot write a file in memory");
    }
}

std::uint64_t mixed(std::uint64_t seed, std::uint64_t number) {  // SplitMix64 (Steele, Lea, Flood 2014)
    std::uint64_t z = seed + (number + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

std::string with_bit_flipped(std::string bytes, std::uint64_t bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    return bytes;
}

std::vector<std::uint64_t> drawn_bits(std::size_t bytes, std::size_t count, std::uint64_t seed) {
    const std::uint64_t all = 8 * std::uint64_t{bytes};
    std::set<std::uint64_t> bits;
    for (std::uint64_t n = 0; bits.size() < std::min<std::uint64_t>(count, all); ++n) bits.insert(mixed(seed, n) % all);
    return {bits.begin(), bits.end()};
}

bool long_tests() {
    return std::getenv("DCA_LONG_TESTS") != nullptr;
}

}  // namespace dca::test
