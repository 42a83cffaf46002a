#include "reference/forward.hpp"

#include <quadmath.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include "reference/math/natural_log.hpp"
#include "reference/math/parallel.hpp"
#include "reference/merge_rule.hpp"
#include "reference/operands.hpp"
#include "reference/spec/error.hpp"
#include "reference/visible_block.hpp"

namespace dca::reference {
namespace {

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

constexpr int tile_columns = forward_tile_columns;
constexpr int tile_rows = query_tile_rows;

/// sum + error += x without loss (TwoSum).
void add_compensated(double& sum, double& error, double x) {
    const double total = sum + x, taken = total - sum;
    error += (sum - (total - taken)) + (x - taken);
    sum = total;
}

/// The running softmax of one query tile: row maximum m, denominator l and numerator o, both relative to exp(m), and
/// what rounding has lost of them.
struct RunningSoftmax {
    explicit RunningSoftmax(int padded_dim_v) : dim(padded_dim_v), m(tile_rows), l(tile_rows), l_error(tile_rows) {}

    /// Forgets the tile before.
    void reset() {
        std::fill(m.begin(), m.end(), minus_infinity);
        std::fill(l.begin(), l.end(), 0.0);
        std::fill(l_error.begin(), l_error.end(), 0.0);
        begun = false;
    }
    /// Clears o, which most tiles of a merge need for some modes only.
    void begin() {
        if (begun) return;
        begun = true;
        const auto size = static_cast<std::size_t>(tile_rows) * static_cast<std::size_t>(dim);
        if (o.data() == nullptr) {
            o = AlignedBuffer(size);
            o_error = AlignedBuffer(size);
        } else {
            std::fill_n(o.data(), size, 0.0);
            std::fill_n(o_error.data(), size, 0.0);
        }
    }

    /// Turns a row of scores into exp(score - m), having updated m and l and rescaled o.
    void absorb(const tiles::Kernels& kernels, int row, double* scores, int columns) {
        const auto r = static_cast<std::size_t>(row);
        const double new_maximum = std::max(m[r], kernels.row_max(scores, columns));
        if (new_maximum == minus_infinity) {
            std::fill(scores, scores + columns, 0.0);
            return;
        }
        const double sum = kernels.exp_minus(scores, columns, new_maximum);
        if (new_maximum > m[r]) {
            if (m[r] != minus_infinity) rescale(kernels, row, new_maximum);
            m[r] = new_maximum;
        }
        add_compensated(l[r], l_error[r], sum);
    }

    /// The numerators and the denominator of a row, rounded once.
    [[nodiscard]] double numerator(std::size_t r, int channel) const {
        const std::size_t at = r * static_cast<std::size_t>(dim) + static_cast<std::size_t>(channel);
        return o.data()[at] + o_error.data()[at];
    }
    [[nodiscard]] double denominator(std::size_t r) const { return l[r] + l_error[r]; }

