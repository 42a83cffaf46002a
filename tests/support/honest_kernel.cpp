#include "tests/support/honest_kernel.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <type_traits>

namespace dca::test {
namespace {

using Rotation = KernelStyle::Rotation;
using Softmax = KernelStyle::Softmax;

constexpr std::int64_t key_tile = 64;
constexpr std::int64_t mode_count = 3;

/// One sequence: where its rows lie, and the index of the first query among its keys.
struct Part {
    std::int64_t batch, q0, q1, k0, k1, offset;
};

std::vector<Part> parts_of(const Problem& p) {
    std::vector<Part> parts;
    if (p.packed()) {
        for (std::size_t s = 1; s < p.cu_seqlens.size(); ++s) {
            const std::int64_t a = p.cu_seqlens[s - 1], b = p.cu_seqlens[s];
            parts.push_back({0, a, b, a, b, 0});
        }
    } else {
        for (std::int64_t b = 0; b < p.shape.batch; ++b) {
            parts.push_back({b, 0, p.shape.seq_q, 0, p.shape.seq_k, p.resolved_query_offset()});
        }
    }
    return parts;
}

template <class Real>
class Kernel {
public:
    Kernel(const Problem& problem, const Inputs& inputs, const KernelStyle& style)
        : p_(problem),
          in_(inputs),
          style_(style),
          d_(problem.shape.head_dim),
          dv_(problem.shape.head_dim_v),
          len_(problem.chunk.chunk_len()),
          rotary_(problem.resolved_rotary_dim()),
          scale_(static_cast<Real>(problem.resolved_softmax_scale())),
          out_dtype_(problem.resolved_output_dtype()),
          p_dtype_(problem.resolved_p_dtype()) {
        expects(problem.rope.scaling == RopeScaling::none, "run_kernel: rope_scaling must be none");
        for (std::int64_t k = 0; k < rotary_ / 2; ++k) {
            const auto given = problem.rope.inv_freq.empty()
                                   ? Real(1) / std::pow(Real(problem.rope.base), Real(2 * k) / Real(rotary_))
                                   : static_cast<Real>(problem.rope.inv_freq[static_cast<std::size_t>(k)]);
            frequency_.push_back(given);
        }
    }

    KernelResult run() {
        const Shape& s = p_.shape;
        KernelResult result{{Tensor4(out_extents(s)), Tensor3(lse_extents(s))}, {}};
        std::ranges::fill(result.outputs.lse.values(), -std::numeric_limits<double>::infinity());
        if (in_.dout) {
            result.gradients = Gradients{Tensor4(q_extents(s)), Tensor4(k_extents(s)), Tensor4(v_extents(s))};
        }
        for (const Part& part : parts_of(p_)) {
            for (std::int64_t kv = 0; kv < s.heads_kv; ++kv) run_group(part, kv, result);
        }
        return result;
    }

private:
    using Row = std::vector<Real>;

    Real operand(Real x) const { return static_cast<Real>(round_to(p_.dtype, static_cast<double>(x))); }
    Real output(Real x) const { return static_cast<Real>(round_to(out_dtype_, static_cast<double>(x))); }
    /// 8-bit kernels scale P and dS before they round them: P by 256, dS by what its largest allows.
    Real rounded_p(Real x, Real scale = 256) const {
        const double factor = traits(p_dtype_).storage_bits == 8 ? double{scale} : 1;
        return static_cast<Real>(round_to(p_dtype_, static_cast<double>(x) * factor) / factor);
    }
    Real scale_of_ds(const std::vector<Real>& ds) const {
        Real largest = 0;
        for (Real x : ds) largest = std::max(largest, std::abs(x));
        if (!(largest > 0)) return 1;
        const double room = traits(p_dtype_).max_finite / static_cast<double>(largest);
        return static_cast<Real>(std::min(256.0, std::exp2(std::floor(std::log2(room)))));
    }
    /// Flash kernels run on float32 units that flush subnormal results to 0.
    Real flushed(Real x) const {
        constexpr Real smallest = std::numeric_limits<float>::min();
        return style_.softmax != Softmax::unfused && std::is_same_v<Real, float> && std::abs(x) < smallest ? 0 : x;
    }
    bool in_dtype() const {
        const bool activations = traits(p_.dtype).storage_bits > 8 && p_.dtype != Dtype::tf32;
        return style_.rotation == Rotation::in_dtype && activations;
    }

    /// Whether the parts of a gradient are rotated back in the dtype: tf32 and 8-bit kernels write a wider type.
    bool rounds_gradient_parts() const { return style_.softmax == Softmax::merged && out_dtype_ == p_.dtype; }

