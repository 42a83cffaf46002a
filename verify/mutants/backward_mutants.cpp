// Wrong gradients under a right forward pass (Def.8).
#include <algorithm>
#include <array>

#include "verify/mutants/families.hpp"

namespace dca::mutants {
namespace {

template <peer::Statistics statistics, bool apart>
void by_mode(Change& change) {
    change.method.apart = apart;
    change.method.statistics = statistics;
}
bool has_chunks(const Problem& p) {
    for (const peer::Part& part : peer::parts_of(p)) {
        if (part.offset + part.query_end - part.query_begin > p.chunk.chunk_len()) return true;
    }
    return false;
}

template <int percent>
void delta(Change& change) {
    change.method.delta_factor = percent / 100.0;
}

void mscale_not_transposed(Change& change) {
    change.method.rotation_factor_back = 1;
}
void rotation_inverted(Change& change) {
    change.method.rotation_factor_back = 1 / peer::table_factor(change.problem.rope);
}
bool has_mscale(const Problem& p) {
    return rotates(p) && peer::table_factor(p.rope) != 1 && peer::table_factor(p.rope) != 0;
}

void no_group_sum(Change& change) {
    change.method.group_sum = false;
}
bool has_groups(const Problem& p) {
    return p.shape.heads_q > p.shape.heads_kv;
}

void dq_unscaled(Change& change) {
    change.method.dq_factor = 1 / change.problem.resolved_softmax_scale();
}
void dk_unscaled(Change& change) {
    change.method.dk_factor = 1 / change.problem.resolved_softmax_scale();
}
bool has_scale(const Problem& p) {
    return p.resolved_softmax_scale() != 1 && p.resolved_softmax_scale() != 0;
}

template <std::size_t mode>
void dq_not_rotated_back(Change& change) {
    change.method.rotate_back[mode] = false;
}
template <std::int64_t chunks>
bool rotates_over(const Problem& p) {
    if (!rotates(p)) return false;
    for (const peer::Part& part : peer::parts_of(p)) {
        if (part.offset + part.query_end - part.query_begin > chunks * p.chunk.chunk_len()) return true;
    }
    return false;
}
void dk_not_rotated_back(Change& change) {
    change.method.rotate_keys_back = false;
}

void dq_in_bf16(Change& change) {
    change.method.dq_type = Dtype::bf16;
}

/// Zeroes or doubles rows of dk and dv.
template <class Factor>
void keys_times(Gradients* gradients, bool dv_too, Factor factor) {
    if (gradients == nullptr) return;
    const auto scale = [&](Tensor4& tensor) {
        const std::int64_t rows = tensor.extent(1), row_size = tensor.extent(2) * tensor.extent(3);
        for (std::int64_t n = 0; n < tensor.size(); ++n)
            tensor.values()[static_cast<std::size_t>(n)] *= factor(n / row_size % rows, rows);
    };
    scale(gradients->dk);
    if (dv_too) scale(gradients->dv);
}
void last_key_tile_lost(Change& change) {
    change.method.store = [](const Problem&, Outputs&, Gradients* gradients) {
        keys_times(gradients, true, [](std::int64_t j, std::int64_t rows) {
            return j < (rows - 1) / small_tile * small_tile ? 1.0 : 0.0;
        });
    };
}
void key_tile_doubled(Change& change) {
    change.method.store = [](const Problem&, Outputs&, Gradients* gradients) {
        keys_times(gradients, false, [](std::int64_t j, std::int64_t) { return j < small_tile ? 2.0 : 1.0; });
    };
}
void last_query_tile_lost(Change& change) {
    change.method.owes = [](const peer::Part& part, std::int64_t row) {
        return row < (part.query_end - part.query_begin - 1) / small_tile * small_tile;
    };
}

/// The memory of dout, (rows, heads), read as (heads, rows).
void dout_transposed(Change& change) {
    change.method.dout = [](const Problem& p, const Tensor4& dout) {
        Tensor4 read(dout.extents());
        const Shape& s = p.shape;
        for (std::int64_t b = 0; b < s.batch; ++b) {
            for (std::int64_t i = 0; i < s.seq_q; ++i) {
                for (std::int64_t h = 0; h < s.heads_q; ++h) {
                    const std::int64_t flat = h * s.seq_q + i;
                    for (std::int64_t c = 0; c < s.head_dim_v; ++c)
                        read(b, i, h, c) = dout(b, flat / s.heads_q, flat % s.heads_q, c);
                }
            }
        }
        return read;
    };
}
bool has_heads_and_rows(const Problem& p) {
    return p.shape.heads_q > 1 && p.shape.seq_q > 1;
}

constexpr Mutant in(std::string_view id, std::string_view title, std::string_view hazard, std::string_view example,
                    void (*change)(Change&), bool (*possible)(const Problem&), std::string_view also = "") {
    return {id, title, hazard, example, Family::backward, change, possible, true, also};
}

constexpr std::array mutants{
    in("detached-merge", "a detached merge: the weights that merge the modes were constants in the backward pass",
       "H34", "NVIDIA/Megatron-LM draft PR #4048, ChunkLlama fine-tuning", by_mode<peer::Statistics::mode_out, true>,
       has_chunks),
    in("local-out-in-delta", "D = dout . out from the out of each mode alone", "H34",
       "tt-metal #53205 (per-chunk out and lse)", by_mode<peer::Statistics::mode_out, false>, has_chunks,
       "detached-merge"),
    in("local-lse", "probabilities of the backward pass from the lse of each mode alone", "H35", "",
       by_mode<peer::Statistics::mode_lse, false>, has_chunks),
    in("local-lse-and-out", "a backward pass of each mode by itself, without merge weights", "H35", "diffusers #14265",
       by_mode<peer::Statistics::mode_both, false>, has_chunks),
    in("delta-missing", "dS = P dP: D = dout . out forgotten", "", "", delta<0>, nullptr),
    in("delta-one-percent", "D = dout . out 1 % too large", "", "", delta<101>, nullptr),
    in("mscale-not-transposed", "dq and dk rotated back without mscale", "", "", mscale_not_transposed, has_mscale),
    in("rotation-inverted", "dq and dk rotated back by the inverse (1 / mscale) instead of the transpose", "", "",
       rotation_inverted, has_mscale),
    in("group-sum-missing", "dk and dv of one query head instead of the sum over its group", "", "", no_group_sum,
       has_groups),
    in("dq-unscaled", "dq without the factor softmax_scale", "", "", dq_unscaled, has_scale),
    in("dk-unscaled", "dk without the factor softmax_scale", "", "", dk_unscaled, has_scale),
    in("dq-succ-not-rotated-back", "the succ part of dq left in its rotated frame", "", "", dq_not_rotated_back<1>,
       rotates_over<1>),
    in("dq-inter-not-rotated-back", "the inter part of dq left in its rotated frame", "", "", dq_not_rotated_back<2>,
       rotates_over<2>),
    in("dk-not-rotated-back", "dk left in its rotated frame", "", "", dk_not_rotated_back, rotates),
    in("dq-accumulated-in-bf16", "dq rounded to bf16 after every tile of 64 keys", "",
       "ring-flash-attention #42 (16-bit accumulation)", dq_in_bf16, nullptr),
    in("dk-dv-last-key-tile-lost", "dk and dv of the last tile of 16 keys never written", "",
       "flash-attention #385 (few elements of dk wrong)", last_key_tile_lost, nullptr),
    in("dk-dv-last-query-tile-lost", "the last tile of 16 queries left out of dk and dv", "", "", last_query_tile_lost,
       nullptr),
    in("dk-tile-doubled", "dk of the first tile of 16 keys added twice", "", "", key_tile_doubled, nullptr),
    in("dout-transposed", "dout, stored as (rows, heads), read as (heads, rows)", "", "flash-attention: strided dout",
       dout_transposed, has_heads_and_rows),
};

}  // namespace

std::span<const Mutant> backward_mutants() {
    return mutants;
}

}  // namespace dca::mutants
