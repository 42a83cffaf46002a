#include "gpu/machine/emulated/bank_conflicts.hpp"

#include <algorithm>

namespace dca::gpu::emulated {
namespace {

/// Cycles for lanes served together: the most different words that one bank has to give.
int cycles(const std::uint32_t* address, int count, std::uint32_t size) {
    // Most often no two lanes meet in a bank.
    const std::uint32_t banks_each = size <= 4 ? 1 : (1u << size / 4) - 1;
    std::uint32_t taken = 0;
    int clear = 0;
    for (; clear < count; ++clear) {
        const std::uint32_t banks = banks_each << (address[clear] / 4 & 31);
        if (taken & banks) break;
        taken |= banks;
    }
    if (clear == count) return 1;
    std::uint32_t words[32][32];
    int different[32] = {};
    int most = 1;
    const std::uint32_t words_each = std::max(size / 4, 1u);
    for (int l = 0; l < count; ++l)
        for (std::uint32_t j = 0; j < words_each; ++j) {
            const std::uint32_t word = address[l] / 4 + j;
            std::uint32_t* seen = words[word % 32];
            int& n = different[word % 32];
            if (std::find(seen, seen + n, word) == seen + n) {
                seen[n++] = word;
                most = std::max(most, n);
            }
        }
    return most;
}

}  // namespace

void count_banks(const std::uint32_t* address, int count, std::uint32_t size, BankCounts& counts) {
    const int together = size <= 4 ? 32 : static_cast<int>(128 / size);
    for (int first = 0; first < count; first += together) {
        ++counts.accesses;
        counts.conflicts += cycles(address + first, std::min(together, count - first), size) - 1;
    }
}

LaneAccesses::Line& LaneAccesses::find(Site site, std::uint32_t size) {
    if (latest_ < used_ && lines_[latest_].site == site && lines_[latest_].size == size) return lines_[latest_];
    for (latest_ = 0; latest_ < used_; ++latest_)
        if (lines_[latest_].site == site && lines_[latest_].size == size) return lines_[latest_];
    if (used_ == lines_.size()) lines_.emplace_back();
    Line& line = lines_[used_++];
    line.site = site;
    line.size = size;
    return line;
}

void LaneAccesses::flush(BankCounts& counts) {
    for (std::size_t i = 0; i < used_; ++i) {
        Line& line = lines_[i];
        const int together = line.size <= 4 ? 32 : static_cast<int>(128 / line.size);
        for (std::size_t n = 0; n < line.addresses.size(); n += 32)
            for (int first = 0; first < 32; first += together) {
                std::uint32_t present[32];
                int count = 0;
                for (int l = first; l < first + together; ++l)
                    if (const std::uint32_t a = line.addresses[n + static_cast<std::size_t>(l)]; a != none)
                        present[count++] = a;
                if (count > 0) count_banks(present, count, line.size, counts);
            }
        line.made.fill(0);
        line.addresses.clear();
    }
    used_ = latest_ = 0;
}

}  // namespace dca::gpu::emulated
