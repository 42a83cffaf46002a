#include "verify/peer/peer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "verify/peer/geometry.hpp"
#include "verify/peer/rotary.hpp"
#include "verify/peer/rounder.hpp"

namespace dca::peer {
namespace {

constexpr std::int64_t key_tile = 64;

/// Sums of products in Real, each partial sum rounded to a narrower accumulator where there is one.
template <class Real>
class Sums {
public:
    explicit Sums(Dtype accumulator)
        : narrow_(accumulator == Dtype::f16 || accumulator == Dtype::bf16), round_(accumulator) {}

    /// y[n] += a x[n]
    void add(Real a, const Real* x, Real* y, std::int64_t count) const {
        if (narrow_) {  // the product of two 11-bit numbers is exact in double
            for (std::int64_t n = 0; n < count; ++n) y[n] = rounded(double{y[n]} + double{a} * double{x[n]});
        } else {
            for (std::int64_t n = 0; n < count; ++n) y[n] += a * x[n];
        }
    }
    void scale(Real a, Real* y, std::int64_t count) const {
        for (std::int64_t n = 0; n < count; ++n) y[n] = narrow_ ? rounded(double{a} * double{y[n]}) : a * y[n];
    }

private:
    Real rounded(double x) const { return static_cast<Real>(round_(x)); }
    bool narrow_;
    Rounder round_;
};

/// P and dS as the second products read them.
class Operand {
public:
    explicit Operand(Dtype dtype) : round_(dtype), scaled_(traits(dtype).storage_bits == 8), dtype_(dtype) {}

    /// P, at most 1: scaled by 256 in the 8-bit types.
    [[nodiscard]] double p(double x) const { return scaled_ ? round_(x * 256) / 256 : round_(x); }
    /// The power of two by which a block of dS is scaled: at most 256, and such that its largest stays in range.
    [[nodiscard]] double block_scale(double largest) const {
        if (!scaled_ || !(largest > 0)) return 1;
        return std::min(256.0, std::exp2(std::floor(std::log2(traits(dtype_).max_finite / largest))));
    }
    [[nodiscard]] double ds(double x, double scale) const { return round_(x * scale) / scale; }

private:
    Rounder round_;
    bool scaled_;
    Dtype dtype_;
};

template <class Real, class Wide>
class Kernel {
public:
    Kernel(const Problem& problem, const Inputs& inputs, const PeerTypes& types)
        : p_(problem),
          in_(inputs),
          types_(types),
          d_(problem.shape.head_dim),
          dv_(problem.shape.head_dim_v),
          scale_(static_cast<Real>(problem.resolved_softmax_scale())),
          input_(types.input),
          output_(types.output),
          operand_(types.p),
          sums_(types.accumulator) {}

    PeerResult run() {
        const Shape& s = p_.shape;
        PeerResult result{{Tensor4(out_extents(s)), Tensor3(lse_extents(s))}, {}};
        std::ranges::fill(result.outputs.lse.values(), -std::numeric_limits<double>::infinity());
        if (in_.dout) result.gradients = Gradients{Tensor4(q_extents(s)), Tensor4(k_extents(s)), Tensor4(v_extents(s))};
        for (const Part& part : parts_of(p_)) {
            const Rotary<Wide> rotary(p_, part.keys(), types_.float32_angles);
            for (std::int64_t head = 0; head < s.heads_kv; ++head) kv_head(part, rotary, head, result);
        }
        return result;
    }

private:
    using Values = std::vector<Real>;
    struct Query {
        std::int64_t index;
        std::array<Reach, mode_count> reach;
        std::array<Values, mode_count> rotated;
    };

    static Values zeros(std::int64_t n) { return Values(static_cast<std::size_t>(n)); }
    static Values row_of(const Tensor4& t, std::int64_t b, std::int64_t row, std::int64_t head) {
        const double* x = &t(b, row, head, 0);
        return Values(x, x + t.extent(3));
    }
    [[nodiscard]] Real exp_of(Real x) const { return static_cast<Real>(std::exp(Wide{x})); }

    Values rotated(const Rotary<Wide>& rotary, const double* x, std::int64_t position) const {
        std::vector<Wide> wide(x, x + d_), turned(wide.size());
        rotary.rotate(wide.data(), position, turned.data());
        Values out;
        for (Wide y : turned) out.push_back(static_cast<Real>(input_(static_cast<double>(y))));
        return out;
    }

