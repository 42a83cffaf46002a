// The merge kernel on the emulated machine, from doubles to doubles, and what it may be off by.
#pragma once

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "gpu/kernels/merge_body.hpp"
#include "gpu/machine/emulated.hpp"
#include "reference/spec/bundles.hpp"
#include "reference/spec/dtype.hpp"

namespace dca::test {

template <class Tag>
inline constexpr Dtype dtype_of = Dtype::f64;
template <>
inline constexpr Dtype dtype_of<gpu::Bf16> = Dtype::bf16;
template <>
inline constexpr Dtype dtype_of<gpu::F16> = Dtype::f16;
template <>
inline constexpr Dtype dtype_of<gpu::F32> = Dtype::f32;

/// Elements and sums of a tag, as the kernel has them in memory.
template <class Tag>
struct Stored {
    using Element = gpu::Storage<Tag>;
    using Real = gpu::Real<Tag>;
    static Element from(double x) {
        if constexpr (sizeof(Element) == 2)
            return encode(dtype_of<Tag>, x);
        else
            return static_cast<Element>(x);
    }
    static double to(Element x) {
        if constexpr (sizeof(Element) == 2)
            return decode(dtype_of<Tag>, x);
        else
            return static_cast<double>(x);
    }
};

struct MergeRun {
    gpu::emulated::LaunchOptions options;
    int misalign = 0;  ///< elements by which out is moved off a multiple of 16 bytes
};

/// Launches the kernel over parts whose values Tag and its Real can hold.
template <class Tag>
Outputs run_merge(const std::vector<Outputs>& parts, const MergeRun& run = {}) {
    using S = Stored<Tag>;
    const Extents<4> e = parts.at(0).out.extents();
    const auto elements = static_cast<std::size_t>(element_count(e));
    const auto rows = static_cast<std::size_t>(element_count(parts[0].lse.extents()));
    std::array<std::vector<typename S::Element>, 3> outs;
    std::array<std::vector<typename S::Real>, 3> lses;
    gpu::MergeParams<typename S::Element, typename S::Real> p;
    for (std::size_t m = 0; m < parts.size(); ++m) {
        for (double x : parts[m].out.values()) outs.at(m).push_back(S::from(x));
        for (double x : parts[m].lse.values()) lses.at(m).push_back(static_cast<typename S::Real>(x));
        p.out_part[m] = {outs[m].data(), static_cast<std::int64_t>(elements)};
        p.lse_part[m] = {lses[m].data(), static_cast<std::int64_t>(rows)};
    }
    // What the kernel leaves unwritten shows as a NaN.
    std::vector<typename S::Element> out(elements + 8, S::from(std::nan("")));
    std::vector<typename S::Real> lse(rows, std::numeric_limits<typename S::Real>::quiet_NaN());
    p.out = {out.data() + run.misalign, static_cast<std::int64_t>(elements)};
    p.lse = {lse.data(), static_cast<std::int64_t>(rows)};
    p.batch = e[0], p.seq_q = e[1];
    p.heads = static_cast<int>(e[2]), p.head_dim_v = static_cast<int>(e[3]);
    p.parts = static_cast<int>(parts.size());

    const auto blocks = gpu::merge_blocks(p.seq_q, p.head_dim_v, sizeof(typename S::Element));
    gpu::emulated::launch(
        "merge", {static_cast<int>(blocks), p.heads, static_cast<int>(p.batch)}, gpu::merge_threads, 0,
        [&] { gpu::merge_body<gpu::Emulated, Tag>(p); }, run.options);

    Outputs result{Tensor4(e), Tensor3(parts[0].lse.extents())};
    for (std::size_t i = 0; i < elements; ++i)
        result.out.values()[i] = S::to(out[i + static_cast<std::size_t>(run.misalign)]);
    for (std::size_t i = 0; i < rows; ++i) result.lse.values()[i] = lse[i];
    return result;
}

/// One row's merge in long double, and how far the kernel's may be from it.
struct MergedRow {
    std::vector<long double> weight;
    long double lse = -HUGE_VALL;
    double lse_bound = 0;
    std::vector<double> weight_bound;  ///< relative, of the weights
};

/// Def.8 in long double. The bounds, with u the roundoff of Real, to first order, from the operations of the kernel:
/// x = lse_m - max (u |x|), times log2 e, itself rounded (2 u |x| in the exponent), 2^x (2^-22 for ex2.approx by the
/// PTX manual, which covers the exp of CUDA's double, 1 ulp = 2 u), a sum of two additions (2 u), 1 / sum (u), the
/// product (u). log: 1 ulp = 2 u of log2, times ln 2, itself rounded (2 u), the last addition u |lse|.
template <class Tag>
MergedRow merge_row(const std::vector<long double>& lse) {
    constexpr bool wide = dtype_of<Tag> == Dtype::f64;
    const double u = wide ? 0x1p-53 : 0x1p-24, exp_error = wide ? 2 * u : 0x1p-22;
    MergedRow row;
    long double largest = -HUGE_VALL, sum = 0;
    for (long double x : lse) largest = std::max(largest, x);
    row.weight.assign(lse.size(), 0), row.weight_bound.assign(lse.size(), 0);
    if (largest == -HUGE_VALL) return row;
    for (long double x : lse) sum += std::exp(x - largest);
    row.lse = largest + std::log(sum);
    double sum_error = 2 * u;
    for (std::size_t m = 0; m < lse.size(); ++m) {
        row.weight[m] = std::exp(lse[m] - largest) / sum;
        if (row.weight[m] == 0) continue;
        row.weight_bound[m] = 3 * u * static_cast<double>(largest - lse[m]) + exp_error;
        sum_error += static_cast<double>(row.weight[m]) * row.weight_bound[m];
    }
    for (double& bound : row.weight_bound) bound += sum_error + 2 * u;
    row.lse_bound = sum_error + 4 * u * static_cast<double>(std::log(sum)) + u * static_cast<double>(std::abs(row.lse));
    return row;
}

/// Checks every element; the worst error in units of what is allowed, NaN or above 1 where something is wrong.
/// Besides the weights: three fused multiply-adds (3 u) and one rounding to the element; 2^-10 for the terms of second
/// order; where weights or results leave the normal numbers, their spacing.
template <class Tag>
double worst_error(const std::vector<Outputs>& parts, const Outputs& got) {
    const Extents<4> e = got.out.extents();
    const Dtype dtype = dtype_of<Tag>;
    const double u = dtype == Dtype::f64 ? 0x1p-53 : 0x1p-24;
    const double smallest = dtype == Dtype::f64 ? 0 : 0x1p-126;
    double worst = 0;
    const auto judge = [&](long double error, double bound) {
        const double ratio = error == 0 ? 0.0 : static_cast<double>(error / bound) / (1 + 0x1p-10);
        if (!(ratio <= worst) && !std::isnan(worst)) worst = ratio;  // a NaN stays
    };
    for (std::int64_t b = 0; b < e[0]; ++b)
        for (std::int64_t i = 0; i < e[1]; ++i)
            for (std::int64_t h = 0; h < e[2]; ++h) {
                std::vector<long double> lse;
                for (const Outputs& part : parts) lse.push_back(part.lse(b, h, i));
                const MergedRow row = merge_row<Tag>(lse);
                const double got_lse = got.lse(b, h, i);
                if (std::isinf(row.lse) ? got_lse != static_cast<double>(row.lse) : false) return HUGE_VAL;
                if (!std::isinf(row.lse)) judge(std::abs(got_lse - row.lse), row.lse_bound);
                for (std::int64_t c = 0; c < e[3]; ++c) {
                    long double sum = 0;
                    double bound = 0;
                    for (std::size_t m = 0; m < parts.size(); ++m) {
                        if (lse[m] == -HUGE_VALL) continue;
                        const double x = parts[m].out(b, i, h, c);
                        sum += row.weight[m] * x;
                        bound += std::abs(x) *
                                 (static_cast<double>(row.weight[m]) * (row.weight_bound[m] + 3 * u) + smallest);
                    }
                    const double element = sizeof(typename Stored<Tag>::Element) == 2 ? unit_roundoff(dtype) : 0.0;
                    const double tiny = sum == 0 ? 0.0 : subnormal_spacing(dtype);
                    judge(std::abs(got.out(b, i, h, c) - sum),
                          bound + element * static_cast<double>(std::abs(sum)) + tiny);
                }
            }
    return worst;
}

}  // namespace dca::test
