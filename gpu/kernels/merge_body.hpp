// The merge kernel: partial results of disjoint keys become one (Def.8). For those who run the modes as three calls;
// the fused kernels need no merge.
//
// A block takes merge_rows() consecutive query rows of one head (x), one query head (y), one batch entry (z); a thread
// 16 bytes of a row. Nothing is shared between threads: the weights of a row are worked out by each of its threads.
#pragma once

#include <cstdint>

#include "gpu/api/kernel_params.hpp"
#include "gpu/api/merge_config.hpp"
#include "gpu/kernels/merge_elements.hpp"

namespace dca::gpu {
namespace merge_detail {

// In fp32 through base 2, which is what the hardware has.
template <class M>
DCA_DEVICE float exp(float x) {
    constexpr float log2_e = 1.44269504088896340736f;
    return M::exp2(x * log2_e);
}
template <class M>
DCA_DEVICE double exp(double x) {
    return M::exp(x);
}
template <class M>
DCA_DEVICE float log(float x) {
    constexpr float ln_2 = 0.69314718055994530942f;
    return M::log2(x) * ln_2;
}
template <class M>
DCA_DEVICE double log(double x) {
    return M::log(x);
}

template <class Real>
struct Weights {
    Real weight[3];  ///< of a part; its out counts only where it is not empty
    bool empty[3];
    Real sum, largest;
};

/// One row's weights w_m = exp(lse_m - lse). A single part that is not empty has weight 1 exactly.
template <class M, class Storage, class Real>
DCA_DEVICE Weights<Real> weights(const MergeParams<Storage, Real>& p, std::int64_t lse_index) {
    constexpr Real infinity = __builtin_huge_valf();
    Weights<Real> w;
    Real lse[3];
    w.largest = -infinity;
    DCA_UNROLL
    for (int m = 0; m < p.most; ++m) {
        lse[m] = m < p.parts ? M::load(p.lse_part[m], lse_index) : -infinity;
        w.empty[m] = lse[m] == -infinity;  // a NaN is not empty: it must show
        w.largest = M::max(w.largest, lse[m]);
    }
    w.sum = 0;
    DCA_UNROLL
    for (int m = 0; m < p.most; ++m) {
        w.weight[m] = w.empty[m] ? Real(0) : exp<M>(lse[m] - w.largest);
        w.sum += w.weight[m];
    }
    const Real inverse = w.sum == Real(0) ? Real(0) : Real(1) / w.sum;
    DCA_UNROLL
    for (int m = 0; m < p.most; ++m) w.weight[m] *= inverse;
    return w;
}

}  // namespace merge_detail

/// Element: Bf16, F16, F32 or F64. Launch: merge_threads threads, grid (merge_blocks(), heads, batch).
template <class M, class Element>
DCA_DEVICE void merge_body(const MergeParams<Storage<Element>, Real<Element>>& p) {
    constexpr int width = vector_width<Element>;

    bool vectors_only = p.head_dim_v % width == 0 && whole_vectors(p.out, 0, 0, 0);
    DCA_UNROLL
    for (int m = 0; m < p.most; ++m)
        vectors_only = vectors_only && (m >= p.parts || whole_vectors(p.out_part[m], 0, 0, 0));

    const Index3 block = M::block();
    const int vectors = merge_vectors(p.head_dim_v, 16 / width), rows = merge_rows(p.head_dim_v, 16 / width);
    for (int item = M::thread(); item < rows * vectors; item += merge_threads) {
        const std::int64_t row = std::int64_t{block.x} * rows + item / vectors;
        if (row >= p.seq_q) return;
        const int channel = item % vectors * width;
        const std::int64_t lse_index = (std::int64_t{block.z} * p.heads + block.y) * p.seq_q + row;
        const std::int64_t first =
            ((std::int64_t{block.z} * p.seq_q + row) * p.heads + block.y) * p.head_dim_v + channel;
        const merge_detail::Weights<Real<Element>> w = merge_detail::weights<M>(p, lse_index);

        Real<Element> sum[width] = {};
        DCA_UNROLL
        for (int m = 0; m < p.most; ++m) {
            if (m >= p.parts || w.empty[m]) continue;
            Real<Element> x[width] = {};
            if (vectors_only) {
                unpack<M, Element>(x, M::load_vector(p.out_part[m], first));
            } else {
                DCA_UNROLL
                for (int i = 0; i < width; ++i)
                    if (channel + i < p.head_dim_v) x[i] = widen<M, Element>(M::load(p.out_part[m], first + i));
            }
            DCA_UNROLL
            for (int i = 0; i < width; ++i) sum[i] = M::fma(w.weight[m], x[i], sum[i]);
        }

        if (vectors_only) {
            M::store_vector(p.out, first, pack<M, Element>(sum));
        } else {
            DCA_UNROLL
            for (int i = 0; i < width; ++i)
                if (channel + i < p.head_dim_v) M::store(p.out, first + i, narrow<M, Element>(sum[i]));
        }
        // log(0) = -inf: a row that is empty in every part.
        if (channel == 0) M::store(p.lse, lse_index, w.largest + merge_detail::log<M>(w.sum));
    }
}

}  // namespace dca::gpu
