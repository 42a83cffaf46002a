// The one pass over a tensor: pieces from memory or from files, blocks of rows on several threads, one report.
#pragma once

#include <array>
#include <memory>

#include "golden/tensor_reader.hpp"
#include "verify/compare/row_judge.hpp"

namespace dca::verify {

/// Where the values of a tensor come from. Elements are in the order of the tensor.
class PassSource {
public:
    /// What was read of expected, got and sigma, for their checksums.
    using Read = std::array<golden::TensorReader::Piece, 3>;
    struct Piece {
        std::span<const double> expected, got;
        std::span<const float> sigma;  ///< empty: the golden has no scales
        Read read;
    };
    /// Memory for the pieces of one thread.
    struct Buffers {
        std::vector<double> expected, got;
        std::vector<float> sigma;
    };

    PassSource() = default;
    virtual ~PassSource() = default;
    PassSource(const PassSource&) = delete;
    PassSource& operator=(const PassSource&) = delete;
    /// Whether get may be called in any order and by several threads at once; otherwise from first to last.
    [[nodiscard]] virtual bool in_any_order() const = 0;
    /// Elements [first, first + count), valid until the buffers are used again. Throws FormatError.
    [[nodiscard]] virtual Piece get(std::int64_t first, std::int64_t count, Buffers& buffers) = 0;
    /// To be told of all that was read, in order. Throws FormatError (checksum).
    virtual void accept(const Read& read) = 0;
};

/// Judges all rows. The report does not depend on threads and pieces: blocks are fixed, and what they add up to is
/// joined in their order. Memory: some 1 MiB for each thread, of which there are at most 8, whatever the tensor.
///
/// Threads are std::thread: the box uses nothing of the reference, where OpenMP lives. Throws what the source throws;
/// of several faults, the first in the order of the tensor.
[[nodiscard]] Tally judge_all(const RowJudge& judge, PassSource& source, const PassSettings& settings);

}  // namespace dca::verify
