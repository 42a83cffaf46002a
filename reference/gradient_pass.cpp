// Key tile by key tile, each with all query tiles that see it: dk and dv stay with the thread that has the tile, and
// dq of a query tile is added to by key tiles in ascending order, each waiting for the one before (Turns). So every sum
// has one order whatever the number of threads, p is recomputed once from the global lse, and no array is n x n.
#include "reference/gradient_pass.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "reference/math/parallel.hpp"
#include "reference/math/turns.hpp"
#include "reference/operands.hpp"
#include "reference/visible_block.hpp"

namespace dca::reference {
namespace {

constexpr int tile_rows = query_tile_rows;
constexpr int tile_columns = gradient_tile_columns;

/// Everything about one call that the tiles read.
struct Call {
    const RowFacts& facts;
    const Tensor4& dout;
};

/// A sum and what rounding has lost of it.
struct Compensated {
    explicit Compensated(std::size_t count) : size(count), sum(count), error(count) {}
    void clear() {
        std::fill_n(sum.data(), size, 0.0);
        std::fill_n(error.data(), size, 0.0);
    }
    std::size_t size;
    AlignedBuffer sum, error;
};

/// Rows of one query tile as a left and as a right operand.
struct RowOperands {
    RowOperands(int rows, int dim, const double* source, std::ptrdiff_t stride)
        : left(tiles::left_size(rows, dim)), right(tiles::right_size(dim, rows)) {
        const tiles::Kernels& kernels = tiles::best();
        kernels.pack_left(false, rows, dim, source, stride, left.data());
        kernels.pack_right(false, dim, rows, source, stride, right.data(),
                           static_cast<std::ptrdiff_t>(rows) * kernels.right_panel);
    }
    AlignedBuffer left, right;
};

/// One query tile packed for one head, and its dq in the frame of the mode whose keys are being added.
struct PackedQuery {
    struct InMode {
        KeySpan span;
        RowOperands q;  ///< rotated for the mode, times the softmax scale
    };
    PackedQuery(const SequenceContext& context, const Call& call, const QueryTile& t, std::int64_t head)
        : tile(t),
          dout(tile.rows(), context.head_dim_v,
               &call.dout(context.sequence.batch, context.sequence.query_begin + tile.row_begin, head, 0),
               call.dout.view().stride(1)),
          rotated_dq(static_cast<std::size_t>(round_up(tile.rows(), tiles::row_alignment)) * context.padded_dim) {
        std::vector<double> q(static_cast<std::size_t>(tile.rows()) * context.head_dim);
        for (const KeySpan& span : key_spans(context.problem.chunk, tile.chunk, context.key_count)) {
            rotated_queries(context, tile, head, span.mode, context.softmax_scale, q.data());
            modes.push_back({span, {tile.rows(), context.head_dim, q.data(), context.head_dim}});
        }
    }

    QueryTile tile;
    RowOperands dout;
    std::vector<InMode> modes;  ///< in ascending order of keys
    std::optional<Mode> frame;
    Compensated rotated_dq;
};

std::vector<std::unique_ptr<PackedQuery>> pack_queries(const SequenceContext& context, const Call& call,
                                                       const std::vector<QueryTile>& tiles, std::int64_t head) {
    std::vector<std::unique_ptr<PackedQuery>> packed(tiles.size());
    const double work =
        10.0 * static_cast<double>(context.sequence.query_count()) * (context.head_dim + context.head_dim_v);
    parallel_for(static_cast<std::int64_t>(tiles.size()), work, [&](std::int64_t n) {
        const auto at = static_cast<std::size_t>(n);
        packed[tiles.size() - 1 - at] = std::make_unique<PackedQuery>(context, call, tiles[at], head);
    });
    return packed;
}

/// Adds the finished dq of one mode to the result: back from the mode's frame, R^T, times the softmax scale (Def.9).
void rotate_back(const SequenceContext& context, PackedQuery& query, std::int64_t head, Tensor4& dq) {
    if (!query.frame) return;
    std::vector<double> angles(context.rotations.angles_size());
    std::vector<double> row(static_cast<std::size_t>(context.head_dim));
    for (int r = 0; r < query.tile.rows(); ++r) {
        const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(r) * context.padded_dim;
        for (int e = 0; e < context.head_dim; ++e) {
            row[static_cast<std::size_t>(e)] = (query.rotated_dq.sum.data()[at + e] +  //
                                                query.rotated_dq.error.data()[at + e]) *
                                               context.softmax_scale;
        }
        const QueryIndex i(query.tile.first_index + r);
        context.rotations.query_angles(i, *query.frame, angles.data());
        context.rotations.add_transposed_query(
            angles.data(), i, row.data(),
            &dq(context.sequence.batch, context.sequence.query_begin + query.tile.row_begin + r, head, 0));
    }
}

/// What one thread needs for any key tile.
struct Workspace {
    explicit Workspace(const SequenceContext& context)
        : p(static_cast<std::size_t>(tile_rows) * tile_columns),
          ds(static_cast<std::size_t>(tile_rows) * tile_columns),
          packed(std::max(tiles::left_size(tile_columns, tile_rows), tiles::left_size(tile_rows, tile_columns))),
          dk(height * context.padded_dim),
          dv(height * context.padded_dim_v) {}
    // A block that starts inside the key tile is padded past its end by less than row_alignment rows of zeros.
    static constexpr std::size_t height = tile_columns + tiles::row_alignment;
    AlignedBuffer p, ds, packed;
    Compensated dk, dv;
};

/// One head of one sequence.
struct HeadPass {
    const SequenceContext& context;
    const Call& call;
    const KeyOperands& keys;
    std::int64_t head;
    std::vector<std::unique_ptr<PackedQuery>> queries;
    Tensor4& dq;
    Turns turns{queries.size()};

