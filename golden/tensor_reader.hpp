// The elements of a tensor that need not be in memory whole: a stored dataset, or inputs that are made.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace dca::golden {

class TensorReader {
public:
    /// Which elements were fetched, and the checksum of their bytes (0 where nobody asks for it).
    struct Piece {
        std::int64_t first = 0, count = 0;
        std::uint32_t checksum = 0;
    };

    explicit TensorReader(std::vector<std::int64_t> extents) : extents_(std::move(extents)) {}
    virtual ~TensorReader() = default;
    TensorReader(const TensorReader&) = delete;
    TensorReader& operator=(const TensorReader&) = delete;

    /// As stored: a packed case has no batch axis.
    [[nodiscard]] const std::vector<std::int64_t>& extents() const { return extents_; }
    [[nodiscard]] std::int64_t count() const;
    /// Whether elements may be fetched in any order and by several threads at once; otherwise from the first to the
    /// last, each once.
    [[nodiscard]] virtual bool in_any_order() const = 0;

    /// Elements [first, first + out.size()), widened or rounded to the type of out. Throws FormatError (unreadable, a
    /// value that may not be). Precondition: there are so many.
    [[nodiscard]] virtual Piece fetch(std::int64_t first, std::span<double> out) = 0;
    [[nodiscard]] virtual Piece fetch(std::int64_t first, std::span<float> out);
    /// To be told of every piece, in the order of the elements: with the last one the checksum of the tensor is
    /// verified. Throws FormatError.
    virtual void accept(const Piece& piece) = 0;

    /// For readers from first to last: fetches the next elements and accepts them.
    template <class T>
    void read(std::span<T> out) {
        const Piece piece = fetch(next_, out);
        next_ += piece.count;
        accept(piece);
    }
    /// Elements that read() has not given yet.
    [[nodiscard]] std::int64_t left() const { return count() - next_; }

private:
    std::vector<std::int64_t> extents_;
    std::int64_t next_ = 0;
};

/// Passes on what `inner` gives. What it throws begins with `where`, "file: case: dataset: ".
[[nodiscard]] std::unique_ptr<TensorReader> with_location(std::unique_ptr<TensorReader> inner, std::string where);

/// Passes on what `inner` gives, and refuses values below 0 and NaN: error scales have none.
[[nodiscard]] std::unique_ptr<TensorReader> without_negatives(std::unique_ptr<TensorReader> inner);

/// A tensor in memory, which outlives the reader.
[[nodiscard]] std::unique_ptr<TensorReader> in_memory(std::vector<std::int64_t> extents,
                                                      std::span<const double> values);

}  // namespace dca::golden