    void load_keys(const Part& part, const Rotary<Wide>& rotary, std::int64_t head) {
        keys_ = part.keys();
        k_ = zeros(keys_ * d_);
        v_ = zeros(keys_ * dv_);
        k_columns_ = k_;
        v_columns_ = v_;
        for (std::int64_t j = 0; j < keys_; ++j) {
            const Values k =
                rotated(rotary, &in_.k(part.batch, part.key_begin + j, head, 0), key_position(p_.chunk, j));
            const Values v = row_of(in_.v, part.batch, part.key_begin + j, head);
            for (std::int64_t e = 0; e < d_; ++e) at(k_columns_, e * keys_ + j) = at(k_, j * d_ + e) = at(k, e);
            for (std::int64_t e = 0; e < dv_; ++e) at(v_columns_, e * keys_ + j) = at(v_, j * dv_ + e) = at(v, e);
        }
    }

    template <class V>
    static auto& at(V& values, std::int64_t n) {
        return values[static_cast<std::size_t>(n)];
    }

    /// out[j - begin] = row . column j of `columns`
    void dots(const Values& row, const Values& columns, std::int64_t begin, std::int64_t end, Real* out) const {
        std::fill(out, out + (end - begin), Real{0});
        for (std::size_t e = 0; e < row.size(); ++e) {
            sums_.add(row[e], &columns[e * static_cast<std::size_t>(keys_) + static_cast<std::size_t>(begin)], out,
                      end - begin);
        }
    }

    /// Scaled logits of the keys [begin, end), one tile at most.
    void logits(const Query& query, std::int64_t begin, std::int64_t end, Real* out) const {
        for (int mode = 0; mode < mode_count; ++mode) {
            const Reach& reach = query.reach[static_cast<std::size_t>(mode)];
            const std::int64_t first = std::max(begin, reach.begin), last = std::min(end, reach.end);
            if (first < last)
                dots(query.rotated[static_cast<std::size_t>(mode)], k_columns_, first, last, out + (first - begin));
        }
        for (std::int64_t j = 0; j < end - begin; ++j) out[j] *= scale_;
    }

    void forward_row(const Query& query, Real* out, Real& lse) const {
        Real top = -std::numeric_limits<Real>::infinity(), denominator = 0;
        const std::int64_t visible = query.reach[0].end;
        std::array<Real, key_tile> s;
        for (std::int64_t begin = 0; begin < visible; begin += key_tile) {
            const std::int64_t end = std::min(begin + key_tile, visible);
            logits(query, begin, end, s.data());
            const Real before = top;
            for (std::int64_t j = 0; j < end - begin; ++j) top = std::max(top, at(s, j));
            const Real shrink = begin == 0 ? 0 : exp_of(before - top);
            denominator *= shrink;
            sums_.scale(shrink, out, dv_);
            for (std::int64_t j = 0; j < end - begin; ++j) {
                const Real p = exp_of(at(s, j) - top);
                denominator += p;
                sums_.add(static_cast<Real>(operand_.p(double{p})), &v_[static_cast<std::size_t>((begin + j) * dv_)],
                          out, dv_);
            }
        }
        for (std::int64_t c = 0; c < dv_; ++c) out[c] = static_cast<Real>(output_(double{out[c] / denominator}));
        lse = top + static_cast<Real>(std::log(Wide{denominator}));
    }

    /// Adds the row's share of dk and dv; dq of every mode is left in its own frame, without softmax scale.
    void backward_row(const Query& query, const Values& out, const Values& dout, Real lse,
                      std::array<Values, mode_count>& dq, Values& dk, Values& dv) const {
        Real delta = 0;
        for (std::size_t c = 0; c < out.size(); ++c) delta += dout[c] * out[c];
        const std::int64_t visible = query.reach[0].end;
        std::array<Real, key_tile> s, dp;
        for (std::int64_t begin = 0; begin < visible; begin += key_tile) {
            const std::int64_t end = std::min(begin + key_tile, visible);
            logits(query, begin, end, s.data());
            dots(dout, v_columns_, begin, end, dp.data());
            Real largest = 0;
            for (std::int64_t j = 0; j < end - begin; ++j) {
                at(s, j) = exp_of(at(s, j) - lse);
                at(dp, j) = at(s, j) * (at(dp, j) - delta);
                largest = std::max(largest, std::abs(at(dp, j)));
            }
            const double block_scale = operand_.block_scale(double{largest});
            for (int mode = 0; mode < mode_count; ++mode) {
                const auto m = static_cast<std::size_t>(mode);
                const std::int64_t first = std::max(begin, query.reach[m].begin),
                                   last = std::min(end, query.reach[m].end);
                for (std::int64_t j = first; j < last; ++j) {
                    const Real ds = static_cast<Real>(operand_.ds(double{at(dp, j - begin)}, block_scale));
                    const Real p = static_cast<Real>(operand_.p(double{at(s, j - begin)}));
                    sums_.add(ds, &at(k_, j * d_), dq[m].data(), d_);
                    sums_.add(ds, query.rotated[m].data(), &at(dk, j * d_), d_);
                    sums_.add(p, dout.data(), &at(dv, j * dv_), dv_);
                }
            }
        }
    }