    /// p = weight exp(s - lse) and ds = p (dout . v - delta) of one block; what is not visible is 0. ds lacks the
    /// softmax scale, which is in the rotated queries and, for dq, is applied at the end.
    void pairs(const PackedQuery& query, const PackedQuery::InMode& mode, const KeyBlock& block,
               const VisibleBlock& visible, Workspace& work) const {
        const tiles::Kernels& kernels = tiles::best();
        const int d = context.head_dim, dv = context.head_dim_v;
        visible.scores(mode.q.left.data(), KeyOperands::at_scores(keys.k_scores, block.base, d), d, work.p.data(),
                       tile_columns);
        visible.scores(query.dout.left.data(), KeyOperands::at_scores(keys.v_scores, block.base, dv), dv,
                       work.ds.data(), tile_columns);
        for (int r = 0; r < query.tile.rows(); ++r) {
            const std::int64_t row = context.sequence.query_begin + query.tile.row_begin + r;
            double* p = work.p.data() + static_cast<std::ptrdiff_t>(r) * tile_columns;
            double* ds = work.ds.data() + static_cast<std::ptrdiff_t>(r) * tile_columns;
            const auto fact = [&](const std::vector<Tensor3>& facts) {
                return RowFacts::at(facts, mode.span.mode, context.sequence.batch, head, row);
            };
            const int columns = visible.worked(r);
            visible.hide(r, p, -HUGE_VAL);
            visible.hide(r, ds, 0.0);
            if (columns > 0) kernels.exp_minus(p, columns, fact(call.facts.lse));
            if (!call.facts.weight.empty()) kernels.scale(p, columns, fact(call.facts.weight));
            kernels.score_gradient(p, ds, columns, fact(call.facts.delta));
            visible.clear_rest(r, p);
            visible.clear_rest(r, ds);
        }
    }

    /// Adds the block to dq when the turn of this key tile has come; the caller ends the turn.
    void add_dq(PackedQuery& query, const PackedQuery::InMode& mode, const KeyBlock& block, const VisibleBlock& visible,
                Workspace& work) const {
        if (query.frame && query.frame != mode.span.mode) {
            rotate_back(context, query, head, dq);
            query.rotated_dq.clear();
        }
        query.frame = mode.span.mode;
        visible.over_keys(work.ds.data(), tile_columns, KeyOperands::at_values(keys.k_values, block.base),
                          KeyOperands::values_stride(context.padded_keys), context.padded_dim, work.packed.data(),
                          query.rotated_dq.sum.data(), query.rotated_dq.error.data());
    }

    void key_tile(std::int64_t number, Workspace& work) {
        const std::int64_t start = number * tile_columns;
        work.dk.clear();
        work.dv.clear();
        for (std::size_t n = 0; n < queries.size(); ++n) {
            PackedQuery& query = *queries[n];
            bool met = false;
            for (const PackedQuery::InMode& mode : query.modes) {
                const KeySpan& span = mode.span;
                if (span.end <= start || span.begin >= start + tile_columns) continue;
                const KeyBlock block = key_block(span, start, tile_columns, query.tile.last_index());
                if (block.columns == 0) continue;
                const VisibleBlock visible(span, block, query.tile);
                pairs(query, mode, block, visible, work);
                const std::ptrdiff_t k_at = (block.base - start) * context.padded_dim;
                const std::ptrdiff_t v_at = (block.base - start) * context.padded_dim_v;
                visible.over_rows(work.ds.data(), tile_columns, mode.q.right.data(), context.padded_dim,
                                  work.packed.data(), work.dk.sum.data() + k_at, work.dk.error.data() + k_at);
                visible.over_rows(work.p.data(), tile_columns, query.dout.right.data(), context.padded_dim_v,
                                  work.packed.data(), work.dv.sum.data() + v_at, work.dv.error.data() + v_at);
                if (!met) turns.wait(n, number);
                met = true;
                add_dq(query, mode, block, visible, work);
            }
            if (met) turns.done(n);
        }
    }
};

/// dk and dv of one kv head, rows of keys: the sums over its query heads in ascending order.
struct KeyGradients {
    KeyGradients(const SequenceContext& context)
        : dk(static_cast<std::size_t>(context.key_count) * static_cast<std::size_t>(context.padded_dim)),
          dv(static_cast<std::size_t>(context.key_count) * static_cast<std::size_t>(context.padded_dim_v)) {}

