#include "golden/bytes_reader.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "golden/crc32.hpp"
#include "reference/spec/error.hpp"

namespace dca::golden {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are handled as little-endian bytes");

/// Elements decoded at a time.
constexpr std::size_t block = 64;

template <class Bits>
void decode_block(Dtype dtype, const std::byte* from, double* to, std::size_t count) {
    std::array<Bits, block> bits;
    std::memcpy(bits.data(), from, count * sizeof(Bits));
    for (std::size_t i = 0; i < count; ++i) to[i] = decode(dtype, bits[i]);
}

void widen_block(Dtype dtype, const std::byte* from, double* to, std::size_t count) {
    switch (dtype) {
        case Dtype::f64: std::memmove(to, from, count * sizeof(double)); return;
        case Dtype::f32:
        case Dtype::tf32: {
            std::array<float, block> narrow;
            std::memcpy(narrow.data(), from, count * sizeof(float));
            std::copy(narrow.begin(), narrow.begin() + static_cast<std::ptrdiff_t>(count), to);
            return;
        }
        case Dtype::bf16: {
            std::array<std::uint16_t, block> bits;
            std::memcpy(bits.data(), from, count * sizeof(std::uint16_t));
            for (std::size_t i = 0; i < count; ++i) {
                to[i] = static_cast<double>(std::bit_cast<float>(std::uint32_t{bits[i]} << 16));
            }
            return;
        }
        case Dtype::f16: return decode_block<std::uint16_t>(dtype, from, to, count);
        case Dtype::e4m3:
        case Dtype::e5m2: return decode_block<std::uint8_t>(dtype, from, to, count);
    }
    throw ContractError("no such dtype");
}

class FlatReader final : public BytesReader {
public:
    FlatReader(std::shared_ptr<const InputFile> file, std::uint64_t offset, std::vector<std::int64_t> extents,
               Dtype dtype, std::optional<std::uint32_t> checksum)
        : BytesReader(std::move(extents), dtype, checksum), file_(std::move(file)), offset_(offset) {}

    [[nodiscard]] bool in_any_order() const override { return true; }

private:
    void load(std::int64_t first, std::span<std::byte> out) override {
        file_->read(offset_ + static_cast<std::uint64_t>(first) * element_size(), out);
    }

    std::shared_ptr<const InputFile> file_;
    std::uint64_t offset_;
};

}  // namespace

BytesReader::BytesReader(std::vector<std::int64_t> extents, Dtype dtype, std::optional<std::uint32_t> checksum)
    : TensorReader(std::move(extents)),
      dtype_(dtype),
      size_(static_cast<std::size_t>(traits(dtype).storage_bits) / 8),
      wanted_(checksum) {}

TensorReader::Piece BytesReader::loaded(std::int64_t first, std::size_t count_of, std::span<std::byte> bytes) {
    expects(first >= 0 && static_cast<std::int64_t>(count_of) <= count() - first,
            "TensorReader: more elements than the tensor has");
    load(first, bytes);
    return {first, static_cast<std::int64_t>(count_of), wanted_ ? crc32(0, bytes) : 0};
}

TensorReader::Piece BytesReader::fetch(std::int64_t first, std::span<double> out) {
    // Narrow elements are loaded into the end of where they go and widened from the first on: what is written never
    // reaches what is still to be read.
    const std::span<std::byte> bytes = std::as_writable_bytes(out).last(out.size() * size_);
    const Piece piece = loaded(first, out.size(), bytes);
    if (size_ == sizeof(double)) return piece;
    for (std::size_t i = 0; i < out.size(); i += block) {
        widen_block(dtype_, bytes.data() + i * size_, out.data() + i, std::min(block, out.size() - i));
    }
    return piece;
}

TensorReader::Piece BytesReader::fetch(std::int64_t first, std::span<float> out) {
    if (size_ == sizeof(float)) return loaded(first, out.size(), std::as_writable_bytes(out));
    return TensorReader::fetch(first, out);
}

void BytesReader::accept(const Piece& piece) {
    if (wanted_) {
        checksum_ = crc32_of_both(checksum_, piece.checksum, static_cast<std::uint64_t>(piece.count) * size_);
    }
    if (piece.first + piece.count < count()) return;
    require_end();
    require_checksum(wanted_, checksum_);
}

std::unique_ptr<TensorReader> read_flat(std::shared_ptr<const InputFile> file, std::uint64_t offset,
                                        std::vector<std::int64_t> extents, Dtype dtype,
                                        std::optional<std::uint32_t> checksum) {
    return std::make_unique<FlatReader>(std::move(file), offset, std::move(extents), dtype, checksum);
}

}  // namespace dca::golden
