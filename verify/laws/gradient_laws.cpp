// Laws of the backward pass. They follow from sum_j p = 1, from the logits being bilinear in q and k, and from
// sum_j dS = 0, and hold for the rounded p and dS of a kernel as well: what is left is what it rounds afterwards.
#include <algorithm>
#include <cmath>

#include "verify/laws/laws_of_case.hpp"
#include "verify/laws/row_noise.hpp"
#include "verify/laws/tally.hpp"

namespace dca::verify {
namespace {

/// Sums are kept in long double: in f64 the laws hold to the last digits of a double.
using Sum = long double;

/// The dims of a head that a rotation mixes: pairs, and single ones that it leaves alone (second == first).
struct Dims {
    std::size_t first, second;
    [[nodiscard]] bool rotated() const { return first != second; }
    [[nodiscard]] Sum product(std::span<const double> x, std::span<const double> y) const {
        const Sum one = static_cast<Sum>(x[first]) * y[first];
        return rotated() ? one + static_cast<Sum>(x[second]) * y[second] : one;
    }
    [[nodiscard]] double mean_square(std::span<const double> x) const {
        return (x[first] * x[first] + x[second] * x[second]) / 2;
    }
    [[nodiscard]] double count() const { return rotated() ? 2 : 1; }
};

std::vector<Dims> dims_of(const Problem& problem) {
    const auto rotary = static_cast<std::size_t>(problem.resolved_rotary_dim()), pairs = rotary / 2;
    const bool interleaved = problem.rope.layout == RopeLayout::interleaved;
    std::vector<Dims> dims;
    for (std::size_t k = 0; k < pairs; ++k) {
        dims.push_back(interleaved ? Dims{2 * k, 2 * k + 1} : Dims{k, k + pairs});
    }
    for (auto c = rotary; c < static_cast<std::size_t>(problem.shape.head_dim); ++c) dims.push_back({c, c});
    return dims;
}

/// Calls visit(row, head, noise) for every row of the group that sees a key.
template <class Visit>
void for_each_row(const Group& group, const GroupNoise& noise, Visit visit) {
    const auto& s = group.sequence();
    for (std::int64_t i = s.query_begin; i < s.query_end; ++i) {
        if (group.visible(i) == 0) continue;
        for (std::int64_t head = group.first_head(); head < group.first_head() + group.heads(); ++head) {
            visit(i, head, noise.row(i, head));
        }
    }
}

/// How many rows of all heads of the group see key row j.
double rows_that_see(const Group& group, std::int64_t j) {
    const auto& s = group.sequence();
    const std::int64_t first = std::clamp<std::int64_t>(j - s.key_begin - s.offset, 0, s.query_count());
    return static_cast<double>((s.query_count() - first) * group.heads());
}

constexpr const char* no_row = "no row sees a key";

}  // namespace

LawResult check_sum_dv(const LawInputs& in) {
    Tally tally(Law::sum_dv);
    const auto width = static_cast<std::size_t>(in.problem.shape.head_dim_v);
    for (const Group& group : in.groups) {
        const GroupNoise noise(in.problem, in.inputs, in.results, group);
        const Roundings& u = noise.roundings();
        std::vector<Sum> residual(width);
        std::vector<double> rounded(width), by_key(width), by_row(width);
        bool any = false;
        for_each_row(group, noise, [&](std::int64_t i, std::int64_t head, const RowNoise& row) {
            const auto dout = group.row(*in.inputs.dout, i, head);
            any = true;
            for (std::size_t c = 0; c < width; ++c) {
                residual[c] -= dout[c];
                const double square = dout[c] * dout[c];
                by_row[c] += row.energy * square;
                rounded[c] += (row.row_sum + row.n * u.operand_floor) * square;
            }
        });
        if (!any) continue;
        const auto& s = group.sequence();
        const double floors = static_cast<double>(3 * group.heads() + 1) * u.output_floor;
        for (std::int64_t j = s.key_begin; j < s.key_end; ++j) {
            const auto dv = group.row(*in.results.dv, j, group.kv_head());
            const double relative = 3 * u.output + u.accumulator * rows_that_see(group, j) / 2;
            for (std::size_t c = 0; c < width; ++c) {
                residual[c] += dv[c];
                by_key[c] += dv[c] * dv[c];
                rounded[c] += relative * dv[c] * dv[c] + floors;
            }
        }
        for (std::size_t c = 0; c < width; ++c) {
            const double variance = rounded[c] + u.operand * std::max(by_key[c], by_row[c]);
            tally.add(static_cast<double>(residual[c]), variance,
                      [&] { return "channel " + std::to_string(c) + group.place(); });
        }
    }
    return std::move(tally).result(no_row);
}

// Channel by channel both sides are sum_ij dout_ic p_ij v_jc.
LawResult check_dout_out(const LawInputs& in) {
    Tally tally(Law::dout_out);
    const auto width = static_cast<std::size_t>(in.problem.shape.head_dim_v);
    for (const Group& group : in.groups) {
        const GroupNoise noise(in.problem, in.inputs, in.results, group);
        const Roundings& u = noise.roundings();
        const auto& s = group.sequence();
        std::vector<Sum> residual(width);
        std::vector<double> variance(width), by_row(width), by_key(width), value(width);
        const double floors = static_cast<double>(3 * group.heads() + 1) * u.output_floor;
        for (std::int64_t j = s.key_begin; j < s.key_end; ++j) {
            const auto v = group.row(in.inputs.v, j, group.kv_head());
            const auto dv = group.row(*in.results.dv, j, group.kv_head());
            const double relative = 3 * u.output + u.accumulator * rows_that_see(group, j) / 2;
            for (std::size_t c = 0; c < width; ++c) {
                const Sum product = static_cast<Sum>(v[c]) * dv[c];
                const auto square = static_cast<double>(product * product);
                residual[c] -= product;
                variance[c] += relative * square + floors * v[c] * v[c];
                by_key[c] += square;
                value[c] += v[c] * v[c] / static_cast<double>(s.key_count());
            }
        }
        bool any = false;
        for_each_row(group, noise, [&](std::int64_t i, std::int64_t head, const RowNoise& row) {
            const auto dout = group.row(*in.inputs.dout, i, head), out = group.row(*in.results.out, i, head);
            any = true;
            const double relative = 5 * u.output + u.accumulator * row.n / 2 + row.row_sum;
            for (std::size_t c = 0; c < width; ++c) {
                const Sum product = static_cast<Sum>(dout[c]) * out[c];
                const auto square = static_cast<double>(product * product);
                const double dout_square = dout[c] * dout[c];
                residual[c] += product;
                variance[c] += relative * square + 3 * u.output_floor * dout_square +
                               2 * row.n * u.operand_floor * dout_square * value[c];
                by_row[c] += std::max(square, row.energy * dout_square * value[c]);
            }
        });
        if (!any) continue;
        for (std::size_t c = 0; c < width; ++c) {
            // P is rounded twice: before it meets v, and before it meets dout.
            tally.add(static_cast<double>(residual[c]), variance[c] + 2 * u.operand * std::max(by_row[c], by_key[c]),
                      [&] { return "channel " + std::to_string(c) + group.place(); });
        }
    }
    return std::move(tally).result(no_row);
}

// A rotation mixes two dims, so that the part of the logit that comes from them is bilinear by itself: rotary pair by
// pair, and dim by dim where nothing is rotated, both sides are sum_ij dS_ij (part of s_ij).
LawResult check_q_dq(const LawInputs& in) {
    Tally tally(Law::q_dq);
    const std::vector<Dims> all = dims_of(in.problem);
    const double tau = in.problem.resolved_softmax_scale();
    for (const Group& group : in.groups) {
        const GroupNoise noise(in.problem, in.inputs, in.results, group);
        const Roundings& u = noise.roundings();
        const auto& s = group.sequence();
        const auto keys = static_cast<double>(s.key_count());
        const auto rows = static_cast<double>(s.query_count() * group.heads());
        std::vector<Sum> of_q(all.size()), of_k(all.size());
        std::vector<double> q_products(all.size()), k_products(all.size()), pairs(all.size()), queries(all.size()),
            key_square(all.size());
        for (std::int64_t j = s.key_begin; j < s.key_end; ++j) {
            const auto k = group.row(in.inputs.k, j, group.kv_head());
            const auto dk = group.row(*in.results.dk, j, group.kv_head());
            for (std::size_t n = 0; n < all.size(); ++n) {
                of_k[n] += all[n].product(k, dk);
                key_square[n] += all[n].mean_square(k);
                k_products[n] += all[n].count() * all[n].mean_square(k) * all[n].mean_square(dk);
            }
        }
        bool any = false;
        for_each_row(group, noise, [&](std::int64_t i, std::int64_t head, const RowNoise& row) {
            const auto q = group.row(in.inputs.q, i, head), dq = group.row(*in.results.dq, i, head);
            any = true;
            for (std::size_t n = 0; n < all.size(); ++n) {
                const double square = all[n].mean_square(q);
                of_q[n] += all[n].product(q, dq);
                queries[n] += square;
                q_products[n] += all[n].count() * square * all[n].mean_square(dq);
                // sum_j (dS (part of s))^2 where nothing cancels
                pairs[n] += tau * tau * row.energy * row.squares * all[n].count() * square * key_square[n] / keys;
            }
        });
        if (!any) continue;
        for (std::size_t n = 0; n < all.size(); ++n) {
            const Dims& dims = all[n];
            // dq and dk are rounded, part by part where the modes run apart, also while they are rotated back; and q~
            // and k~ were rounded before dS met them, q and k in the products here are not.
            const double relative = dims.rotated() ? 5 * u.output + u.rotated : 3 * u.output;
            const double squares = std::max(q_products[n], pairs[n]) + std::max(k_products[n], pairs[n]);
            const double floors = dims.count() * u.output_floor *
                                  (13 * queries[n] + static_cast<double>(3 * group.heads() + 4) * key_square[n]);
            const double common = dims.rotated() ? 4 * u.table * static_cast<double>(of_q[n] * of_q[n]) : 0;
            tally.add(
                static_cast<double>(of_q[n] - of_k[n]),
                (relative + u.accumulator * (keys + rows) / 2) * squares + floors + common, [&] {
                    const std::string first = std::to_string(dims.first);
                    return (dims.rotated() ? "dims " + first + " and " + std::to_string(dims.second) : "dim " + first) +
                           group.place();
                });
        }
    }
    return std::move(tally).result(no_row);
}

// Adding one vector to all keys, on dims that no rotation touches, moves all logits of a row alike and changes nothing.
LawResult check_key_shift(const LawInputs& in) {
    Tally tally(Law::key_shift);
    const auto first = static_cast<std::size_t>(in.problem.resolved_rotary_dim());
    const auto width = static_cast<std::size_t>(in.problem.shape.head_dim);
    const auto dv_width = static_cast<double>(in.problem.shape.head_dim_v);
    const double tau = in.problem.resolved_softmax_scale();
    for (const Group& group : in.groups) {
        if (!group.keys_share_a_factor()) continue;
        const GroupNoise noise(in.problem, in.inputs, in.results, group);
        const Roundings& u = noise.roundings();
        std::vector<Sum> residual(width);
        std::vector<double> variance(width), by_key(width), by_row(width);
        bool any = false;
        for_each_row(group, noise, [&](std::int64_t i, std::int64_t head, const RowNoise& row) {
            const auto q = group.row(in.inputs.q, i, head);
            any = true;
            const double products = 1.5 * u.accumulator * row.squares * dv_width;  // dP = dout . v
            const double common = row.d + products + row.n * u.operand_floor;
            for (std::size_t c = first; c < width; ++c) {
                const double square = tau * tau * q[c] * q[c];
                variance[c] += square * common;
                by_row[c] += square * row.energy * row.squares;
            }
        });
        if (!any) continue;
        const auto& s = group.sequence();
        for (std::int64_t j = s.key_begin; j < s.key_end; ++j) {
            const auto dk = group.row(*in.results.dk, j, group.kv_head());
            const double relative = 5 * u.output + u.accumulator * rows_that_see(group, j) / 2;
            for (std::size_t c = first; c < width; ++c) {
                residual[c] += dk[c];
                by_key[c] += dk[c] * dk[c];
                variance[c] += relative * dk[c] * dk[c] + static_cast<double>(3 * group.heads() + 4) * u.output_floor;
            }
        }
        for (std::size_t c = first; c < width; ++c) {
            tally.add(static_cast<double>(residual[c]), variance[c] + u.operand * std::max(by_key[c], by_row[c]),
                      [&] { return "dim " + std::to_string(c) + group.place(); });
        }
    }
    return std::move(tally).result(first == width ? "every dim is rotated: it needs rotary_dim < head_dim or rope none"
                                                  : "no group has keys that are seen and share one temperature");
}

}  // namespace dca::verify
