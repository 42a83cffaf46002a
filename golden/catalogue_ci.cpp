// Suite ci: sizes and options that are awkward on purpose. docs/golden_format.md explains the words.

#include <array>

#include "golden/catalogue_tables.hpp"

namespace dca::golden {
namespace {

constexpr std::array<std::string_view, 60> texts{
    // --- every dtype on one shape: prime length, stride 32, grouped heads
    "id=dtype_f64 seq_q=97 heads_q=4 heads_kv=2 head_dim=64 chunk_size=40 local_size=8 seed=1",
    "id=dtype_f32 seq_q=97 heads_q=4 heads_kv=2 head_dim=64 chunk_size=40 local_size=8 dtype=f32 seed=2",
    "id=dtype_tf32 seq_q=97 heads_q=2 head_dim=64 chunk_size=40 local_size=8 dtype=tf32 seed=3",
    "id=dtype_f16 seq_q=97 heads_q=4 heads_kv=2 head_dim=64 chunk_size=40 local_size=8 dtype=f16 seed=4",
    "id=dtype_bf16 seq_q=97 heads_q=4 heads_kv=2 head_dim=64 chunk_size=40 local_size=8 dtype=bf16 seed=5",
    "id=dtype_e4m3 seq_q=97 heads_q=2 head_dim=64 chunk_size=40 local_size=8 dtype=e4m3 seed=6",
    "id=dtype_e5m2 seq_q=97 heads_q=2 head_dim=64 chunk_size=40 local_size=8 dtype=e5m2 seed=7",
    // --- lengths around the borders of stride 32 and chunk_size 40
    "id=n_below_stride seq_q=31 heads_q=2 head_dim=32 chunk_size=40 local_size=8 seed=8",
    "id=n_is_stride seq_q=32 heads_q=2 head_dim=32 chunk_size=40 local_size=8 dtype=f32 seed=9",
    "id=n_is_stride_plus_1 seq_q=33 heads_q=2 head_dim=32 chunk_size=40 local_size=8 seed=10",
    "id=n_is_chunk_size seq_q=40 heads_q=2 head_dim=32 chunk_size=40 local_size=8 dtype=bf16 seed=11",
    // the longest that equals plain attention, min(2 L, C + 1), and one more
    "id=n_plain_limit_by_chunk_size seq_q=41 heads_q=2 head_dim=32 chunk_size=40 local_size=8 seed=12",
    "id=n_past_plain_limit_by_chunk_size seq_q=42 heads_q=2 head_dim=32 chunk_size=40 local_size=8 seed=13",
    "id=n_plain_limit_by_stride seq_q=32 heads_q=2 head_dim=32 chunk_size=40 local_size=24 seed=14",
    "id=n_past_plain_limit_by_stride seq_q=33 heads_q=2 head_dim=32 chunk_size=40 local_size=24 seed=15",
    "id=n_multiple_of_stride seq_q=128 heads_q=2 head_dim=64 chunk_size=40 local_size=8 dtype=f32 seed=16",
    "id=one_key batch=3 seq_q=1 heads_q=4 heads_kv=2 head_dim=64 chunk_size=40 local_size=8 dtype=bf16 seed=17",
    "id=one_chunk seq_q=100 heads_q=2 head_dim=64 chunk_size=160 local_size=32 dtype=f16 seed=18",
    // --- strides
    "id=many_chunks seq_q=211 heads_q=2 head_dim=32 chunk_size=6 local_size=2 seed=19",
    "id=prime_stride_13 seq_q=113 heads_q=2 head_dim=64 chunk_size=19 local_size=6 dtype=f32 seed=20",
    "id=stride_1 seq_q=37 heads_q=2 head_dim=16 chunk_size=2 local_size=1 seed=21",
    "id=stride_1_wide_local_size seq_q=23 head_dim=16 chunk_size=9 local_size=8 dtype=bf16 seed=22",
    "id=stride_1_local_size_0 seq_q=11 head_dim=16 chunk_size=1 local_size=0 seed=23",
    "id=local_size_0 seq_q=71 heads_q=2 head_dim=64 chunk_size=16 local_size=0 dtype=bf16 seed=24",
    "id=local_size_is_stride seq_q=71 heads_q=2 head_dim=64 chunk_size=16 local_size=8 seed=25",
    "id=local_size_above_stride seq_q=89 heads_q=2 head_dim=64 chunk_size=21 local_size=16 dtype=f32 seed=26",
    // C = 2 L - 1: the succ positions just escape the clamp
    "id=succ_never_clamped seq_q=53 heads_q=2 head_dim=32 chunk_size=17 local_size=8 seed=27",
    // --- heads and head dims
    "id=gqa_8_2 batch=2 seq_q=59 heads_q=8 heads_kv=2 head_dim=64 chunk_size=24 local_size=8 dtype=bf16 seed=28",
    "id=mqa_8_1 seq_q=47 heads_q=8 heads_kv=1 head_dim=64 chunk_size=20 local_size=4 dtype=f16 seed=29",
    "id=head_dim_80 seq_q=131 heads_q=2 head_dim=80 chunk_size=48 local_size=16 dtype=bf16 seed=30",
    "id=head_dim_128 seq_q=257 heads_q=2 heads_kv=1 head_dim=128 chunk_size=96 local_size=32 dtype=bf16 seed=31",
    "id=head_dim_256 seq_q=103 head_dim=256 chunk_size=48 local_size=16 dtype=f16 seed=32",
    "id=head_dim_192_v_128 seq_q=79 heads_q=2 head_dim=192 head_dim_v=128 chunk_size=40 local_size=8 dtype=bf16 "
    "seed=33",
    "id=head_dim_v_larger seq_q=61 heads_q=2 head_dim=32 head_dim_v=80 chunk_size=24 local_size=8 dtype=f32 seed=34",
    "id=head_dim_v_1 seq_q=45 heads_q=2 head_dim=32 head_dim_v=1 chunk_size=12 local_size=4 seed=35",
    "id=odd_head_dim_without_rope seq_q=38 heads_q=2 head_dim=7 chunk_size=12 local_size=4 rope=none seed=36",
    // longer than any block of the blocked implementations
    "id=long_f64 seq_q=521 head_dim=64 chunk_size=130 local_size=30 seed=37",
    "id=long_bf16 seq_q=389 head_dim=128 chunk_size=150 local_size=22 dtype=bf16 seed=38",
    // --- values
    "id=peaked_f64 seq_q=83 heads_q=2 head_dim=64 chunk_size=32 local_size=8 qk_scale=3 seed=39",
    "id=peaked_bf16 seq_q=83 heads_q=2 head_dim=64 chunk_size=32 local_size=8 dtype=bf16 qk_scale=3 seed=40",
    // chunks with different means: a wrong merge weight shows directly in out
    "id=chunk_means seq_q=83 heads_q=2 head_dim=64 chunk_size=32 local_size=8 dtype=f32 v_offset=4 seed=41",
    // out repeats v, so dq and dk are 0
    "id=constant_v seq_q=83 heads_q=2 head_dim=64 chunk_size=32 local_size=8 dtype=f32 constant_v=1 seed=42",
    // --- packed sequences: empty, one token, shorter than the stride, several chunks
    "id=packed seq_q=101 heads_q=2 head_dim=64 chunk_size=16 local_size=4 cu_seqlens=0,37,37,38,43,101 seed=43",
    "id=packed_gqa_chunk_means seq_q=90 heads_q=8 heads_kv=2 head_dim=32 chunk_size=12 local_size=4 dtype=bf16 "
    "v_offset=2 cu_seqlens=0,0,29,61,90,90 seed=44",
    // dynamic: each sequence has its own base
    "id=packed_dynamic seq_q=75 heads_q=2 head_dim=32 chunk_size=16 local_size=4 rope_scaling=dynamic rope_factor=2 "
    "original_max_position=20 cu_seqlens=0,12,75 seed=45",
    // --- decode and chunked prefill
    "id=decode_mid_chunk batch=2 seq_q=1 seq_k=150 heads_q=8 heads_kv=2 head_dim=128 chunk_size=40 local_size=8 "
    "dtype=bf16 gradient=0 seed=46",
    // the query is the first of its chunk: index 128 = 4 L
    "id=decode_chunk_start seq_q=1 seq_k=129 heads_q=4 heads_kv=1 head_dim=64 chunk_size=40 local_size=8 dtype=f16 "
    "seed=47",
    "id=prefill_mid_chunk seq_q=45 seq_k=131 heads_q=2 head_dim=64 chunk_size=40 local_size=8 dtype=bf16 seed=48",
    // keys 50 .. 69 come after every query
    "id=prefill_keys_unseen seq_q=30 seq_k=70 heads_q=2 head_dim=32 chunk_size=16 local_size=4 query_offset=20 seed=49",
    "id=rows_without_keys seq_q=50 seq_k=31 heads_q=2 head_dim=32 chunk_size=12 local_size=4 dtype=f32 seed=50",
    // positions up to 640: bf16 holds integers up to 256
    "id=positions_beyond_256 seq_q=16 seq_k=700 heads_q=2 head_dim=32 chunk_size=640 local_size=64 dtype=bf16 seed=60",
    // --- rotary settings
    "id=rope_interleaved_partial_linear seq_q=73 heads_q=2 head_dim=64 chunk_size=24 local_size=8 rope=interleaved "
    "rotary_dim=24 rope_scaling=linear rope_factor=2.5 softmax_scale=0.4 seed=51",
    "id=rope_ntk seq_q=73 heads_q=2 head_dim=64 chunk_size=24 local_size=8 dtype=f32 rope_base=500000 rope_scaling=ntk "
    "rope_factor=4 mscale=0.75 seed=52",
    "id=rope_dynamic seq_q=73 heads_q=2 head_dim=64 chunk_size=24 local_size=8 rope_scaling=dynamic rope_factor=2 "
    "original_max_position=32 seed=53",
    "id=rope_yarn_partial seq_q=73 heads_q=2 head_dim=64 chunk_size=24 local_size=8 dtype=bf16 rotary_dim=32 "
    "rope_scaling=yarn rope_factor=4 original_max_position=32 beta_fast=16 beta_slow=2 seed=54",
    "id=rope_llama3 seq_q=73 heads_q=2 head_dim=64 chunk_size=24 local_size=8 dtype=f32 rope_scaling=llama3 "
    "rope_factor=8 original_max_position=64 seed=55",
    // mscale follows from yarn although the frequencies are given
    "id=rope_inv_freq_yarn seq_q=57 heads_q=2 head_dim=16 chunk_size=24 local_size=8 rope_scaling=yarn rope_factor=40 "
    "inv_freq=1,0.31,0.1,0.031,0.01,0.0031,0.001,0.00031 seed=56",
    // --- positions near 2^30: all intra; succ; inter. A float32 angle would be off by tens of radians.
    "id=far_intra seq_q=5 seq_k=7 heads_q=2 head_dim=32 chunk_size=2147483647 local_size=0 query_offset=1073741824 "
    "seed=57",
    "id=far_succ seq_q=5 seq_k=7 heads_q=2 head_dim=32 chunk_size=2147483647 local_size=1200000000 "
    "query_offset=1073741824 seed=58",
    "id=far_inter seq_q=5 seq_k=7 heads_q=2 head_dim=32 chunk_size=2147483648 local_size=1647483649 "
    "query_offset=1073741824 seed=59",
};

}  // namespace

std::span<const std::string_view> ci_cases() {
    return texts;
}

}  // namespace dca::golden