    /// Adds the rows of one key tile.
    static void add(const Compensated& from, std::int64_t start, std::int64_t rows, int dim, Compensated& to) {
        const std::ptrdiff_t at = start * dim;
        for (std::ptrdiff_t n = 0; n < rows * dim; ++n) {
            double& sum = to.sum.data()[at + n];
            const double x = from.sum.data()[n], total = sum + x, taken = total - sum;
            to.error.data()[at + n] += from.error.data()[n] + ((sum - (total - taken)) + (x - taken));
            sum = total;
        }
    }

    /// Rotates dk back once and writes both.
    void write(const SequenceContext& context, std::int64_t kv_head, Gradients& gradients) const {
        const double work = 10.0 * static_cast<double>(context.key_count) * (context.head_dim + context.head_dim_v);
        const std::int64_t key_tiles = (context.key_count + tile_columns - 1) / tile_columns;
        parallel_for(key_tiles, work, [&](std::int64_t tile) {
            const std::int64_t end = std::min<std::int64_t>((tile + 1) * tile_columns, context.key_count);
            write_rows(context, kv_head, tile * tile_columns, end, gradients);
        });
    }

    void write_rows(const SequenceContext& context, std::int64_t kv_head, std::int64_t begin, std::int64_t end,
                    Gradients& gradients) const {
        std::vector<double> angles(context.rotations.angles_size()), row(static_cast<std::size_t>(context.head_dim));
        for (std::int64_t j = begin; j < end; ++j) {
            const std::int64_t key = context.sequence.key_begin + j;
            const auto value = [&](const Compensated& of, int dim, int e) {
                return of.sum.data()[j * dim + e] + of.error.data()[j * dim + e];
            };
            for (int e = 0; e < context.head_dim; ++e) {
                row[static_cast<std::size_t>(e)] = value(dk, context.padded_dim, e);
            }
            // The softmax scale is already in the rotated queries that dk was summed from.
            context.rotations.key_angles(KeyIndex(j), angles.data());
            context.rotations.add_transposed_key(angles.data(), KeyIndex(j), row.data(),
                                                 &gradients.dk(context.sequence.batch, key, kv_head, 0));
            double* dv_row = &gradients.dv(context.sequence.batch, key, kv_head, 0);
            for (int c = 0; c < context.head_dim_v; ++c) dv_row[c] = value(dv, context.padded_dim_v, c);
        }
    }

    Compensated dk, dv;
};

void head_pass(HeadPass& pass, KeyGradients& key_gradients) {
    const SequenceContext& context = pass.context;
    const std::int64_t key_tiles = (context.key_count + tile_columns - 1) / tile_columns;
    parallel_in_order(key_tiles, 2.5 * context.head_work(), [&] {
        return [&, work = std::make_shared<Workspace>(context)](std::int64_t number) {
            try {
                pass.key_tile(number, *work);
            } catch (const Turns::Abandoned&) {
                return;  // another thread failed and says why
            } catch (...) {
                pass.turns.abandon();
                throw;
            }
            const std::int64_t start = number * tile_columns;
            const std::int64_t rows = std::min<std::int64_t>(tile_columns, context.key_count - start);
            KeyGradients::add(work->dk, start, rows, context.padded_dim, key_gradients.dk);
            KeyGradients::add(work->dv, start, rows, context.padded_dim_v, key_gradients.dv);
        };
    });
    parallel_for(static_cast<std::int64_t>(pass.queries.size()), context.head_work(), [&](std::int64_t n) {
        rotate_back(context, *pass.queries[static_cast<std::size_t>(n)], pass.head, pass.dq);
    });
}

}  // namespace

Gradients gradient_pass(const Problem& problem, const Inputs& inputs, const RowFacts& facts) {
    const Call call{facts, *inputs.dout};
    Gradients gradients{Tensor4(q_extents(problem.shape)), Tensor4(k_extents(problem.shape)),
                        Tensor4(v_extents(problem.shape))};
    for (const Sequence& sequence : sequences(problem)) {
        const SequenceContext context(problem, inputs, sequence);
        const auto tiles = query_tiles(problem.chunk, sequence);
        for (std::int64_t kv_head = 0; kv_head < problem.shape.heads_kv; ++kv_head) {
            const KeyOperands keys(context, kv_head, true);
            KeyGradients key_gradients(context);
            for (std::int64_t head = kv_head * context.group; head < (kv_head + 1) * context.group; ++head) {
                HeadPass pass{context, call, keys, head, pack_queries(context, call, tiles, head), gradients.dq};
                head_pass(pass, key_gradients);
            }
            key_gradients.write(context, kv_head, gradients);
        }
    }
    return gradients;
}

}  // namespace dca::reference
