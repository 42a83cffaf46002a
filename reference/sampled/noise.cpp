#include "reference/sampled/noise.hpp"

#include <algorithm>

#include "reference/math/parallel.hpp"

namespace dca::reference::sampled {
namespace {

using namespace noise;

std::size_t size(std::int64_t n) {
    return static_cast<std::size_t>(n);
}

/// The keys of a slice in pieces of one chunk and at most key_tile_columns.
std::vector<Unit> pieces_of(const Slice& slice) {
    std::vector<Unit> pieces;
    for (const Unit& unit : slice.units) {
        for (std::int64_t first = unit.begin; first < unit.end; first += key_tile_columns) {
            pieces.push_back({first, std::min(unit.end, first + key_tile_columns)});
        }
    }
    return pieces;
}

}  // namespace

Concentration::Concentration(std::int64_t heads, int dim) : heads_(heads), dim_(dim) {
    for (std::int64_t head = 0; head < heads; ++head) grams_.emplace_back(dim, dim);
}

void Concentration::add(std::span<const double> values) {
    constexpr std::int64_t piece_rows = 2048;
    const std::int64_t rows = static_cast<std::int64_t>(values.size()) / (heads_ * dim_);
    const std::int64_t pieces = (rows + piece_rows - 1) / piece_rows;
    std::vector<Matrix> partial(size(pieces * heads_));
    parallel_for(pieces * heads_, static_cast<double>(values.size()) * dim_, [&](std::int64_t item) {
        const std::int64_t first = item / heads_ * piece_rows, head = item % heads_;
        Products products;
        Matrix& gram = partial[size(item)] = Matrix(dim_, dim_);
        add_gram({&values[size((first * heads_ + head) * dim_)], static_cast<int>(std::min(piece_rows, rows - first)),
                  dim_, heads_ * dim_},
                 products, gram);
    });
    for (std::int64_t item = 0; item < pieces * heads_; ++item) {
        Matrix& sum = grams_[size(item % heads_)];
        for (int a = 0; a < dim_; ++a) {
            for (int b = 0; b < dim_; ++b) sum.row(a)[b] += partial[size(item)].row(a)[b];
        }
    }
}

std::vector<double> Concentration::of_heads() const {
    std::vector<double> out;
    for (const Matrix& gram : grams_) out.push_back(concentration_of_gram(gram));
    return out;
}

/// One chunk tile of one head, and the mode it is in.
struct QueryNoise::Tile {
    Tile(const Call& call, const QueryTile& query_tile, std::int64_t head)
        : facts(call, query_tile, head), output(call, facts), gradient(call, facts) {}

    QueryFacts facts;
    OutputNoise output;
    QueryGradientNoise gradient;
    std::optional<QueryRows> queries;

    void end_mode(bool gradients) {
        if (!queries) return;
        output.end_mode(*queries);
        if (gradients) gradient.end_mode(*queries, {});
        queries.reset();
    }
};

QueryNoise::QueryNoise(const Call& call, const Rows& rows) : call_(call), rows_(rows) {
    for (const QueryTile& tile : rows.chunk_tiles()) {
        for (std::int64_t head = 0; head < call.context.problem.shape.heads_q; ++head) {
            tiles_.push_back(std::make_unique<Tile>(call, tile, head));
        }
    }
}

QueryNoise::~QueryNoise() = default;

void QueryNoise::add_keys(Tile& tile, const Slice& slice,
                          const std::vector<std::vector<std::unique_ptr<KeyRows>>>& keys) const {
    const bool gradients = call_.wants_gradients();
    const std::int64_t last_index = tile.facts.tile.last_index();
    if (last_index < slice.begin()) return;
    Products products;
    PairTile pairs(tile.facts.rows(), key_tile_columns, gradients, call_.expectation());
    for (const auto& piece : keys[size(tile.facts.head / call_.context.group)]) {
        if (piece->first > last_index) break;
        const int count = static_cast<int>(std::min<std::int64_t>(piece->count(), last_index + 1 - piece->first));
        // Of the last row: the others of the chunk see the piece in the same mode, or not at all.
        const auto mode =
            rows_.mode(static_cast<int>(tile.facts.tile.row_end - 1), {piece->first, piece->first + count});
        if (!mode) break;
        if (!tile.queries || tile.queries->mode != *mode) {
            tile.end_mode(gradients);
            tile.queries.emplace(call_, tile.facts, *mode);
        }
        pairs.evaluate(call_, tile.facts, *tile.queries, *piece, piece->first, count, products);
        tile.output.add(*piece, pairs, products);
        if (gradients) tile.gradient.add(*piece, pairs, {}, products);
    }
}

void QueryNoise::add(const Slice& slice) {
    const std::vector<Unit> pieces = pieces_of(slice);
    const std::int64_t heads = call_.context.problem.shape.heads_kv;
    std::vector<std::vector<std::unique_ptr<KeyRows>>> keys(size(heads));
    for (auto& of_head : keys) of_head.resize(pieces.size());
    const std::int64_t items = heads * static_cast<std::int64_t>(pieces.size());
    const int width = call_.context.head_dim + call_.context.head_dim_v;
    const double keys_work = 30.0 * static_cast<double>(heads * (slice.end() - slice.begin())) * width;
    parallel_for(items, keys_work, [&](std::int64_t item) {
        const Unit& piece = pieces[size(item / heads)];
        keys[size(item % heads)][size(item / heads)] =
            std::make_unique<KeyRows>(call_, item % heads, piece.begin, piece.keys());
    });
    const double work = keys_work * static_cast<double>(tiles_.size());
    parallel_for(static_cast<std::int64_t>(tiles_.size()), work,
                 [&](std::int64_t n) { add_keys(*tiles_[size(n)], slice, keys); });
}

void QueryNoise::finish(const Concentrations& concentrations, ErrorScales& scales, InheritedNoise& inherited) {
    const bool gradients = call_.wants_gradients();
    for (const auto& tile : tiles_) {
        tile->end_mode(gradients);
        const std::size_t kv_head = size(tile->facts.head / call_.context.group);
        tile->output.finish(concentrations.v[kv_head], concentrations.k[kv_head], scales, inherited);
        if (gradients) {
            tile->gradient.finish(tile->output.mean_key(), concentrations.k[kv_head], inherited, *scales.dq);
        }
    }
}

void key_noise(const Call& call, const Rows& rows, const Slice& slice, const Concentrations& concentrations,
               const InheritedNoise& inherited, Tensor<float, 4>& dk, Tensor<float, 4>& dv) {
    const std::vector<Unit> pieces = pieces_of(slice);
    const std::int64_t heads = call.context.problem.shape.heads_kv, group = call.context.group;
    const double work = 10.0 * static_cast<double>(slice.end() - slice.begin()) *
                        static_cast<double>(heads * group * rows.count()) *
                        (call.context.head_dim + call.context.head_dim_v);
    parallel_for(heads * static_cast<std::int64_t>(pieces.size()), work, [&](std::int64_t item) {
        const Unit& piece = pieces[size(item / heads)];
        const std::int64_t kv_head = item % heads;
        Products products;
        KeyGradientNoise noise(call, kv_head, piece.begin, piece.keys());
        double q_concentration = 0, dout_concentration = 0;
        for (std::int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
            noise.add_head(rows.chunk_tiles(), head, inherited, products);
            q_concentration = std::max(q_concentration, concentrations.q[size(head)]);
            dout_concentration = std::max(dout_concentration, concentrations.dout[size(head)]);
        }
        noise.finish(q_concentration, dout_concentration, dk, dv);
    });
}

}  // namespace dca::reference::sampled
