// Cases that validate() has to refuse, each for one reason.

#include <array>

#include "golden/catalogue_tables.hpp"

namespace dca::golden {
namespace {

constexpr std::array<std::string_view, 12> texts{
    // stride 0: a division by zero in code that does not check
    "id=reject_stride_0 seq_q=16 head_dim=16 chunk_size=4 local_size=4 expect=reject",
    "id=reject_negative_local_size seq_q=16 head_dim=16 chunk_size=4 local_size=-1 expect=reject",
    "id=reject_heads_not_multiple seq_q=16 heads_q=6 heads_kv=4 head_dim=16 chunk_size=8 local_size=2 expect=reject",
    "id=reject_odd_rotary_dim seq_q=16 head_dim=16 chunk_size=8 local_size=2 rotary_dim=7 expect=reject",
    "id=reject_rotary_dim_above_head_dim seq_q=16 head_dim=16 chunk_size=8 local_size=2 rotary_dim=18 expect=reject",
    "id=reject_inv_freq_length seq_q=16 head_dim=16 chunk_size=8 local_size=2 inv_freq=1,0.5,0.25 expect=reject",
    "id=reject_nan_softmax_scale seq_q=16 head_dim=16 chunk_size=8 local_size=2 softmax_scale=nan expect=reject",
    "id=reject_cu_seqlens_decreasing seq_q=16 head_dim=16 chunk_size=8 local_size=2 cu_seqlens=0,9,7,16 expect=reject",
    "id=reject_cu_seqlens_short seq_q=16 head_dim=16 chunk_size=8 local_size=2 cu_seqlens=0,7,15 expect=reject",
    "id=reject_yarn_without_factor seq_q=16 head_dim=16 chunk_size=8 local_size=2 rope_scaling=yarn expect=reject",
    // the element count of q passes 2^63
    "id=reject_size_overflow batch=4294967296 seq_q=2147483647 heads_q=65536 head_dim=128 chunk_size=8 local_size=2 "
    "expect=reject",
    "id=reject_chunk_size_beyond_2_31 seq_q=16 head_dim=16 chunk_size=2147483649 local_size=0 expect=reject",
};

}  // namespace

std::span<const std::string_view> reject_cases() {
    return texts;
}

}  // namespace dca::golden
