// Readers of elements that lie in a file as little-endian bytes of one number format.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "golden/input_file.hpp"
#include "golden/tensor_reader.hpp"
#include "reference/spec/dtype.hpp"

namespace dca::golden {

/// Decodes and checksums; where the bytes come from is a subclass's business.
class BytesReader : public TensorReader {
public:
    /// checksum: of all bytes, where the file says one.
    BytesReader(std::vector<std::int64_t> extents, Dtype dtype, std::optional<std::uint32_t> checksum);

    Piece fetch(std::int64_t first, std::span<double> out) final;
    Piece fetch(std::int64_t first, std::span<float> out) final;
    void accept(const Piece& piece) final;

protected:
    /// The bytes of elements from `first` on, as many as `out` holds. Throws FormatError.
    virtual void load(std::int64_t first, std::span<std::byte> out) = 0;
    /// Called after the last element.
    virtual void require_end() {}
    [[nodiscard]] std::size_t element_size() const { return size_; }

private:
    [[nodiscard]] Piece loaded(std::int64_t first, std::size_t count, std::span<std::byte> bytes);

    Dtype dtype_;
    std::size_t size_;
    std::optional<std::uint32_t> wanted_;
    std::uint32_t checksum_ = 0;
};

/// Elements that lie one after the other in a file, from byte `offset` on. A file that has become shorter is a
/// FormatError, as reading does not map it.
[[nodiscard]] std::unique_ptr<TensorReader> read_flat(std::shared_ptr<const InputFile> file, std::uint64_t offset,
                                                      std::vector<std::int64_t> extents, Dtype dtype,
                                                      std::optional<std::uint32_t> checksum);

}  // namespace dca::golden
