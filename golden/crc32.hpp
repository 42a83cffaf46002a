// The checksum of datasets, fast: CRC-32 as zlib defines it, by carry-less multiplication where the processor has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dca::golden {

/// The checksum of what `so_far` is the checksum of, followed by `bytes`. 0 is the checksum of nothing.
[[nodiscard]] std::uint32_t crc32(std::uint32_t so_far, std::span<const std::byte> bytes);

/// The checksum of two runs of bytes, one after the other, from that of each; `second_size`: bytes of the second.
[[nodiscard]] std::uint32_t crc32_of_both(std::uint32_t first, std::uint32_t second, std::uint64_t second_size);

/// Throws FormatError unless `actual` is the checksum that the file says; nothing: it says none.
void require_checksum(std::optional<std::uint32_t> wanted, std::uint32_t actual);

}  // namespace dca::golden
