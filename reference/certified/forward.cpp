#include "reference/certified/forward.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "reference/numbers/exact.hpp"
#include "reference/spec/error.hpp"

namespace dca::certified {
namespace {

/// The sums of one query tile: numerators and denominators of every row times 2^-exponent. Moving to another exponent
/// is exact, so no rescaling error arises.
struct Sums {
    Sums(const QueryTile& tile, int padded_dim)
        : dim(padded_dim),
          rows(static_cast<std::size_t>(tile.rows())),
          numerator(static_cast<std::int64_t>(tile.padded_rows()) * padded_dim) {}

    struct Row {
        bool seen = false;
        double exponent = 0, hi = 0, lo = 0;
        double product_error = 0;  ///< of the numerators of channel c, in units of value_bias[c]
        double score_error = 0;    ///< the largest of the modes
        double magnitude = 0;      ///< at least |s|
    };

    void move_to(std::size_t r, double exponent) {
        Row& row = rows[r];
        const double steps = row.seen ? row.exponent - exponent : 0;
        const double factor = steps < -900 ? 0 : std::ldexp(1.0, static_cast<int>(steps));
        for (double* x : {&row.hi, &row.lo, &row.product_error}) *x *= factor;
        double* hi = numerator.hi.data() + static_cast<std::ptrdiff_t>(r) * dim;
        double* lo = numerator.lo.data() + static_cast<std::ptrdiff_t>(r) * dim;
        for (int c = 0; c < dim; ++c) {
            hi[c] *= factor;
            lo[c] *= factor;
        }
        row.exponent = exponent;
    }

    /// Turns a row of scores into exp(s) 2^-exponent; returns their sum.
    double absorb(std::size_t r, double* hi, double* lo, int columns) {
        Row& row = rows[r];
        const double most = kernels().row_max(hi, columns);
        if (most == -std::numeric_limits<double>::infinity()) {
            std::fill(hi, hi + columns, 0.0);
            return 0;
        }
        constexpr double log2e = 0x1.71547652b82fep+0;
        const double exponent = std::ceil(most * log2e);
        if (!row.seen || exponent > row.exponent) move_to(r, exponent);
        row.seen = true;
        double sum_hi = 0, sum_lo = 0;
        kernels().exp_sum(hi, lo, columns, row.exponent, &sum_hi, &sum_lo);
        alignas(64) double total[4][8] = {{row.hi}, {row.lo}, {sum_hi}, {sum_lo}};
        kernels().add(total[0], total[1], total[2], total[3], 8);
        row.hi = total[0][0];
        row.lo = total[1][0];
        return sum_hi;
    }

