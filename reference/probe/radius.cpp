// An a-priori bound of the rounding errors of a probe. Terms are counted in docs/probe.md, "How far from the truth".
#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/math/natural_log.hpp"
#include "reference/math/rope_frequencies.hpp"
#include "reference/merge_rule.hpp"
#include "reference/probe/probe.hpp"

namespace dca::reference::probe {
namespace {

struct Sizes {
    double element = 0, norm = 0;  ///< largest magnitude, largest norm of a row
};

Sizes sizes_of(std::span<const double> values, std::int64_t row) {
    Sizes sizes;
    for (std::size_t first = 0; first < values.size(); first += static_cast<std::size_t>(row)) {
        double squares = 0;
        for (const double x : values.subspan(first, static_cast<std::size_t>(row))) {
            sizes.element = std::max(sizes.element, std::abs(x));
            squares += x * x;
        }
        sizes.norm = std::max(sizes.norm, std::sqrt(squares));
    }
    return sizes;
}

bool rounds_nothing(const Problem& problem) {
    const Dialect& dialect = dialect_of(problem);
    const MergeRule& merge = merge_rule(problem);
    return dialect.angles == AngleArithmetic::exact && dialect.rotation == RotationArithmetic::exact &&
           merge.lse == Rounding::none && merge.weight == Rounding::none && !merge.part_in_activation &&
           !merge.product_in_activation && dialect.linear == LinearScaling::frequencies;
}

}  // namespace

ErrorRadii error_radii(const Problem& problem, const ProbeInputs& inputs, double largest_key_sum) {
    constexpr double u = 0x1p-53, infinite = std::numeric_limits<double>::infinity();
    const double d = static_cast<double>(problem.shape.head_dim), dv = static_cast<double>(problem.shape.head_dim_v);
    const double len = static_cast<double>(std::min(problem.chunk.chunk_len(), problem.shape.seq_k));
    const double group = static_cast<double>(problem.shape.heads_q / problem.shape.heads_kv);
    double factor = 1;
    for (const Sequence& sequence : sequences(problem)) {
        const TemperatureLaw law(problem, sequence);
        factor =
            std::max({factor, law.query(QueryIndex(std::max<std::int64_t>(0, sequence.offset))), law.key(KeyIndex(0))});
    }
    const double turn = std::max(1.0, std::abs(mscale(effective_rope(problem)))) * factor;
    const double tau = std::abs(problem.resolved_softmax_scale());
    const double q = turn * sizes_of(inputs.q.values(), problem.shape.head_dim).norm;
    const double k = turn * sizes_of(inputs.k.values(), problem.shape.head_dim).norm;
    const Sizes v = sizes_of(inputs.v.values(), problem.shape.head_dim_v);
    const Sizes dout = inputs.dout ? sizes_of(inputs.dout->values(), problem.shape.head_dim_v) : Sizes{};

    const double logit = tau * q * k;                  // no logit is larger
    const double weight = (logit * (d + 18) + 4) * u;  // relative error of a weight, its rescaling included
    const double sums = (len + 12) * u;  // of a sum of weights, or of weights times numbers, over all modes
    const double p = 2 * weight + sums;  // relative error of p
    if (!(p + (len + dv + d) * u < 1e-3)) return {infinite, infinite, infinite, infinite, infinite, false};
    constexpr double second_order = 1.01;  // products of the errors above, which are below 1e-3
    const double lse_size = logit + natural_log(static_cast<double>(problem.shape.seq_k) + 1);
    const double out = second_order * 2 * (weight + sums) * v.element;
    const double lse = second_order * (weight + sums + 6 * u * (1 + lse_size));
    // |dout . v - delta| <= 2 |dout| |v|; its error: those of dout . v and dout . out, and of out along dout.
    const double dp = 2 * dout.norm * v.norm;
    const double dp_error = dp * (dv + 4) * u + dout.norm * std::sqrt(dv) * out;
    const double ds = dp * (p + sums + (dv + d + 16) * u) + dp_error;  // of sums of p (dout . v - delta), per unit of p
    return {out,
            lse,
            second_order * 3 * tau * turn * k * ds,
            second_order * largest_key_sum * tau * turn * q * (ds + dp * (group + 2) * 4 * u),
            second_order * largest_key_sum * dout.element * (p + sums + (group + 2) * 4 * u),
            rounds_nothing(problem)};
}

}  // namespace dca::reference::probe
