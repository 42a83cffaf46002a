#include "reference/forward.hpp"

#include <quadmath.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "reference/math/natural_log.hpp"
#include "reference/math/parallel.hpp"
#include "reference/merge_rule.hpp"
#include "reference/operands.hpp"
#include "reference/spec/error.hpp"

namespace dca::reference {
namespace {

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

/// The running softmax of one query tile: row maximum m, denominator l and numerator o, both relative to exp(m).
struct RunningSoftmax {
    RunningSoftmax(int rows, int padded_dim_v)
        : padded_rows(static_cast<int>(round_up(rows, tiles::row_alignment))),
          dim(padded_dim_v),
          m(static_cast<std::size_t>(rows), minus_infinity),
          l(static_cast<std::size_t>(rows), 0.0) {}

    /// Space for o, which most tiles of a merge need for some modes only.
    void begin() {
        if (o.data() == nullptr) o = AlignedBuffer(static_cast<std::size_t>(padded_rows) * static_cast<std::size_t>(dim));
    }

    /// Turns a row of scores into exp(score - m), having updated m and l and rescaled o.
    void absorb(const tiles::Kernels& kernels, int row, double* scores, int columns) {
        double& maximum = m[static_cast<std::size_t>(row)];
        double& denominator = l[static_cast<std::size_t>(row)];
        const double new_maximum = std::max(maximum, kernels.row_max(scores, columns));
        if (new_maximum == minus_infinity) {
            std::fill(scores, scores + columns, 0.0);
            return;
        }
        const double sum = kernels.exp_minus(scores, columns, new_maximum);
        if (new_maximum > maximum) {
            double rescale = maximum;
            kernels.exp_minus(&rescale, 1, new_maximum);
            denominator *= rescale;
            kernels.scale(o.data() + static_cast<std::ptrdiff_t>(row) * dim, dim, rescale);
            maximum = new_maximum;
        }
        denominator += sum;
    }

    int padded_rows, dim;
    std::vector<double> m, l;
    AlignedBuffer o;
};

/// The states of one query tile: a single one that every mode is absorbed into, or one for each mode (merge_rule.hpp).
struct TileStates {
    TileStates(const Merge& rule, bool apart, int rows, int padded_dim_v)
        : merge(rule), part(static_cast<std::size_t>(padded_dim_v)) {
        for (std::size_t n = 0; n < (apart ? all_modes.size() : 1); ++n) states.emplace_back(rows, padded_dim_v);
    }
    RunningSoftmax& of(Mode mode) {
        RunningSoftmax& state = states[states.size() > 1 ? static_cast<std::size_t>(mode) : 0];
        state.begin();
        return state;
    }

