#include "reference/sampled/radius.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/math/rope_frequencies.hpp"

namespace dca::reference::sampled {
namespace {

constexpr double u = 0x1p-53;
/// First-order bounds are doubled: that covers what is of higher order as long as the first order is below 1/8, and the
/// roundings of the bounds themselves.
constexpr double slack = 2, largest_first_order = 0.125;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Turned rows: table entries (u each), two products and their sum, the softmax scale: 6 u |row| in norm. Two of them
/// meet in a logit.
constexpr double turned = 6;
/// Sums within a unit are one chain over its keys, rescaled at most once for each of its tiles. Across units nothing is
/// lost that counts (long_sum.hpp) but the roundings of the factors that rescale the sum.
constexpr double unit_roundings = unit_keys + 4 * unit_keys / key_tile_columns;

double norm(const double* row, std::int64_t n) {
    double sum = 0;
    for (std::int64_t e = 0; e < n; ++e) sum += row[e] * row[e];
    return std::sqrt(sum);
}

double largest_norm(const Tensor4& tensor) {
    const std::int64_t dim = tensor.extent(3);
    double largest = 0;
    for (std::int64_t at = 0; at < tensor.size(); at += dim) {
        largest = std::max(largest, norm(&tensor.values()[static_cast<std::size_t>(at)], dim));
    }
    return largest;
}

}  // namespace

void Norms::add(const Tensor4& k, const Tensor4& v) {
    k_ = std::max(k_, largest_norm(k));
    v_ = std::max(v_, largest_norm(v));
}

RowBounds::RowBounds(const SequenceContext& context, const Rows& rows, const Norms& norms, std::int64_t rescales)
    : samples_(rows.count()) {
    const double d = context.head_dim, dv = context.head_dim_v;
    const double m = std::max(1.0, mscale(context.problem.rope)), tau = std::abs(context.softmax_scale);
    const double group_rows = static_cast<double>(samples_ * context.group);
    const Inputs& in = context.inputs;
    for (std::int64_t head = 0; head < context.problem.shape.heads_q; ++head) {
        for (int r = 0; r < rows.count(); ++r) {
            weights_.push_back({0, 0});
            if (rows.index(r) < 0) continue;  // exact
            const double q = norm(&in.q(0, r, head, 0), context.head_dim), logit = tau * m * m * q * norms.k();
            // Error of a logit; then relative error of a weight exp(s - m): of the logit, of its difference from the
            // maximum (at most twice the largest logit), of exp. Factors that rescale are such weights as well, of a
            // tile, of a unit, and each time that a later unit raises the maximum: their exponents add up to no more.
            const double of_logit = (d + 2 * turned) * u * logit;
            const double of_exp = 2 * u * logit + 2 * u;
            const double of_weight = of_logit + 3 * of_exp + 2 * u * static_cast<double>(rescales);
            const double of_sum = unit_roundings * u;
            // Normalised: numerator and denominator both err; divided, rounded.
            const double out = 2 * (of_weight + of_sum) + 3 * u;
            const double lse = of_weight + of_sum + 2 * u * (logit + 50);  // |lse| <= logit + log n, log n < 50
            const bool small = out + lse <= largest_first_order;
            const double v = norms.v();
            rows_.out = std::max(rows_.out, small ? slack * out * v : infinity);
            rows_.lse = std::max(rows_.lse, small ? slack * lse : infinity);
            if (!in.dout) continue;
            const double dout = norm(&(*in.dout)(0, r, head, 0), context.head_dim_v);
            // p = exp(s - lse) anew; dp = dout . v; delta = dout . out of the computed out, dout summed in the 1-norm.
            const double of_p = of_logit + of_exp + slack * lse;
            const double of_delta = dout * std::sqrt(dv) * slack * out * v + 2 * u * dout * v;
            // |dp - delta| <= 2 |dout| |v|: ds = p (dp - delta) errs by p times
            const double of_ds = of_p * 2 * dout * v + (dv + 2) * u * dout * v + of_delta + 4 * u * dout * v;
            const double ds = 2 * dout * v;  // |ds| <= p times
            const double keys = tau * m * m * norms.k();
            const double dq = keys * (of_ds + (unit_roundings + 2 * turned + 4) * u * ds);
            const double chain = (group_rows + 2 * turned + 4) * u;
            rows_.dq = std::max(rows_.dq, small ? slack * dq : infinity);
            weights_.back() = {small ? slack * tau * m * m * q * (of_ds + chain * ds) : infinity,
                               small ? slack * dout * (of_p + chain) : infinity};
        }
    }
}

Radii RowBounds::radii(const ColumnBounds& columns) const {
    Radii all = rows_;
    all.dk = columns.dk;
    all.dv = columns.dv;
    return all;
}

Radii larger(const Radii& a, const Radii& b) {
    // In this form a NaN, which no bound may be hidden by, becomes infinite.
    const auto of = [](double x, double y) { return x <= infinity && y <= infinity ? std::max(x, y) : infinity; };
    return {of(a.out, b.out), of(a.lse, b.lse), of(a.dq, b.dq), of(a.dk, b.dk), of(a.dv, b.dv)};
}

}  // namespace dca::reference::sampled