    int mode_of(std::int64_t i, std::int64_t j) const {
        return static_cast<int>(std::min<std::int64_t>(i / len_ - j / len_, 2));
    }
    std::int64_t query_position(std::int64_t i, int mode) const {
        const std::int64_t c = p_.chunk.chunk_size;
        if (mode == 0) return i % len_;
        return mode == 1 ? std::min(i % len_ + len_, c) : std::min(2 * len_ - 1, c) + style_.inter_shift;
    }

    /// Rotates x (transpose: back). rounded: to the dtype at the end, or at every step.
    Row rotate(const Real* x, std::int64_t position, bool transpose, bool rounded) const {
        Row y(x, x + d_);
        const bool steps = rounded && in_dtype();
        const auto step = [&](Real value) { return steps ? operand(value) : value; };
        const Real m = static_cast<Real>(p_.rope.mscale.value_or(1.0));
        for (std::int64_t k = 0; k < rotary_ / 2; ++k) {
            const bool neox = p_.rope.layout == RopeLayout::neox;
            const auto a = static_cast<std::size_t>(neox ? k : 2 * k);
            const auto b = static_cast<std::size_t>(neox ? k + rotary_ / 2 : 2 * k + 1);
            const Real angle = static_cast<Real>(position) * frequency_[static_cast<std::size_t>(k)];
            const Real c = step(std::cos(angle) * m), s = step((transpose ? -std::sin(angle) : std::sin(angle)) * m);
            const Real xa = x[a], xb = x[b];
            y[a] = step(step(xa * c) - step(xb * s));
            y[b] = step(step(xb * c) + step(xa * s));
        }
        if (rounded) std::ranges::transform(y, y.begin(), [&](Real value) { return operand(value); });
        return y;
    }

    Real dot(const Real* a, const Real* b, std::int64_t n) const {
        Real sum = 0;
        for (std::int64_t e = 0; e < n; ++e) sum += a[e] * b[e];
        return sum;
    }

    static Row row_of(const Tensor4& t, std::int64_t b, std::int64_t row, std::int64_t head) {
        const double* x = &t(b, row, head, 0);
        return Row(x, x + t.extent(3));
    }

    struct Softened {  ///< the softmax over some keys: out before its rounding, and lse
        Row out;
        Real lse;
    };

    /// Flash: tiles of keys with a running maximum. wanted: only keys of this mode, or all (-1).
    Softened online(const std::vector<Real>& dots, std::int64_t i, int wanted) const {
        const Real log2e = std::numbers::log2e_v<Real>;
        const Real scale2 = scale_ * log2e;
        Real m = -std::numeric_limits<Real>::infinity(), sum = 0;
        Row acc(static_cast<std::size_t>(dv_));
        const auto n = static_cast<std::int64_t>(dots.size());
        for (std::int64_t t = 0; t < n; t += key_tile) {
            const auto each = [&](auto&& visit) {
                for (std::int64_t j = t; j < std::min(n, t + key_tile); ++j) {
                    if (wanted < 0 || mode_of(i, j) == wanted) visit(static_cast<std::size_t>(j));
                }
            };
            Real top = m;
            each([&](std::size_t j) { top = std::max(top, dots[j] * scale2); });
            if (!(top > -std::numeric_limits<Real>::infinity())) continue;
            const Real rescale = std::exp2(m - top);
            sum *= rescale;
            for (Real& x : acc) x *= rescale;
            m = top;
            each([&](std::size_t j) {
                const Real p = flushed(std::exp2(std::fma(dots[j], scale2, -m))), rounded = rounded_p(p);
                sum += p;
                for (std::size_t c = 0; c < acc.size(); ++c) acc[c] += rounded * v_[j][c];
            });
        }
        if (!(sum > 0)) return {acc, -std::numeric_limits<Real>::infinity()};
        for (Real& x : acc) x /= sum;
        return {acc, m / log2e + std::log(sum)};
    }

    Softened unfused(const std::vector<Real>& dots) const {
        Real m = -std::numeric_limits<Real>::infinity(), sum = 0;
        for (Real x : dots) m = std::max(m, x * scale_);
        for (Real x : dots) sum += std::exp(x * scale_ - m);
        Row out(static_cast<std::size_t>(dv_));
        for (std::size_t j = 0; j < dots.size(); ++j) {
            const Real p = rounded_p(std::exp(dots[j] * scale_ - m) / sum);
            for (std::size_t c = 0; c < out.size(); ++c) out[c] += p * v_[j][c];
        }
        return {out, m + std::log(sum)};
    }

