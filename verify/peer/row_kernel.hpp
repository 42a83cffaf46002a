// One query row against the keys of one kv head: softmax in tiles, merge of the modes where they run apart, gradients.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "verify/peer/peer.hpp"
#include "verify/peer/sums.hpp"

namespace dca::peer {

inline constexpr std::int64_t key_tile = 64;

template <class Real>
using Values = std::vector<Real>;

template <class Real>
[[nodiscard]] Values<Real> zeros(std::int64_t n) {
    return Values<Real>(static_cast<std::size_t>(n));
}

/// Rotated keys and values of one kv head.
template <class Real>
struct Keys {
    std::int64_t count = 0;
    Values<Real> k, v;                  ///< keys x channels
    Values<Real> k_columns, v_columns;  ///< channels x keys
};

/// Keys [first, last) of one segment; `at` is the place of the first in the tile.
struct Piece {
    std::size_t segment;
    std::int64_t first, last, at;
};
using Tile = std::vector<Piece>;

/// The plan of a row cut into tiles of 64 keys, counted in the order of the plan. mode < 0: all modes.
[[nodiscard]] inline std::vector<Tile> tiles_of(const Plan& plan, int mode) {
    std::vector<Tile> tiles;
    std::int64_t filled = key_tile;
    for (std::size_t n = 0; n < plan.size(); ++n) {
        if (mode >= 0 && plan[n].mode != mode) continue;
        for (std::int64_t first = plan[n].begin; first < plan[n].end;) {
            if (filled == key_tile) {
                tiles.emplace_back();
                filled = 0;
            }
            const std::int64_t last = std::min(plan[n].end, first + key_tile - filled);
            tiles.back().push_back({n, first, last, filled});
            filled += last - first;
            first = last;
        }
    }
    return tiles;
}

/// A query row: its plan, the query rotated for each segment, the factor on its logits.
template <class Real>
struct Query {
    Plan plan;
    std::vector<Values<Real>> rotated;
    Values<Real> factor, scale;  ///< of the segments' logits: Method::scale, and times softmax_scale
};

template <class Real>
struct Softmaxed {
    Values<Real> out;
    Real lse = -std::numeric_limits<Real>::infinity();
    bool present = false;
};

/// Statistics a row's backward pass works with, by mode.
template <class Real>
struct RowStatistics {
    std::array<Real, mode_count> lse{}, delta{};
};

template <class Real, class Wide>
class RowKernel {
public:
    RowKernel(const Shape& shape, const PeerTypes& types, const Method& method)
        : method_(method),
          d_(shape.head_dim),
          dv_(shape.head_dim_v),
          output_(types.output),
          operand_(types.p),
          dq_(method.dq_type.value_or(Dtype::f64)),
          sums_(method.accumulator.value_or(types.accumulator)) {}

    /// The softmax over the segments of one mode, or of all where mode < 0; out rounded to the output type.
    [[nodiscard]] Softmaxed<Real> softmax(const Query<Real>& query, const Keys<Real>& keys, int mode) const {
        Softmaxed<Real> row{zeros<Real>(dv_)};
        Real top = -std::numeric_limits<Real>::infinity(), denominator = 0;
        std::array<Real, key_tile> s;
        for (const Tile& tile : tiles_of(query.plan, mode)) {
            logits(query, keys, tile, s.data());
            const std::int64_t count = size_of(tile);
            const Real before = top;
            for (std::int64_t j = 0; j < count; ++j) top = std::max(top, s[static_cast<std::size_t>(j)]);
            const Real shrink = row.present ? exp_of(before - top) : 0;
            denominator *= shrink;
            if (method_.rescale || !row.present) sums_.scale(shrink, row.out.data(), dv_);
            row.present = true;
            for (const Piece& piece : tile) {
                for (std::int64_t j = piece.first; j < piece.last; ++j) {
                    const Real p = exp_of(s[static_cast<std::size_t>(piece.at + j - piece.first)] - top);
                    denominator += p;
                    sums_.add(static_cast<Real>(operand_.p(double{p})), &keys.v[static_cast<std::size_t>(j * dv_)],
                              row.out.data(), dv_);
                }
            }
        }
        if (!row.present) return row;
        for (Real& x : row.out) x = static_cast<Real>(output_(double{x / denominator}));
        row.lse = top + static_cast<Real>(std::log(Wide{denominator}));
        return row;
    }

