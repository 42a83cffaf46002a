// Suite smoke: one small case of every kind. docs/golden_format.md explains the words.

#include <array>

#include "golden/catalogue_tables.hpp"

namespace dca::golden {
namespace {

constexpr std::array<std::string_view, 14> texts{
    // length not a multiple of the stride 8
    "id=ragged seq_q=33 heads_q=2 head_dim=16 chunk_size=12 local_size=4 seed=101",
    "id=gqa_batch batch=2 seq_q=17 heads_q=4 heads_kv=2 head_dim=16 chunk_size=7 local_size=3 dtype=f32 seed=102",
    "id=mqa_narrow_v seq_q=22 heads_q=4 heads_kv=1 head_dim=32 head_dim_v=16 chunk_size=10 local_size=4 dtype=bf16 "
    "seed=103",
    // stride 8 < length 9 <= chunk_size 12: two chunks, still equal to plain attention
    "id=between_stride_and_chunk seq_q=9 heads_q=2 head_dim=16 chunk_size=12 local_size=4 seed=104",
    "id=one_key seq_q=1 head_dim=16 chunk_size=4 local_size=1 seed=105",
    // every succ position clamped to chunk_size
    "id=local_size_0 seq_q=29 head_dim=16 chunk_size=6 local_size=0 dtype=f32 seed=106",
    // stride 3 <= local_size: inter position 2 L - 1, not chunk_size
    "id=local_size_above_stride seq_q=20 heads_q=2 head_dim=16 chunk_size=9 local_size=6 seed=107",
    "id=stride_1 seq_q=9 heads_q=2 head_dim=16 chunk_size=2 local_size=1 seed=108",
    // an empty sequence, one token, two longer ones
    "id=packed seq_q=20 heads_q=2 head_dim=16 chunk_size=6 local_size=2 cu_seqlens=0,7,7,8,20 seed=109",
    "id=decode_row seq_q=1 seq_k=41 heads_q=4 heads_kv=2 head_dim=64 chunk_size=12 local_size=4 dtype=f16 gradient=0 "
    "seed=110",
    // a piece of a prompt that starts in the middle of a chunk
    "id=prefill_mid_chunk seq_q=11 seq_k=24 heads_q=2 head_dim=32 chunk_size=12 local_size=4 dtype=bf16 seed=111",
    "id=yarn_partial_interleaved seq_q=35 head_dim=32 chunk_size=13 local_size=4 rope=interleaved rotary_dim=16 "
    "rope_scaling=yarn rope_factor=4 original_max_position=32 seed=112",
    // the first four rows come before every key
    "id=rows_without_keys seq_q=9 seq_k=5 head_dim=16 chunk_size=4 local_size=1 seed=113",
    "id=head_dim_128 seq_q=67 heads_q=2 heads_kv=1 head_dim=128 chunk_size=40 local_size=8 dtype=bf16 seed=114",
};

}  // namespace

std::span<const std::string_view> smoke_cases() {
    return texts;
}

}  // namespace dca::golden