    int dim;
    bool begun = false;
    std::vector<double> m, l, l_error;
    AlignedBuffer o, o_error;

private:
    void rescale(const tiles::Kernels& kernels, int row, double new_maximum) {
        const auto r = static_cast<std::size_t>(row);
        double factor = m[r];
        kernels.exp_minus(&factor, 1, new_maximum);
        const double product = l[r] * factor;
        l_error[r] = std::fma(l_error[r], factor, std::fma(l[r], factor, -product));
        l[r] = product;
        const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(row) * dim;
        kernels.scale_compensated(o.data() + at, o_error.data() + at, dim, factor);
    }
};

/// The states of one query tile: a single one that every mode is absorbed into, or one for each mode (merge_rule.hpp).
struct TileStates {
    TileStates(const Merge& rule, bool apart, int padded_dim_v)
        : merge(rule), part(static_cast<std::size_t>(padded_dim_v)) {
        for (std::size_t n = 0; n < (apart ? all_modes.size() : 1); ++n) states.emplace_back(padded_dim_v);
    }
    void reset() {
        for (RunningSoftmax& state : states) state.reset();
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
    const double l = state.denominator(r);
    for (int c = 0; c < channels; ++c) out[c] = state.numerator(r, c) / l;
}

/// The lse of all keys of a row, from its states.
double joint_lse(const std::vector<RunningSoftmax>& states, std::size_t r) {
    double m = minus_infinity, l = 0;
    for (const RunningSoftmax& state : states) m = std::max(m, state.m[r]);
    for (const RunningSoftmax& state : states) {
        if (state.m[r] == minus_infinity) continue;
        double term = state.m[r];
        tiles::best().exp_minus(&term, 1, m);
        l += term * state.denominator(r);
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
        lse[n] = has_keys(state, r) ? state.m[r] + natural_log(state.denominator(r)) : minus_infinity;
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
            at.lse(outputs) = log_sum(state.m[row], state.denominator(row));
            read_row(state, row, context.head_dim_v, at.out(outputs));
        }
        if (!std::isfinite(at.lse(outputs))) {
            throw InvalidProblem("the logits of batch " + std::to_string(at.batch) + ", head " + std::to_string(head) +
                                 ", row " + std::to_string(at.row) + " overflow double precision");
        }
    }
}

/// What one thread needs for any query tile.
struct Workspace {
    Workspace(const SequenceContext& context, const Merge& merge, bool apart)
        : states(merge, apart, context.padded_dim_v),
          rotated(static_cast<std::size_t>(tile_rows) * context.head_dim),
          packed_q(tiles::left_size(tile_rows, context.head_dim)),
          scores(static_cast<std::size_t>(tile_rows) * tile_columns),
          packed_p(tiles::left_size(tile_rows, tile_columns)) {}
    TileStates states;
    std::vector<double> rotated;
    AlignedBuffer packed_q, scores, packed_p;
};

/// One query tile of one head against every key its modes see.
void attend(const SequenceContext& context, const KeyOperands& keys, const QueryTile& tile, std::int64_t head,
            std::span<const Mode> modes, Workspace& work, Outputs& outputs, Parts* parts) {
    const tiles::Kernels& kernels = tiles::best();
    work.states.reset();
    for (const KeySpan& span : key_spans(context.problem.chunk, tile.chunk, context.key_count)) {
        if (std::find(modes.begin(), modes.end(), span.mode) == modes.end()) continue;
        RunningSoftmax& state = work.states.of(span.mode);
        rotated_queries(context, tile, head, span.mode, context.softmax_scale, work.rotated.data());
        kernels.pack_left(false, tile.rows(), context.head_dim, work.rotated.data(), context.head_dim,
                          work.packed_q.data());
        for (std::int64_t start = span.begin / tile_columns * tile_columns; start < span.end; start += tile_columns) {
            const KeyBlock block = key_block(span, start, tile_columns, tile.last_index());
            if (block.columns == 0) break;
            const VisibleBlock visible(span, block, tile);
            visible.scores(work.packed_q.data(), KeyOperands::at_scores(keys.k_scores, block.base, context.head_dim),
                           context.head_dim, work.scores.data(), tile_columns);
            for (int r = 0; r < tile.rows(); ++r) {
                double* row = work.scores.data() + static_cast<std::ptrdiff_t>(r) * tile_columns;
                visible.hide(r, row, minus_infinity);
                if (visible.worked(r) > 0) state.absorb(kernels, r, row, visible.worked(r));
                visible.clear_rest(r, row);
            }
            visible.over_keys(work.scores.data(), tile_columns, KeyOperands::at_values(keys.v_values, block.base),
                              KeyOperands::values_stride(context.padded_keys), state.dim, work.packed_p.data(),
                              state.o.data(), state.o_error.data());
        }
    }
    finish(context, tile, head, work.states, outputs, parts);
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
            const auto make_body = [&] {
                return [&, space = std::make_shared<Workspace>(context, merge, merge.parts() || parts != nullptr)](
                           std::int64_t item) {
                    const QueryTile& tile = tiles[static_cast<std::size_t>(item / context.group)];
                    attend(context, keys, tile, kv_head * context.group + item % context.group, modes, *space, outputs,
                           parts);
                };
            };
            parallel_in_order(static_cast<std::int64_t>(tiles.size()) * context.group, work, make_body);
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
