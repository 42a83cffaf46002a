// dk and dv of the keys of one chunk: sums over the query heads of the group and over every row that sees them.
#pragma once

#include <algorithm>

#include "reference/probe/far_rows.hpp"
#include "reference/probe/query_block.hpp"

namespace dca::reference::probe {

class KeyNoise;

/// A query head whose forward pass is done.
struct FinishedHead {
    const Head* head;
    const FarRows* far;
    const FarRows*
        plain_far;  ///< of the plain softmax; null where the dialect's gradient is that one or no scales are wanted
};

class KeyChunk {
public:
    /// Heads of one group, in ascending order. noise may be null; it is shown every tile.
    KeyChunk(std::vector<FinishedHead> heads, std::int64_t chunk, KeyNoise* noise);

    /// Writes dk and dv where they are wanted.
    void run(ProbeResults& results);
    /// After it: the largest sum of p over the rows and heads that see a key.
    [[nodiscard]] double largest_key_sum() const { return *std::max_element(key_sums_.begin(), key_sums_.end()); }

    /// Sums of one mode of one head, rows x padded; dk in the rotated frame.
    struct Part {
        AlignedBuffer dk, dv;
        std::vector<double> p;  ///< sum p of each key
    };

private:
    [[nodiscard]] Part sum_mode(const FinishedHead& finished, Mode mode, GradientOf which, KeyNoise* noise) const;
    void add_block(const Head& head, const Panel& panel, const Block& block, std::int64_t query_chunk, GradientOf which,
                   KeyNoise* noise, Part& part) const;
    void add_far(const FinishedHead& finished, const RowSums& rows, Part& part) const;
    void collect(const Part& part, std::vector<double>& dk, std::vector<double>& dv) const;

    std::vector<FinishedHead> heads_;
    std::int64_t chunk_;
    KeyNoise* noise_;
    int keys_, padded_d_, padded_v_;
    std::size_t rows_;  ///< keys, rounded up to whole tiles
    std::vector<double> key_sums_;
    std::vector<double> dk_, dv_, plain_dk_, plain_dv_;  ///< the latter of the plain softmax, for the noise
};

}  // namespace dca::reference::probe