    Softened merged(const std::vector<Real>& dots, std::int64_t i) const {
        std::vector<Softened> parts;
        Real top = -std::numeric_limits<Real>::infinity();
        for (int mode = 0; mode < mode_count; ++mode) {
            Softened part = online(dots, i, mode);
            if (!std::isfinite(part.lse)) continue;
            for (Real& x : part.out) x = output(x);
            top = std::max(top, part.lse);
            parts.push_back(std::move(part));
        }
        if (parts.size() == 1) return parts.front();
        Real sum = 0;
        for (const Softened& part : parts) sum += std::exp(part.lse - top);
        Row out(static_cast<std::size_t>(dv_));
        for (const Softened& part : parts) {
            const Real w = std::exp(part.lse - top) / sum;
            for (std::size_t c = 0; c < out.size(); ++c) out[c] = output(out[c] + output(w * part.out[c]));
        }
        return {out, top + std::log(sum)};
    }

    Softened soften(const std::vector<Real>& dots, std::int64_t i) const {
        switch (style_.softmax) {
            case Softmax::online: return online(dots, i, -1);
            case Softmax::unfused: return unfused(dots);
            case Softmax::merged: return merged(dots, i);
        }
        throw ContractError("run_kernel: softmax style");
    }

    /// Sums of one gradient: part over the queries of a pass, head over the passes of a head, total over the heads.
    struct Sum {
        Row total, head, part;
        explicit Sum(std::int64_t n) : total(static_cast<std::size_t>(n)), head(total), part(total) {}
    };

    void close_pass(Sum& sum) const {
        const bool rounds = style_.softmax == Softmax::merged;
        for (std::size_t e = 0; e < sum.head.size(); ++e) {
            sum.head[e] = rounds ? output(sum.head[e] + output(sum.part[e])) : sum.head[e] + sum.part[e];
            sum.part[e] = 0;
        }
    }

    static void close_head(Sum& sum) {
        for (std::size_t e = 0; e < sum.head.size(); ++e) {
            sum.total[e] += sum.head[e];
            sum.head[e] = 0;
        }
    }

    void run_group(const Part& part, std::int64_t kv, KernelResult& result) {
        const std::int64_t keys = part.k1 - part.k0, group = p_.shape.heads_q / p_.shape.heads_kv;
        k_.clear();
        v_.clear();
        for (std::int64_t j = 0; j < keys; ++j) {
            const Row k = row_of(in_.k, part.batch, part.k0 + j, kv);
            k_.push_back(rotate(k.data(), j % len_, false, true));
            v_.push_back(row_of(in_.v, part.batch, part.k0 + j, kv));
        }
        std::vector<Sum> dk, dv;
        if (result.gradients) {
            dk.assign(static_cast<std::size_t>(keys), Sum(d_));
            dv.assign(static_cast<std::size_t>(keys), Sum(dv_));
        }
        for (std::int64_t head = kv * group; head < (kv + 1) * group; ++head) {
            // A kernel that runs the modes apart finishes one before it starts the next.
            const int passes = style_.softmax == Softmax::merged && result.gradients ? mode_count : 1;
            for (int pass = 0; pass < passes; ++pass) {
                for (std::int64_t row = part.q0; row < part.q1; ++row) {
                    const std::int64_t i = part.offset + row - part.q0;
                    if (i >= 0) query_row(part, row, i, head, passes == 1 ? -1 : pass, dk, dv, result);
                }
                for (Sum& sum : dk) close_pass(sum);
                for (Sum& sum : dv) close_pass(sum);
            }
            for (Sum& sum : dk) close_head(sum);
            for (Sum& sum : dv) close_head(sum);
        }
        if (!result.gradients) return;
        for (std::int64_t j = 0; j < keys; ++j) {
            const auto at = static_cast<std::size_t>(j);
            const Row back = rotate(dk[at].total.data(), j % len_, true, rounds_gradient_parts());
            store(result.gradients->dk, part.batch, part.k0 + j, kv, back);
            store(result.gradients->dv, part.batch, part.k0 + j, kv, dv[at].total);
        }
    }

    void store(Tensor4& t, std::int64_t b, std::int64_t row, std::int64_t head, const Row& values) const {
        for (std::size_t c = 0; c < values.size(); ++c) {
            t(b, row, head, static_cast<std::int64_t>(c)) = static_cast<double>(output(values[c]));
        }
    }

