// A chunk-summary case (docs/chunk_summary.md): the part of a case text, and of a case in a file, that takes the place
// of everything Dual Chunk Attention has there.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "reference/chunk_summary/spec/tensors.hpp"

namespace dca::golden {

/// Values of the attribute `algorithm`. Absent means dual_chunk.
inline constexpr std::string_view algorithm_dual_chunk = "dual_chunk", algorithm_chunk_summary = "chunk_summary";

/// How x, the parameters and dout are filled; all are rounded to the case's dtype.
struct ChunkSummaryRecipe {
    std::uint64_t seed = 0;
    double qk_scale = 1;   ///< multiplies the queries' and keys' columns of w_qkv and b_qkv: 3 makes peaked logits
    bool gradient = true;  ///< make dout
    friend bool operator==(const ChunkSummaryRecipe&, const ChunkSummaryRecipe&) = default;
};

struct ChunkSummarySpec {
    chunk_summary::Problem problem;
    ChunkSummaryRecipe recipe;
    friend bool operator==(const ChunkSummarySpec&, const ChunkSummarySpec&) = default;
};

/// Row-major values; an empty tensor was not in the file.
struct ChunkSummaryResults {
    std::vector<double> out;
    chunk_summary::Bundle<double> gradients;
};

/// Expected rounding errors of the results.
struct ChunkSummaryScales {
    std::vector<float> out;
    chunk_summary::Bundle<float> gradients;
    int error_model_version = 0;
};

struct ChunkSummaryData {
    chunk_summary::Problem problem;
    chunk_summary::Inputs inputs;
    ChunkSummaryResults results;
    ChunkSummaryScales scales;
    bool judged = false;  ///< scales were in the file
};

}  // namespace dca::golden