    int dim;
    std::vector<Row> rows;
    Buffer numerator;
};

/// 1 / l, and ln l + exponent ln 2, of l = hi + lo; each within 2^-190 and the rounding to two doubles.
struct Reduced {
    explicit Reduced(const Sums::Row& row) {
        constexpr mpfr_prec_t bits = 200;
        numbers::BigFloat l(bits), ln2(bits), result(bits);
        mpfr_set_d(l.get(), row.hi, MPFR_RNDN);
        mpfr_add_d(l.get(), l.get(), row.lo, MPFR_RNDN);
        mpfr_ui_div(result.get(), 1, l.get(), MPFR_RNDN);
        inverse = numbers::to_two_doubles(result);
        mpfr_const_log2(ln2.get(), MPFR_RNDN);
        mpfr_mul_d(ln2.get(), ln2.get(), row.exponent, MPFR_RNDN);
        mpfr_log(result.get(), l.get(), MPFR_RNDN);
        mpfr_add(result.get(), result.get(), ln2.get(), MPFR_RNDN);
        lse = numbers::to_two_doubles(result);
    }
    numbers::TwoDoubles inverse{}, lse{};
};

/// Writes out, lse and their radii of one row and what its backward pass needs.
void finish_row(const Context& context, const KeyOperands& keys, Sums& sums, std::size_t r, std::int64_t row,
                std::int64_t head, std::int64_t seen_keys, Unrounded& results, RowFacts& facts) {
    const Sums::Row& sum = sums.rows[r];
    const Reduced reduced(sum);
    const Sequence& seq = context.sequence;
    double* hi = sums.numerator.hi.data() + static_cast<std::ptrdiff_t>(r) * sums.dim;
    double* lo = sums.numerator.lo.data() + static_cast<std::ptrdiff_t>(r) * sums.dim;
    kernels().scale(hi, lo, sums.dim, reduced.inverse.hi, reduced.inverse.lo);

    const double tiles = 3.0 + 3.0 * static_cast<double>(context.key_count) / key_tile_columns;
    const double cut = static_cast<double>(context.key_count) * cut_probability;
    const double p = sum.score_error + exp_error(sum.magnitude);
    const double l = p + exp_sum_error + 4 * u2 * tiles + cut;
    facts.exponent = sum.exponent;
    facts.inverse_hi = reduced.inverse.hi;
    facts.inverse_lo = reduced.inverse.lo;
    facts.one_key = seen_keys == 1;
    facts.p_error = (p + l + 8 * u2) * inflation;

    const std::int64_t query = seq.query_begin + row;
    results.lse.hi(seq.batch, head, query) = reduced.lse.hi;
    results.lse.lo(seq.batch, head, query) = reduced.lse.lo;
    results.lse.radius(seq.batch, head, query) = (l + 2 * u2 * (1 + std::abs(reduced.lse.hi))) * inflation;

    // Of a quotient of sums: what its weights do to it, and everything else.
    const double direct = (exp_sum_error + 8 * u2 * tiles + 16 * u2 + cut) * inflation;
    const double products = sum.product_error * reduced.inverse.hi * inflation;
    std::vector<double> direct_errors(static_cast<std::size_t>(context.padded_dim_v));
    double* radius = &results.out.radius(seq.batch, query, head, 0);
    for (std::size_t c = 0; c < static_cast<std::size_t>(context.dim_v); ++c) {
        const double magnitude = keys.value_magnitude[c];
        if (magnitude == 0) continue;  // a channel in which every value is 0 is 0
        direct_errors[c] =
            direct * magnitude + products * keys.value_bias[c] + static_cast<double>(context.key_count) * underflow;
        radius[c] = (2 * p * magnitude + direct_errors[c]) * inflation;
    }
    std::copy_n(hi, context.dim_v, &results.out.hi(seq.batch, query, head, 0));
    std::copy_n(lo, context.dim_v, &results.out.lo(seq.batch, query, head, 0));
    if (!context.inputs.dout) return;

    std::vector<double> dout(static_cast<std::size_t>(context.padded_dim_v));
    std::copy_n(&(*context.inputs.dout)(seq.batch, query, head, 0), context.dim_v, dout.begin());
    kernels().dot(dout.data(), hi, lo, context.padded_dim_v, &facts.delta_hi, &facts.delta_lo);
    const double largest = norm_above(dout.data(), context.dim_v) * keys.value_norm * inflation;
    facts.dp_largest = largest;
    facts.weight_error = p;
    if (largest == 0) return;
    double delta = dot_error(context.padded_dim_v) * largest;
    for (std::size_t c = 0; c < dout.size(); ++c) delta += std::abs(dout[c]) * direct_errors[c];
    facts.difference_error = (delta + dp_error(context.dim_v, largest) + 8 * u2 * largest + underflow) * inflation;
}

}  // namespace

double score_error(int dim, double magnitude) {
    return (2 * rotation_error + u2) * magnitude + product_error(dim, 2) * Bias(magnitude).power + dim * underflow;
}

double dp_error(int dim_v, double magnitude) {
    return magnitude == 0 ? 0 : product_error(dim_v, 0) * Bias(magnitude).power + dim_v * underflow;
}

void forward_tile(const Context& context, const KeyOperands& keys, const QueryTile& tile, std::int64_t head,
                  Unrounded& results, HeadFacts& facts) {
    const int rows = tile.rows(), padded = tile.padded_rows();
    Sums sums(tile, context.padded_dim_v);
    Buffer scores(static_cast<std::int64_t>(padded) * key_tile_columns);
    Buffer packed(static_cast<std::int64_t>(left_size(rows, key_tile_columns)));
    std::vector<double> score_bias(static_cast<std::size_t>(padded), Bias(0).value), value_bias = score_bias;
    for (const KeySpan& span : reference::key_spans(context.problem.chunk, tile.chunk, context.key_count)) {
        const QueryOperands q(context, tile, head, span.mode, false);
        for (std::size_t r = 0; r < sums.rows.size(); ++r) {
            const double magnitude = q.norm[r] * keys.key_norm * inflation;
            if (!(magnitude < largest_logit)) {
                throw Unsupported("certified results need logits below 2^19; here softmax_scale |q| |k| is " +
                                  std::to_string(magnitude));
            }
            score_bias[r] = Bias(magnitude).value;
            sums.rows[r].score_error = std::max(sums.rows[r].score_error, score_error(context.dim, magnitude));
            sums.rows[r].magnitude = std::max(sums.rows[r].magnitude, magnitude);
            if (!(sums.rows[r].score_error < 0x1p-30)) throw Unsupported("certified results: head_dim is too large");
        }
        for (std::int64_t start = span.begin / key_tile_columns * key_tile_columns; start < span.end;
             start += key_tile_columns) {
            const KeyBlock block = key_block(span, start, tile.last_index());
            if (block.columns == 0) break;
            multiply_scores(q, keys, block, padded, context.dim, score_bias.data(), scores);
            mask_scores(span, block, tile, scores.hi.data(), scores.lo.data());
            const double error = product_error(block.columns, 1);
            for (std::size_t r = 0; r < sums.rows.size(); ++r) {
                const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(r) * key_tile_columns;
                const double sum = sums.absorb(r, scores.hi.data() + at, scores.lo.data() + at, block.columns);
                const Bias bias(sum * inflation);
                value_bias[r] = bias.value;
                if (sum > 0) sums.rows[r].product_error += error * bias.power;
            }
            kernels().pack_left(false, rows, block.columns, scores.hi.data(), key_tile_columns, packed.hi.data());
            kernels().pack_left(false, rows, block.columns, scores.lo.data(), key_tile_columns, packed.lo.data());
            kernels().multiply({.m = padded,
                                .n = context.padded_dim_v,
                                .k = block.columns,
                                .left = packed.hi.data(),
                                .left_lo = packed.lo.data(),
                                .right = keys.v_values.data() + block.base * kernels().right_panel,
                                .right_lo = nullptr,
                                .right_stride = KeyOperands::values_stride(context.padded_keys),
                                .row_bias = value_bias.data(),
                                .column_bias = keys.value_bias.data(),
                                .hi = sums.numerator.hi.data(),
                                .lo = sums.numerator.lo.data(),
                                .ld = context.padded_dim_v,
                                .accumulate = true});
        }
    }
    for (int r = 0; r < rows; ++r) {
        const auto at = static_cast<std::size_t>(r);
        if (!sums.rows[at].seen) continue;
        const std::int64_t row = tile.row_begin + r;
        const std::int64_t seen_keys = std::min(tile.first_index + r + 1, context.key_count);
        finish_row(context, keys, sums, at, row, head, seen_keys, results, facts[static_cast<std::size_t>(row)]);
    }
}

}  // namespace dca::certified
