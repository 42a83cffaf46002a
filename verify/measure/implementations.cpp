#include <algorithm>
#include <cmath>

#include "verify/measure/predict.hpp"
#include "verify/measure/score_elements.hpp"

namespace dca::measure {

namespace {

/// The symbols of the formulas, as doubles; n tokens of all sequences of a batch.
struct Symbols {
    explicit Symbols(const PlanRequest& request)
        : n(static_cast<double>(request.size.n)),
          tokens(n * static_cast<double>(request.batch)),
          L(static_cast<double>(request.size.chunk_size - request.size.local_size)),
          h(static_cast<double>(request.heads_q)),
          g(static_cast<double>(request.heads_kv)),
          d(static_cast<double>(request.head_dim)),
          b(static_cast<double>(request.element_bytes)),
          phi(partial_results(request)),
          chunks(static_cast<double>(chunk_count(request.size.n, request.size.chunk_size - request.size.local_size))) {}
    double n, tokens, L, h, g, d, b, phi, chunks;
};

/// q, k, v, out in b bytes, lse in 4.
double flash(const PlanRequest& request) {
    const Symbols s(request);
    return s.tokens * (s.b * s.d * (2 * s.h + 2 * s.g) + 4 * s.h);
}

/// Positions that a query or key can have, from 0 to min(C, 2L - 1, n - 1): rows of a table of angles.
double angle_rows(const PlanRequest& request) {
    const Symbols s(request);
    return std::min({static_cast<double>(request.size.chunk_size), 2 * s.L - 1, s.n - 1}) + 1;
}

/// docs/kernels.md: K rotated beside K; a row of (cos, sin) in float for every position up to min(C, 2L - 1, n - 1); a
/// QueryTile of 44 bytes (gpu/api/kernel_params.hpp) per 64 rows.
double fused(const PlanRequest& request) {
    const Symbols s(request);
    return flash(request) + s.tokens * s.b * s.d * s.g + angle_rows(request) * s.d / 2 * 8 + s.tokens * 44 / 64;
}

/// q, k, v; three rotated q, rotated k; a partial out and lse for every mode a query has; out and its lse.
double three_call(const PlanRequest& request) {
    const Symbols s(request);
    return s.tokens * (s.b * s.d * (s.h + 2 * s.g) + s.b * s.d * (3 * s.h + s.g) + s.b * s.d * s.h * s.phi +
                       4 * s.h * s.phi + s.b * s.d * s.h + 4 * s.h);
}

/// Three rotated q, k, v; partial outs; the merged out in float; lse and weights in float.
double megatron_4048(const PlanRequest& request) {
    const Symbols s(request);
    return s.tokens * (s.b * s.d * (3 * s.h + 2 * s.g) + s.b * s.d * s.h * s.phi + 4 * s.d * s.h + 8 * s.h * s.phi);
}

/// Three rotated q, k and v repeated to h heads; partial outs; out; lse in float and weights in b bytes.
double chunk_llama(const PlanRequest& request) {
    const Symbols s(request);
    return s.tokens *
           (s.b * s.d * (3 * s.h + 2 * s.h) + s.b * s.d * s.h * s.phi + s.b * s.d * s.h + (4 + s.b) * s.h * s.phi);
}

/// Every q with one channel more, padded to a multiple of 8, and calls made twice for a differentiable lse; K and a V
/// of zeros are copied for every call: what the calls of a chunk see, summed over the chunks.
double bridge_4185(const PlanRequest& request) {
    const Symbols s(request);
    const double wide = std::ceil((s.d + 1) / 8) * 8;
    const double copied = (s.n + (s.chunks - 1) * s.L + s.L * (s.chunks - 1) * (s.chunks - 2) / 2) / s.n;
    return s.tokens * (s.b * s.d * (3 * s.h + 2 * s.g) + s.b * wide * s.h * s.phi + s.b * s.d * s.h * s.phi +
                       4 * s.d * s.h * s.phi + s.b * wide * s.h * s.phi + s.b * s.d * s.h + 12 * s.h * s.phi +
                       2 * s.b * wide * s.g * copied);
}

/// Everything flash attention keeps, and the probabilities of every chunk against all keys before its end, intra
/// squares with their masked half: n (n + L) / 2 per head where chunks are full.
double unfused(const PlanRequest& request) {
    const Symbols s(request);
    return flash(request) + s.tokens * s.b * s.h * (s.n + s.L) / 2;
}

/// Doubles throughout: q, k, v, out, lse, one key head's rotated keys and packed values at a time, and a row of (cos,
/// sin) for every position.
double reference_forward(const PlanRequest& request) {
    const Symbols s(request);
    return s.tokens * 8 * (s.d * (2 * s.h + 2 * s.g) + s.h) + s.n * 8 * 2 * s.d + angle_rows(request) * 8 * s.d;
}

std::int64_t one_call(const PlanRequest&) {
    return 1;
}

/// Every chunk has an intra call, every chunk but the first a succ call, but the first two an inter call.
std::int64_t chunked_calls(const PlanRequest& request) {
    const std::int64_t chunks = chunk_count(request.size.n, request.size.chunk_size - request.size.local_size);
    return chunks <= 1 ? 1 : 3 * chunks - 3;
}

std::int64_t doubled_calls(const PlanRequest& request) {
    return 2 * chunked_calls(request);
}

}  // namespace

double partial_results(const PlanRequest& request) {
    const double share =
        static_cast<double>(request.size.chunk_size - request.size.local_size) / static_cast<double>(request.size.n);
    return 1 + std::max(0.0, 1 - share) + std::max(0.0, 1 - 2 * share);
}

const std::vector<Implementation>& implementations() {
    static const std::vector<Implementation> all{
        {"plain flash attention", "one causal call, no chunks", "formula: q, k, v, out and lse", flash, flash,
         one_call},
        {"fused DCA", "this project's kernels", "docs/kernels.md; not measured on a GPU yet", flash, fused, one_call},
        {"three-call DCA", "one call per chunk and mode, then a merge; keeps out and lse alone for backward",
         "formula: 3 q, phi partial outs and lse", flash, three_call, chunked_calls},
        {"Megatron-LM #4048", "three calls through flash attention, autograd keeps the parts",
         "read in NVIDIA/Megatron-LM pull request 4048, dca.py at 00e5181d; not measured", megatron_4048, megatron_4048,
         chunked_calls},
        {"ChunkLlama", "three calls through flash attention, keys and values repeated",
         "read in HKUNLP/ChunkLlama, chunkllama_attn_replace.py at 2add4d7; not measured", chunk_llama, chunk_llama,
         chunked_calls},
        {"Megatron-Bridge #4185", "three calls, each twice for the gradient of lse",
         "read in NVIDIA-NeMo/Megatron-Bridge pull request 4185; not measured", bridge_4185, bridge_4185,
         doubled_calls},
        {"unfused", "probabilities written out and kept", "formula: n (n + L) / 2 probabilities per head", unfused,
         unfused, chunked_calls},
        {"reference", "the double-precision reference on a CPU, forward", "read in reference/operands.hpp", nullptr,
         reference_forward, one_call, false},
    };
    return all;
}

const std::vector<Card>& cards() {
    static const std::vector<Card> all{
        {"RTX 4090", 24e9, "NVIDIA GeForce RTX 4090 specifications: 24 GB"},
        {"A100 40GB", 40e9, "NVIDIA A100 data sheet: 40 GB"},
        {"L40S", 48e9, "NVIDIA L40S data sheet: 48 GB"},
        {"A100 80GB", 80e9, "NVIDIA A100 data sheet: 80 GB"},
        {"H100 SXM", 80e9, "NVIDIA H100 data sheet: 80 GB"},
        {"H200", 141e9, "NVIDIA H200 data sheet: 141 GB"},
        {"B200", 180e9, "NVIDIA DGX B200 data sheet: 1,440 GB in 8 GPUs"},
        {"MI300X", 192e9, "AMD Instinct MI300X data sheet: 192 GB"},
    };
    return all;
}

}  // namespace dca::measure
