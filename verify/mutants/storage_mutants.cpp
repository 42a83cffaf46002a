// Results that were not written.
#include <algorithm>
#include <array>
#include <limits>

#include "verify/mutants/families.hpp"

namespace dca::mutants {
namespace {

/// Sets to zero the query rows (of one batch entry) that `lost` names, in out, lse and dq; with `keys` also the same
/// rows of dk and dv.
template <class Lost>
void lose(Outputs& outputs, Gradients* gradients, bool keys, Lost lost) {
    const auto clear4 = [&](Tensor4& tensor) {
        const std::int64_t rows = tensor.extent(1), row_size = tensor.extent(2) * tensor.extent(3);
        for (std::int64_t b = 0; b < tensor.extent(0); ++b) {
            for (std::int64_t i = 0; i < rows; ++i) {
                if (lost(i, rows)) std::fill_n(tensor.values().begin() + (b * rows + i) * row_size, row_size, 0.0);
            }
        }
    };
    clear4(outputs.out);
    const std::int64_t rows = outputs.lse.extent(2);
    for (std::int64_t n = 0; n < outputs.lse.size(); ++n) {
        if (lost(n % rows, rows)) outputs.lse.values()[static_cast<std::size_t>(n)] = 0;
    }
    if (gradients == nullptr) return;
    clear4(gradients->dq);
    if (!keys) return;
    clear4(gradients->dk);
    clear4(gradients->dv);
}

void zeros(Change& change) {
    change.method.store = [](const Problem&, Outputs& outputs, Gradients* gradients) {
        lose(outputs, gradients, true, [](std::int64_t, std::int64_t) { return true; });
    };
}
void late_half_zero(Change& change) {
    change.method.store = [](const Problem&, Outputs& outputs, Gradients* gradients) {
        lose(outputs, gradients, true, [](std::int64_t i, std::int64_t rows) { return i >= (rows + 1) / 2; });
    };
}
bool has_rows(const Problem& p) {
    return p.shape.seq_q > 1;
}
/// The rows of a last tile that is not full.
void unwritten_tail(Change& change) {
    change.method.store = [](const Problem&, Outputs& outputs, Gradients* gradients) {
        lose(outputs, gradients, false,
             [](std::int64_t i, std::int64_t rows) { return i >= rows / small_tile * small_tile; });
    };
}
bool has_tail(const Problem& p) {
    return p.shape.seq_q % small_tile != 0;
}
/// The queries of a last chunk that is not full.
void last_chunk_unwritten(Change& change) {
    change.method.store = [](const Problem& p, Outputs& outputs, Gradients* gradients) {
        const std::int64_t offset = p.resolved_query_offset(), length = p.chunk.chunk_len();
        lose(outputs, gradients, false, [&](std::int64_t i, std::int64_t rows) {
            return offset + i >= 0 && offset + i >= (offset + rows) / length * length;
        });
    };
}
bool has_part_chunk(const Problem& p) {
    const std::int64_t end = p.resolved_query_offset() + p.shape.seq_q;
    return !p.packed() && end > 0 && end % p.chunk.chunk_len() != 0;
}

void one_nan(Change& change) {
    change.method.store = [](const Problem&, Outputs& outputs, Gradients*) {
        outputs.out.values()[outputs.out.values().size() / 2] = std::numeric_limits<double>::quiet_NaN();
    };
}

constexpr Mutant in(std::string_view id, std::string_view title, std::string_view example, void (*change)(Change&),
                    bool (*possible)(const Problem&)) {
    return {id, title, "", example, Family::storage, change, possible};
}

constexpr std::array mutants{
    in("zeros", "outputs of zeros", "KernelBench #165, JAXBench #50, TransformerEngine PR #3536", zeros, nullptr),
    in("late-half-zero", "zeros in the second half of the rows", "", late_half_zero, has_rows),
    in("unwritten-tail", "zeros in the rows of a last tile of 16 that is not full", "", unwritten_tail, has_tail),
    in("last-chunk-unwritten", "zeros in the rows of a last chunk that is not full", "", last_chunk_unwritten,
       has_part_chunk),
    in("one-nan", "one NaN in out", "accepted by llm.c and by a comparer of cuDNN frontend", one_nan, nullptr),
};

}  // namespace

std::span<const Mutant> storage_mutants() {
    return mutants;
}

}  // namespace dca::mutants