    /// One query row: its output, and its share of the gradients. only: the mode of this pass, or all (-1).
    void query_row(const Part& part, std::int64_t row, std::int64_t i, std::int64_t head, int only,
                   std::vector<Sum>& dk, std::vector<Sum>& dv, KernelResult& result) {
        const Row q = row_of(in_.q, part.batch, row, head);
        std::vector<Row> rotated;
        for (int mode = 0; mode < mode_count; ++mode)
            rotated.push_back(rotate(q.data(), query_position(i, mode), false, true));
        const auto n = static_cast<std::size_t>(std::min(i + 1, part.k1 - part.k0));
        std::vector<Real> dots(n);
        for (std::size_t j = 0; j < n; ++j) {
            const int mode = mode_of(i, static_cast<std::int64_t>(j));
            dots[j] = dot(rotated[static_cast<std::size_t>(mode)].data(), k_[j].data(), d_);
        }
        const Softened soft = soften(dots, i);
        store(result.outputs.out, part.batch, row, head, soft.out);
        result.outputs.lse(part.batch, head, row) = static_cast<double>(soft.lse);
        if (result.gradients) gradient_row(part, row, i, head, only, rotated, dots, soft.lse, dk, dv, result);
    }

    void gradient_row(const Part& part, std::int64_t row, std::int64_t i, std::int64_t head, int only,
                      const std::vector<Row>& rotated, const std::vector<Real>& dots, Real lse, std::vector<Sum>& dk,
                      std::vector<Sum>& dv, KernelResult& result) const {
        const Row dout = row_of(*in_.dout, part.batch, row, head),
                  out = row_of(result.outputs.out, part.batch, row, head);
        const Real delta = dot(dout.data(), out.data(), dv_);
        std::vector<Row> dq(mode_count, Row(static_cast<std::size_t>(d_)));
        std::vector<Real> all_p, all_ds;
        for (std::size_t j = 0; j < dots.size(); ++j) {
            all_p.push_back(flushed(std::exp(dots[j] * scale_ - lse)));
            all_ds.push_back(all_p[j] * (dot(dout.data(), v_[j].data(), dv_) - delta));
        }
        const Real ds_scale = scale_of_ds(all_ds);
        for (std::size_t j = 0; j < dots.size(); ++j) {
            const auto mode = static_cast<std::size_t>(mode_of(i, static_cast<std::int64_t>(j)));
            if (only >= 0 && static_cast<int>(mode) != only) continue;
            const Real ds = rounded_p(all_ds[j], ds_scale), rounded = rounded_p(all_p[j]);
            for (std::size_t e = 0; e < dq[mode].size(); ++e) {
                dq[mode][e] += ds * k_[j][e];
                dk[j].part[e] += ds * rotated[mode][e] * scale_;
            }
            for (std::size_t c = 0; c < dout.size(); ++c) dv[j].part[c] += rounded * dout[c];
        }
        const bool apart = style_.softmax == Softmax::merged;
        for (std::size_t mode = 0; mode < dq.size(); ++mode) {
            if (only >= 0 && static_cast<int>(mode) != only) continue;
            for (Real& x : dq[mode]) x = apart ? output(x * scale_) : x * scale_;
            const Row back =
                rotate(dq[mode].data(), query_position(i, static_cast<int>(mode)), true, rounds_gradient_parts());
            for (std::size_t e = 0; e < back.size(); ++e) {
                double& sum = result.gradients->dq(part.batch, row, head, static_cast<std::int64_t>(e));
                const Real next = static_cast<Real>(sum) + back[e];
                const bool last = only >= 0 || mode + 1 == dq.size();
                sum = static_cast<double>(last ? output(next) : next);
            }
        }
    }

    const Problem& p_;
    const Inputs& in_;
    KernelStyle style_;
    std::int64_t d_, dv_, len_, rotary_;
    Real scale_;
    Dtype out_dtype_, p_dtype_;
    std::vector<Real> frequency_;
    std::vector<Row> k_, v_;  ///< of the kv head at hand: rotated keys, values
};

}  // namespace

std::string describe(const KernelStyle& style) {
    std::string text = style.softmax == Softmax::online   ? "online"
                       : style.softmax == Softmax::merged ? "merged"
                                                          : "unfused";
    text += style.rotation == Rotation::wide ? ", rotated once" : ", rotated in dtype";
    return style.inter_shift == 0 ? text : text + ", P_inter shifted";
}

KernelResult run_kernel(const Problem& problem, const Inputs& inputs, const KernelStyle& style) {
    return problem.resolved_accumulator() == Dtype::f64 ? Kernel<double>(problem, inputs, style).run()
                                                        : Kernel<float>(problem, inputs, style).run();
}

}  // namespace dca::test
