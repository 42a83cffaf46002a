// Bank conflicts of shared memory, counted from the addresses that the lanes of a warp gave.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "gpu/machine/emulated/sites.hpp"

namespace dca::gpu::emulated {

/// 32 banks of 4 bytes; in one cycle a bank gives one word to any number of lanes.
struct BankCounts {
    std::int64_t accesses = 0;   ///< cycles without conflicts: one per group of lanes that is served together
    std::int64_t conflicts = 0;  ///< cycles beyond those
};

/// Adds an access of `size` bytes at each of `count` addresses, `count` at most 32. Lanes are served in groups of 128
/// bytes: all of a warp for up to 4 bytes, halves for 8, quarters for 16 (docs/kernels.md has the source).
void count_banks(const std::uint32_t* address, int count, std::uint32_t size, BankCounts& counts);

/// Accesses that lanes make one by one, put together: the n-th of every lane on one line since the warp last met is
/// taken to be one access of the warp, as it is where lanes run the line equally often.
class LaneAccesses {
public:
    void note(Site site, int lane, std::uint32_t byte, std::uint32_t size) {
        Line& line = find(site, size);
        const std::size_t n = line.made[static_cast<std::size_t>(lane)]++;
        if (line.addresses.size() < (n + 1) * 32) line.addresses.resize((n + 1) * 32, none);
        line.addresses[n * 32 + static_cast<std::size_t>(lane)] = byte;
    }
    /// Counts what was noted and forgets it.
    void flush(BankCounts& counts);
    [[nodiscard]] bool empty() const { return used_ == 0; }

private:
    static constexpr std::uint32_t none = 0xffffffffu;
    struct Line {
        Site site = 0;
        std::uint32_t size = 0;
        std::array<std::uint32_t, 32> made{};
        std::vector<std::uint32_t> addresses;  ///< by occurrence, then lane
    };
    Line& find(Site site, std::uint32_t size);

    std::vector<Line> lines_;
    std::size_t used_ = 0, latest_ = 0;
};

}  // namespace dca::gpu::emulated
