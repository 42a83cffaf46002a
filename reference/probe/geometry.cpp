#include "reference/probe/geometry.hpp"

#include <algorithm>
#include <set>

namespace dca::reference::probe {

Geometry::Geometry(const SequenceContext& c, const double* q, const double* k)
    : context(c),
      chunk_len(c.problem.chunk.chunk_len()),
      first_index(std::max<std::int64_t>(0, c.sequence.offset)),
      end_index(std::max(first_index, c.sequence.offset + c.sequence.query_count())),
      columns(std::min(chunk_len, c.key_count)),
      far_position(c.rotations.positions().query(QueryIndex(0), Mode::inter)),
      q_(q) {
    keys_.resize(static_cast<std::size_t>(columns) * c.head_dim);
    angles_.resize(static_cast<std::size_t>(columns) * c.rotations.angles_size());
    for (std::int64_t t = 0; t < columns; ++t) {
        double* angles = angles_.data() + static_cast<std::size_t>(t) * c.rotations.angles_size();  // none: no rotation
        c.rotations.key_angles(KeyIndex(t), angles);
        c.rotations.rotate_key(angles, KeyIndex(t), k, &keys_[static_cast<std::size_t>(t) * c.head_dim]);
    }
}

int Geometry::keys_in(std::int64_t chunk) const {
    return static_cast<int>(std::clamp<std::int64_t>(context.key_count - chunk * chunk_len, 0, columns));
}

std::vector<Block> Geometry::blocks() const {
    std::set<std::int64_t> firsts;
    for (std::int64_t i = first_index; i < end_index;) {
        const std::int64_t r = i % chunk_len, first = r / block_rows * block_rows;
        firsts.insert(first);
        if (firsts.size() > 1 && first == first_index % chunk_len / block_rows * block_rows) break;
        i += std::min(first + block_rows, chunk_len) - r;
    }
    std::vector<Block> out;
    for (const std::int64_t first : firsts) {
        out.push_back({first, static_cast<int>(std::min<std::int64_t>(block_rows, chunk_len - first))});
    }
    return out;
}

Geometry::Present Geometry::present(const Block& block, std::int64_t chunk) const {
    const std::int64_t start = chunk * chunk_len + block.first;
    const auto inside = [&](std::int64_t index) {
        return static_cast<int>(std::clamp<std::int64_t>(index - start, 0, block.rows));
    };
    return {inside(first_index), inside(end_index)};
}

bool Geometry::near(std::int64_t r) const {
    return context.rotations.positions().query(QueryIndex(r), Mode::succ) != far_position;
}

std::optional<QueryIndex> Geometry::row_in(Mode mode, std::int64_t r) const {
    const std::int64_t chunks_before = mode == Mode::intra ? 0 : mode == Mode::succ ? 1 : 2;
    std::int64_t chunk = std::max(chunks_before, first_chunk());
    if (chunk * chunk_len + r < first_index) ++chunk;
    const std::int64_t index = chunk * chunk_len + r;
    return index < end_index ? std::optional(QueryIndex(index)) : std::nullopt;
}

void Geometry::rotate(QueryIndex i, Mode mode, double factor, double* out, double* angles) const {
    context.rotations.query_angles(i, mode, angles);
    context.rotations.rotate_query(angles, i, q_, out);
    for (int e = 0; e < context.head_dim; ++e) out[e] *= factor;
}

void Geometry::query(Mode mode, std::int64_t r, double factor, double* out, double* angles) const {
    if (const auto i = row_in(mode, r)) return rotate(*i, mode, factor, out, angles);
    std::fill_n(out, context.head_dim, 0.0);
    std::fill_n(angles, context.rotations.angles_size(), 0.0);
}

std::optional<Geometry::FarRow> Geometry::far_row() const {
    if (empty()) return std::nullopt;
    if (last_chunk() >= 2) return FarRow{QueryIndex(end_index - 1), Mode::inter};
    for (std::int64_t i = std::max(first_index, chunk_len); i < end_index; ++i) {
        if (!near(i % chunk_len)) return FarRow{QueryIndex(i), Mode::succ};
    }
    return std::nullopt;
}

void Geometry::far_query(double factor, double* out, double* angles) const {
    const auto row = far_row();
    expects(row.has_value(), "far_query: no row is there");
    rotate(row->index, row->mode, factor, out, angles);
}

}  // namespace dca::reference::probe
