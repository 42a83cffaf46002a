// Names follow docs/error_model.md, "How far the expected values can be from the truth".
#include "reference/plain_bound.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "reference/gradient_pass.hpp"
#include "reference/math/chunk_positions.hpp"
#include "reference/math/rope.hpp"
#include "reference/math/rope_frequencies.hpp"
#include "reference/merge_rule.hpp"
#include "reference/operands.hpp"

namespace dca::reference {
namespace {

constexpr double u = 0x1p-53;
/// Errors of higher order, and the roundings of this evaluation, are below a fiftieth of the first order while every
/// relative error is below `small`.
constexpr double inflation = 1.02, small = 0x1p-10;
/// Results and inputs below this keep what underflow adds below `underflow`.
constexpr double large = 0x1p60, underflow = 0x1p-600;

bool computes_the_definition(const Problem& problem) {
    const Dialect& dialect = dialect_of(problem);
    return dialect.angles == AngleArithmetic::exact && dialect.rotation == RotationArithmetic::exact &&
           dialect.temperature.place == TemperaturePlace::nowhere && !dialect.float32_softmax &&
           !Merge(problem).parts() &&
           (dialect.linear == LinearScaling::frequencies || problem.rope.scaling != RopeScaling::linear);
}

double norm_max(const double* row, std::int64_t n) {
    double largest = 0;
    for (std::int64_t e = 0; e < n; ++e) largest = std::max(largest, std::abs(row[e]));
    return largest;
}
/// Scaled, so that no square underflows that counts.
double norm(const double* row, std::int64_t n) {
    const double largest = norm_max(row, n);
    if (largest == 0) return 0;
    double sum = 0;
    for (std::int64_t e = 0; e < n; ++e) sum += (row[e] / largest) * (row[e] / largest);
    return largest * std::sqrt(sum);
}

/// Largest norm of a rotary pair, or of an element that is not rotated: no rotation changes it.
double norm_pair(const Problem& problem, const double* row) {
    const std::int64_t pairs = problem.resolved_rotary_dim() / 2;
    double largest = norm_max(row + 2 * pairs, problem.shape.head_dim - 2 * pairs);
    for (std::int64_t k = 0; k < pairs; ++k) {
        const auto [first, second] = rotary_pair(problem.rope.layout, k, pairs);
        largest = std::max(largest, std::hypot(row[first], row[second]));
    }
    return largest;
}

/// Sizes of a row of q or k, and of v or dout: 2-norm, largest pair, largest element.
struct RowSizes {
    double norm = 0, pair = 0, element = 0;
    [[nodiscard]] RowSizes at_least(const RowSizes& other) const {
        return {std::max(norm, other.norm), std::max(pair, other.pair), std::max(element, other.element)};
    }
};

/// The largest among keys 0 .. j of one sequence and kv head.
struct KeySizes {
    std::vector<RowSizes> k, v;
};

KeySizes key_sizes(const Problem& problem, const Inputs& inputs, const Sequence& seq, std::int64_t kv_head) {
    KeySizes sizes;
    RowSizes k, v;
    for (std::int64_t key = seq.key_begin; key < seq.key_end; ++key) {
        const double* k_row = &inputs.k(seq.batch, key, kv_head, 0);
        const double* v_row = &inputs.v(seq.batch, key, kv_head, 0);
        k = k.at_least({norm(k_row, problem.shape.head_dim), norm_pair(problem, k_row), 0});
        v = v.at_least({norm(v_row, problem.shape.head_dim_v), 0, norm_max(v_row, problem.shape.head_dim_v)});
        sizes.k.push_back(k);
        sizes.v.push_back(v);
    }
    return sizes;
}

/// What the bounds of one row are made of.
struct RowBound {
    double out, lse;
    double rho_p;     ///< relative error of p in the backward pass
    double d_scores;  ///< Lambda: error of dS over p
    double scores;    ///< 2 E: bound of |dS| over p
};

/// logit: tau mu^2 |q| |k|; v: of the visible keys; dout: |dO|.
RowBound row_bound(const Problem& problem, double logit, double keys, const RowSizes& v, double dout, double lse) {
    const auto d = static_cast<double>(problem.shape.head_dim), dv = static_cast<double>(problem.shape.head_dim_v);
    const double tiles = keys / forward_tile_columns + 4;  // two borders between modes, a ragged first and last tile
    const double sigma = (d + 9) * logit * u;
    const double rho = sigma + 2 * logit * u + 1.2 * (1 + tiles) * u + 4 * tiles * tiles * u * u;
    const double row_sum = (forward_tile_columns / 8 + 4) * u;
    const double mean = 2 * rho + row_sum + (forward_tile_columns + 3) * u;  // of an average of rows of v, over |v|
    RowBound bound{};
    bound.out = v.element * mean;
    bound.lse = rho + row_sum + std::abs(lse) * u;
    bound.rho_p = sigma + bound.lse + (2 * logit + std::log(keys) + 1.2) * u;
    const double e = dout * v.norm;
    bound.d_scores = 2 * e * bound.rho_p + e * (mean + (2 * dv + 5) * u);
    bound.scores = 2 * e;
    return bound;
}

class Bounds {
public:
    Bounds(const Problem& problem, const Inputs& inputs, const Outputs& outputs)
        : problem_(problem),
          inputs_(inputs),
          outputs_(outputs),
          tau_(std::abs(problem.resolved_softmax_scale())),
          mu_(std::max(1.0, std::abs(mscale(effective_rope(problem))))) {
        if (!inputs.dout) return;
        // Two channels: what each query adds to the radius of dk and of dv, over p.
        column_terms_ = Tensor4({problem.shape.batch, problem.shape.seq_q, problem.shape.heads_q, 2});
    }

