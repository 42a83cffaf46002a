// The kernel of this repository: Dual Chunk Attention in float, forward and backward, as most frameworks run it: three
// attention calls, for keys of the same chunk, of the chunk before and of all earlier chunks, merged by their lse.
#pragma once

#include <cstdint>

namespace longctx {

/// Row-major: q (batch, seq_q, heads_q, dim), k (batch, seq_k, heads_kv, dim), v (batch, seq_k, heads_kv, dim_v).
struct Call {
    std::int64_t batch, seq_q, seq_k, heads_q, heads_kv, dim, dim_v;
    std::int64_t chunk_size, local_size;  ///< largest position of a query; chunks are chunk_size - local_size long
    std::int64_t rotary_dim;              ///< leading channels that are rotated, NeoX pairs
    double rope_base;
    float scale;               ///< of the logits
    std::int64_t first_query;  ///< absolute index of query row 0
};

/// out (batch, seq_q, heads_q, dim_v); lse (batch, heads_q, seq_q), natural logarithm.
void forward(const Call& call, const float* q, const float* k, const float* v, float* out, float* lse);

/// What is subtracted from dP: dout . out, or of each of the three calls its own, as automatic differentiation has it
/// where it takes the weights of the merge for constants. The latter is wrong and here to be caught.
enum class Delta { global, of_each_call };

/// dq, dk, dv shaped like q, k, v; out and lse as forward() wrote them.
void backward(const Call& call, const float* q, const float* k, const float* v, const float* dout, const float* out,
              const float* lse, Delta delta, float* dq, float* dk, float* dv);

}  // namespace longctx