    void store(const std::vector<Wide>& values, double* out) const {
        std::transform(values.begin(), values.end(), out, [&](Wide x) { return output_(static_cast<double>(x)); });
    }

    /// y += R(position)^T (softmax scale * x)
    void add_back(const Rotary<Wide>& rotary, const Real* x, std::int64_t position, std::vector<Wide>& y) const {
        std::vector<Wide> scaled;
        for (std::int64_t e = 0; e < d_; ++e) scaled.push_back(Wide{x[e]} * Wide{scale_});
        rotary.add_back(scaled.data(), position, y.data());
    }

    void kv_head(const Part& part, const Rotary<Wide>& rotary, std::int64_t head, PeerResult& result) {
        load_keys(part, rotary, head);
        const bool gradients = result.gradients.has_value();
        Values dk = zeros(gradients ? keys_ * d_ : 0), dv = zeros(gradients ? keys_ * dv_ : 0);
        const std::int64_t group = p_.shape.heads_q / p_.shape.heads_kv;
        for (std::int64_t h = head * group; h < (head + 1) * group; ++h) {
            for (std::int64_t row = part.query_begin; row < part.query_end; ++row) {
                const std::int64_t i = part.offset + row - part.query_begin;
                if (i < 0) continue;
                Query query{i, reaches(p_.chunk, i, keys_), {}};
                for (int m = 0; m < mode_count; ++m) {
                    at(query.rotated, m) =
                        rotated(rotary, &in_.q(part.batch, row, h, 0), query_position(p_.chunk, i, m));
                }
                Values out = zeros(dv_);
                Real lse = 0;
                forward_row(query, out.data(), lse);
                std::copy(out.begin(), out.end(), &result.outputs.out(part.batch, row, h, 0));
                result.outputs.lse(part.batch, h, row) = static_cast<double>(lse);
                if (!gradients) continue;
                std::array<Values, mode_count> dq{zeros(d_), zeros(d_), zeros(d_)};
                backward_row(query, out, row_of(*in_.dout, part.batch, row, h), lse, dq, dk, dv);
                std::vector<Wide> total(static_cast<std::size_t>(d_));
                for (int m = 0; m < mode_count; ++m)
                    add_back(rotary, at(dq, m).data(), query_position(p_.chunk, i, m), total);
                store(total, &result.gradients->dq(part.batch, row, h, 0));
            }
        }
        for (std::int64_t j = 0; gradients && j < keys_; ++j) {
            std::vector<Wide> total(static_cast<std::size_t>(d_));
            add_back(rotary, &at(dk, j * d_), key_position(p_.chunk, j), total);
            store(total, &result.gradients->dk(part.batch, part.key_begin + j, head, 0));
            store({&at(dv, j * dv_), &at(dv, j * dv_) + dv_},
                  &result.gradients->dv(part.batch, part.key_begin + j, head, 0));
        }
    }

    const Problem& p_;
    const Inputs& in_;
    PeerTypes types_;
    std::int64_t d_, dv_, keys_ = 0;
    Real scale_;
    Rounder input_, output_;
    Operand operand_;
    Sums<Real> sums_;
    Values k_, v_;                  ///< of the kv head at hand, keys x channels
    Values k_columns_, v_columns_;  ///< channels x keys
};

}  // namespace

PeerTypes types_of(const Problem& problem) {
    return {problem.dtype, problem.resolved_p_dtype(), problem.resolved_accumulator(), problem.resolved_output_dtype()};
}

PeerResult run_peer(const Problem& problem, const Inputs& inputs, const PeerTypes& types) {
    validate(problem, inputs);
    if (problem.dialect != "exact") throw Unsupported("peer: dialect " + problem.dialect + ", it computes exact alone");
    if (problem.sparse_prefill()) throw Unsupported("peer: it computes no sparse prefill");
    return types.accumulator == Dtype::f64 ? Kernel<double, long double>(problem, inputs, types).run()
                                           : Kernel<float, double>(problem, inputs, types).run();
}

}  // namespace dca::peer