    PlainBounds all() {
        for (const Sequence& seq : sequences(problem_)) {
            for (std::int64_t kv_head = 0; kv_head < problem_.shape.heads_kv; ++kv_head) head_group(seq, kv_head);
        }
        const bool tame = rho_ <= small && largest_ <= large && std::max(tau_, mu_) <= large;
        const auto radius = [&](double first_order) {
            return tame ? ErrorRadius{inflation * first_order + underflow, true} : ErrorRadius{};
        };
        PlainBounds bounds{radius(out_), radius(lse_), {}, {}, {}};
        if (!tame || !inputs_.dout || gradient_rule(problem_) != GradientRule::exact) return bounds;
        const auto [dk, dv] = column_sums();
        bounds.dq = radius(dq_);
        bounds.dk = radius(mu_ * dk);
        bounds.dv = radius(dv);
        return bounds;
    }

private:
    void head_group(const Sequence& seq, std::int64_t kv_head) {
        const KeySizes sizes = key_sizes(problem_, inputs_, seq, kv_head);
        if (sizes.k.empty()) return;
        largest_ = std::max({largest_, sizes.k.back().norm, sizes.v.back().norm});
        const std::int64_t group = problem_.shape.heads_q / problem_.shape.heads_kv;
        for (std::int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
            for (std::int64_t row = std::max<std::int64_t>(0, -seq.offset); row < seq.query_count(); ++row) {
                const std::int64_t keys = std::min(seq.offset + row + 1, seq.key_count());
                const auto last = static_cast<std::size_t>(keys - 1);
                add_row(seq.batch, seq.query_begin + row, head, static_cast<double>(keys), sizes.k[last],
                        sizes.v[last]);
            }
        }
    }

    void add_row(std::int64_t batch, std::int64_t row, std::int64_t head, double keys, const RowSizes& k,
                 const RowSizes& v) {
        const std::int64_t d = problem_.shape.head_dim, dv = problem_.shape.head_dim_v;
        const double* q_row = &inputs_.q(batch, row, head, 0);
        const double q = norm(q_row, d);
        const double* dout = inputs_.dout ? &(*inputs_.dout)(batch, row, head, 0) : nullptr;
        const double dout_norm = dout != nullptr ? norm(dout, dv) : 0;
        const RowBound bound =
            row_bound(problem_, tau_ * mu_ * mu_ * q * k.norm, keys, v, dout_norm, outputs_.lse(batch, head, row));
        out_ = std::max(out_, bound.out);
        lse_ = std::max(lse_, bound.lse);
        rho_ = std::max(rho_, bound.rho_p);
        largest_ = std::max({largest_, q, dout_norm});
        if (dout == nullptr) return;
        const double to_dq = bound.d_scores + (gradient_tile_columns + 13) * bound.scores * u;
        dq_ = std::max(dq_, tau_ * mu_ * mu_ * k.pair * to_dq);
        const double to_dk = bound.d_scores + (query_tile_rows + 13) * bound.scores * u;
        column_terms_(batch, row, head, 0) = tau_ * mu_ * norm_pair(problem_, q_row) * to_dk;
        column_terms_(batch, row, head, 1) = norm_max(dout, dv) * (bound.rho_p + (query_tile_rows + 2) * u);
    }

    struct ColumnSums {
        double dk, dv;
    };
    /// max over keys of sum_i p_ij times the two terms: P^T dO is what dv is, so the pass itself sums them.
    ColumnSums column_sums() const {
        Problem problem = problem_;
        problem.shape.head_dim_v = 2;
        const Inputs inputs{inputs_.q, inputs_.k, Tensor4(v_extents(problem.shape)), column_terms_};
        const RowFacts facts{{outputs_.lse}, {}, {Tensor3(lse_extents(problem.shape))}};
        const Gradients sums = gradient_pass(problem, inputs, facts);
        ColumnSums largest{0, 0};
        const auto values = sums.dv.values();
        for (std::size_t n = 0; n < values.size(); n += 2) {
            largest = {std::max(largest.dk, values[n]), std::max(largest.dv, values[n + 1])};
        }
        return largest;
    }

    const Problem& problem_;
    const Inputs& inputs_;
    const Outputs& outputs_;
    double tau_, mu_;
    double out_ = 0, lse_ = 0, dq_ = 0;
    double rho_ = 0, largest_ = 0;
    Tensor4 column_terms_;
};

}  // namespace

PlainBounds plain_bounds(const Problem& problem, const Inputs& inputs, const Outputs& outputs) {
    if (!computes_the_definition(problem)) return {};
    return Bounds(problem, inputs, outputs).all();
}

}  // namespace dca::reference
