#include "reference/sparse/rows.hpp"

#include <algorithm>

#include "reference/math/parallel.hpp"
#include "reference/spec/error.hpp"

namespace dca::sparse {
namespace {

/// Largest critical position of a row of the sequence: at most C + L - 1.
std::int64_t largest_critical(const ChunkConfig& chunk, std::int64_t keys) {
    const std::int64_t len = chunk.chunk_len();
    if (keys <= len) return 0;
    return keys <= 2 * len ? 2 * len - 1 : chunk.chunk_size + len - 1;
}

}  // namespace

RotaryPosition critical_position(const ChunkConfig& chunk, QueryIndex i, Mode mode) {
    const std::int64_t in_chunk = i.value() % chunk.chunk_len();
    switch (mode) {
        case Mode::intra: return RotaryPosition(in_chunk);
        case Mode::succ: return RotaryPosition(in_chunk + chunk.chunk_len());
        case Mode::inter: return RotaryPosition(chunk.chunk_size + in_chunk);
    }
    throw ContractError("mode without a position");
}

SequenceRows::SequenceRows(const Problem& problem, const Inputs& inputs, const reference::Sequence& sequence)
    : problem_(problem),
      inputs_(inputs),
      sequence_(sequence),
      keys_(std::max<std::int64_t>(0, sequence.offset + sequence.query_count())),
      rotations_(problem, sequence, largest_critical(problem.chunk, keys_)),
      softmax_scale_(problem.resolved_softmax_scale()) {}

void SequenceRows::query(std::int64_t row, std::int64_t head, Mode mode, QueryKind kind, double* out) const {
    const QueryIndex i(sequence_.offset + row);
    std::vector<double> angles(rotations_.angles_size());
    if (kind == QueryKind::real) {
        rotations_.query_angles(i, mode, angles.data());
    } else {
        rotations_.angles_at(critical_position(problem_.chunk, i, mode), i, angles.data());
    }
    rotations_.rotate_query(angles.data(), i, &inputs_.q(sequence_.batch, sequence_.query_begin + row, head, 0), out);
    for (std::int64_t c = 0; c < problem_.shape.head_dim; ++c) out[c] *= softmax_scale_;
}

std::vector<double> SequenceRows::rotated_keys(std::int64_t kv_head) const {
    const std::int64_t dim = problem_.shape.head_dim;
    std::vector<double> out(static_cast<std::size_t>(keys_ * dim));
    reference::parallel_for(keys_, 10.0 * static_cast<double>(keys_ * dim), [&](std::int64_t j) {
        std::vector<double> angles(rotations_.angles_size());
        rotations_.key_angles(KeyIndex(j), angles.data());
        rotations_.rotate_key(angles.data(), KeyIndex(j),
                              &inputs_.k(sequence_.batch, sequence_.key_begin + j, kv_head, 0),
                              &out[static_cast<std::size_t>(j * dim)]);
    });
    return out;
}

const double* SequenceRows::value(std::int64_t key, std::int64_t kv_head) const {
    return &inputs_.v(sequence_.batch, sequence_.key_begin + key, kv_head, 0);
}

}  // namespace dca::sparse