    /// Adds the row's share of dk and dv, of the keys in `wanted` (empty: of all), and its dq, by segment, in the frame
    /// of the segment and without the scale. all: every key is visited; else those in `wanted` alone, and dq is not
    /// complete.
    void backward(const Query<Real>& query, const Keys<Real>& keys, const RowStatistics<Real>& statistics,
                  const Values<Real>& dout, bool owes, bool all, const std::vector<char>& wanted,
                  std::vector<Values<Real>>& dq, Values<Real>& dk, Values<Real>& dv) const {
        std::array<Real, key_tile> s, dp;
        for (Tile tile : tiles_of(query.plan, -1)) {
            if (!all) tile = only(tile, wanted);
            logits(query, keys, tile, s.data());
            Real largest = 0;
            for (const Piece& piece : tile) {
                const auto mode = static_cast<std::size_t>(query.plan[piece.segment].mode);
                Real* const gradient = dp.data() + piece.at;
                dots(dout, keys.v_columns, keys.count, piece.first, piece.last, gradient);
                for (std::int64_t j = 0; j < piece.last - piece.first; ++j) {
                    Real& p = s[static_cast<std::size_t>(piece.at + j)];
                    p = exp_of(p - statistics.lse[mode]);
                    gradient[j] = p * (gradient[j] - statistics.delta[mode]);
                    largest = std::max(largest, std::abs(gradient[j]));
                }
            }
            const double block_scale = operand_.block_scale(double{largest});
            for (const Piece& piece : tile) {
                for (std::int64_t j = piece.first; j < piece.last; ++j) {
                    const auto at = static_cast<std::size_t>(piece.at + j - piece.first);
                    const Real ds = static_cast<Real>(operand_.ds(double{dp[at]}, block_scale));
                    const Real p = static_cast<Real>(operand_.p(double{s[at]}));
                    if (all) {
                        sums_.add(ds, &keys.k[static_cast<std::size_t>(j * d_)], dq[piece.segment].data(), d_);
                    }
                    if (!owes || !(wanted.empty() || wanted[static_cast<std::size_t>(j)] != 0)) continue;
                    const Values<Real>& q = query.rotated[piece.segment];
                    sums_.add(ds * query.factor[piece.segment], q.data(), &dk[static_cast<std::size_t>(j * d_)], d_);
                    sums_.add(p, dout.data(), &dv[static_cast<std::size_t>(j * dv_)], dv_);
                }
            }
            if (method_.dq_type) {
                for (Values<Real>& part : dq) {
                    for (Real& x : part) x = static_cast<Real>(dq_(double{x}));
                }
            }
        }
    }

    [[nodiscard]] static Real exp_of(Real x) { return static_cast<Real>(std::exp(Wide{x})); }
    [[nodiscard]] double rounded_output(double x) const { return output_(x); }

private:
    static std::int64_t size_of(const Tile& tile) {
        return tile.empty() ? 0 : tile.back().at + tile.back().last - tile.back().first;
    }

    static Tile only(const Tile& tile, const std::vector<char>& wanted) {
        Tile kept;
        for (const Piece& piece : tile) {
            for (std::int64_t j = piece.first; j < piece.last; ++j) {
                if (wanted[static_cast<std::size_t>(j)] == 0) continue;
                if (!kept.empty() && kept.back().segment == piece.segment && kept.back().last == j) {
                    ++kept.back().last;
                } else {
                    kept.push_back({piece.segment, j, j + 1, piece.at + j - piece.first});
                }
            }
        }
        return kept;
    }

    /// out[j - begin] = row . column j of `columns`
    void dots(const Values<Real>& row, const Values<Real>& columns, std::int64_t count, std::int64_t begin,
              std::int64_t end, Real* out) const {
        std::fill(out, out + (end - begin), Real{0});
        for (std::size_t e = 0; e < row.size(); ++e) {
            sums_.add(row[e], &columns[e * static_cast<std::size_t>(count) + static_cast<std::size_t>(begin)], out,
                      end - begin);
        }
    }

    /// Scaled logits of one tile.
    void logits(const Query<Real>& query, const Keys<Real>& keys, const Tile& tile, Real* out) const {
        for (const Piece& piece : tile) {
            Real* const of_piece = out + piece.at;
            dots(query.rotated[piece.segment], keys.k_columns, keys.count, piece.first, piece.last, of_piece);
            for (std::int64_t j = 0; j < piece.last - piece.first; ++j) of_piece[j] *= query.scale[piece.segment];
        }
    }

    const Method& method_;
    std::int64_t d_, dv_;
    Rounder output_;
    Operand operand_;
    Rounder dq_;
    Sums<Real> sums_;
};

}  // namespace dca::peer