    const Merge& merge;
    std::vector<RunningSoftmax> states;
    std::vector<double> part;  ///< channels of one part of one row
};

double log_sum(double m, double l) {
    // logq: the same bits on every machine, which the C library's log does not promise.
    return static_cast<double>(static_cast<__float128>(m) + logq(l));
}

/// Whether the state saw a key of the row.
bool has_keys(const RunningSoftmax& state, std::size_t r) {
    return state.m[r] != minus_infinity || state.l[r] != 0;
}

/// The normalised channels of a row. Precondition: has_keys.
void read_row(const RunningSoftmax& state, std::size_t r, int channels, double* out) {
    const double* o = state.o.data() + static_cast<std::ptrdiff_t>(r) * state.dim;
    const double l = state.l[r];
    for (int c = 0; c < channels; ++c) out[c] = o[c] / l;
}

/// The lse of all keys of a row, from its states.
double joint_lse(const std::vector<RunningSoftmax>& states, std::size_t r) {
    double m = minus_infinity, l = 0;
    for (const RunningSoftmax& state : states) m = std::max(m, state.m[r]);
    for (const RunningSoftmax& state : states) {
        if (state.m[r] == minus_infinity) continue;
        double term = state.m[r];
        tiles::best().exp_minus(&term, 1, m);
        l += term * state.l[r];
    }
    return log_sum(m, l);
}

/// Where one row of outputs lies.
struct RowAt {
    std::int64_t batch, row, head;
    [[nodiscard]] double* out(Outputs& outputs) const { return &outputs.out(batch, row, head, 0); }
    [[nodiscard]] double& lse(Outputs& outputs) const { return outputs.lse(batch, head, row); }
};

/// One row of several states: the parts, and the channels as the dialect merges them.
void merge_row(TileStates& tile, std::size_t r, int channels, const RowAt& at, Outputs& outputs, Parts* parts) {
    PerMode lse{};
    int present = 0;
    for (std::size_t n = 0; n < tile.states.size(); ++n) {
        const RunningSoftmax& state = tile.states[n];
        lse[n] = has_keys(state, r) ? state.m[r] + natural_log(state.l[r]) : minus_infinity;
        present += has_keys(state, r);
        if (parts != nullptr) at.lse((*parts)[n]) = lse[n];
    }
    const PerMode weights = tile.merge.weights(lse);
    for (std::size_t n = 0; n < tile.states.size(); ++n) {
        if (!has_keys(tile.states[n], r)) continue;
        double* part = tile.part.data();
        read_row(tile.states[n], r, channels, part);
        if (parts != nullptr) std::copy_n(part, channels, at.out((*parts)[n]));
        if (present == 1) {
            std::copy_n(part, channels, at.out(outputs));
        } else {
            tile.merge.add_products(weights[n], part, channels, at.out(outputs));
        }
    }
    at.lse(outputs) = joint_lse(tile.states, r);
}

/// Writes out and lse of one tile. A row that saw no key keeps out 0 and lse -inf.
void finish(const SequenceContext& context, const QueryTile& tile, std::int64_t head, TileStates& states,
            Outputs& outputs, Parts* parts) {
    const Sequence& seq = context.sequence;
    for (int r = 0; r < tile.rows(); ++r) {
        const auto row = static_cast<std::size_t>(r);
        const auto sees = [&](const RunningSoftmax& state) { return has_keys(state, row); };
        if (std::none_of(states.states.begin(), states.states.end(), sees)) continue;
        const RowAt at{seq.batch, seq.query_begin + tile.row_begin + r, head};
        if (states.states.size() > 1) {
            merge_row(states, row, context.head_dim_v, at, outputs, parts);
        } else {
            const RunningSoftmax& state = states.states.front();
            at.lse(outputs) = log_sum(state.m[row], state.l[row]);
            read_row(state, row, context.head_dim_v, at.out(outputs));
        }
        if (!std::isfinite(at.lse(outputs))) {
            throw InvalidProblem("the logits of batch " + std::to_string(at.batch) + ", head " + std::to_string(head) +
                                 ", row " + std::to_string(at.row) + " overflow double precision");
        }
    }
}

/// One query tile of one head against every key its modes see.
void attend(const SequenceContext& context, const KeyOperands& keys, const Merge& merge, const QueryTile& tile,
            std::int64_t head, std::span<const Mode> modes, Outputs& outputs, Parts* parts) {
    const tiles::Kernels& kernels = tiles::best();
    TileStates states(merge, merge.parts() || parts != nullptr, tile.rows(), context.padded_dim_v);
    const int padded_rows = states.states.front().padded_rows;
    std::vector<double> rotated(static_cast<std::size_t>(tile.rows()) * context.head_dim);
    AlignedBuffer packed_q(tiles::left_size(tile.rows(), context.head_dim));
    AlignedBuffer scores(static_cast<std::size_t>(padded_rows) * key_tile_columns);
    AlignedBuffer packed_p(tiles::left_size(tile.rows(), key_tile_columns));

    for (const KeySpan& span : key_spans(context.problem.chunk, tile.chunk, context.key_count)) {
        if (std::find(modes.begin(), modes.end(), span.mode) == modes.end()) continue;
        RunningSoftmax& state = states.of(span.mode);
        rotated_queries(context, tile, head, span.mode, context.softmax_scale, rotated.data());
        kernels.pack_left(false, tile.rows(), context.head_dim, rotated.data(), context.head_dim, packed_q.data());
        for (std::int64_t start = span.begin / key_tile_columns * key_tile_columns; start < span.end;
             start += key_tile_columns) {
            const KeyBlock block = key_block(span, start, tile.last_index());
            if (block.columns == 0) break;
            kernels.multiply_packed(padded_rows, block.columns, context.head_dim, packed_q.data(),
                                    KeyOperands::at_scores(keys.k_scores, block.base, context.head_dim),
                                    KeyOperands::scores_stride(context.head_dim), scores.data(), key_tile_columns,
                                    false);
            mask_scores(span, block, tile, scores.data(), minus_infinity);
            for (int r = 0; r < tile.rows(); ++r) {
                state.absorb(kernels, r, scores.data() + static_cast<std::ptrdiff_t>(r) * key_tile_columns,
                             block.columns);
            }
            kernels.pack_left(false, tile.rows(), block.columns, scores.data(), key_tile_columns, packed_p.data());
            kernels.multiply_packed(padded_rows, context.padded_dim_v, block.columns, packed_p.data(),
                                    KeyOperands::at_values(keys.v_values, block.base),
                                    KeyOperands::values_stride(context.padded_keys), state.o.data(), state.dim, true);
        }
    }
    finish(context, tile, head, states, outputs, parts);
}

Outputs empty_outputs(const Shape& shape) {
    Outputs outputs{Tensor4(out_extents(shape)), Tensor3(lse_extents(shape))};
    std::ranges::fill(outputs.lse.values(), minus_infinity);
    return outputs;
}

Outputs run(const Problem& problem, const Inputs& inputs, std::span<const Mode> modes, Parts* parts = nullptr) {
    require_computable(problem, inputs);
    const Merge merge(problem);
    Outputs outputs = empty_outputs(problem.shape);
    if (parts != nullptr) parts->fill(outputs);
    for (const Sequence& sequence : sequences(problem)) {
        const SequenceContext context(problem, inputs, sequence);
        const auto tiles = query_tiles(problem.chunk, sequence);
        for (std::int64_t kv_head = 0; kv_head < problem.shape.heads_kv; ++kv_head) {
            const KeyOperands keys(context, kv_head, false);
            const double work = context.head_work() * static_cast<double>(context.group);
            parallel_for(static_cast<std::int64_t>(tiles.size()) * context.group, work, [&](std::int64_t item) {
                const QueryTile& tile = tiles[static_cast<std::size_t>(item / context.group)];
                attend(context, keys, merge, tile, kv_head * context.group + item % context.group, modes, outputs,
                       parts);
            });
        }
    }
    return outputs;
}

}  // namespace

Outputs forward(const Problem& problem, const Inputs& inputs) {
    return run(problem, inputs, all_modes);
}

Outputs forward(const Problem& problem, const Inputs& inputs, Parts& parts) {
    return run(problem, inputs, all_modes, &parts);
}

Outputs partial(const Problem& problem, const Inputs& inputs, Mode mode) {
    return run(problem, inputs, std::span(&mode, 1));
}

}  // namespace dca::reference
