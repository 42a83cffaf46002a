// How a kernel goes about it, as data. The default of every field is what an honest kernel does; a wrong kernel is the
// same code with another value in one of them.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "reference/spec/bundles.hpp"
#include "verify/peer/geometry.hpp"

namespace dca::peer {

/// Keys [begin, end) of a sequence, met by a query that is rotated at `position`.
struct Segment {
    int mode;  ///< 0 intra, 1 succ, 2 inter: which partial result they belong to where modes run apart
    std::int64_t begin, end;
    std::int64_t position;
};
/// What one query does, in the order in which it does it.
using Plan = std::vector<Segment>;

/// The query whose plan is wanted.
struct At {
    const Problem& problem;
    const Part& part;
    std::int64_t row;  ///< within the part
    std::int64_t i;    ///< absolute index among the part's keys: part.offset + row; negative: no keys
};
/// Inter, succ and intra keys at the positions of Def.2; empty ones are left out.
[[nodiscard]] Plan honest_plan(const At& at);

/// How the partial results of the modes become one, where modes run apart.
enum class Merge : std::uint8_t {
    by_lse,           ///< Def.7
    average,          ///< all modes that have keys count the same
    largest,          ///< the mode with the largest lse alone
    base_2,           ///< 2^(lse_m - lse) of natural logarithms
    empty_plus_inf,   ///< by lse, a mode without keys having lse +inf
    stale_lse,        ///< by lse, the weight of the inter keys from the lse of the row before
    weights_in_bf16,  ///< by lse, the weights rounded to bf16
    no_rescale,       ///< a running merge that does not scale down what was merged before
};

/// What the backward pass takes for the softmax statistics of a row.
enum class Statistics : std::uint8_t {
    whole,      ///< lse and D = dout . out of the merged row
    mode_lse,   ///< lse of each mode alone
    mode_out,   ///< D from the output of each mode alone: what follows if merge weights are constants
    mode_both,  ///< both
};

struct Method {
    // --- which keys, at which positions, from where
    std::function<std::vector<Part>(const Problem&)> parts = parts_of;
    std::function<Plan(const At&)> plan = honest_plan;
    std::function<std::int64_t(const Problem&, const Part&, std::int64_t j)> key_position =
        [](const Problem& problem, const Part&, std::int64_t j) { return peer::key_position(problem.chunk, j); };
    /// The kv head a query head reads, and the one its dk and dv go to.
    std::function<std::int64_t(const Shape&, std::int64_t head)> kv_head = [](const Shape& s, std::int64_t head) {
        return head / (s.heads_q / s.heads_kv);
    };
    /// The key whose k and v are found where those of key j are looked for; negative: zeros. Unset: j.
    std::function<std::int64_t(const Part&, std::int64_t j)> key_source;
    bool source_rotated = false;  ///< k is found rotated at the position of its source; false: it is rotated at j's
    /// The row of the part whose q (and dout) is found where that of `row` is looked for. Unset: row.
    std::function<std::int64_t(const Part&, std::int64_t row)> query_source;
    /// dout as the backward pass finds it. Unset: as it is.
    std::function<Tensor4(const Problem&, const Tensor4&)> dout;

    // --- arithmetic of the forward pass
    std::function<double(const At&, int mode)> scale;  ///< times softmax_scale. Unset: 1
    bool rescale = true;                    ///< false: a row's sum is not scaled down when its running maximum grows
    bool apart = false;                     ///< one softmax per mode, then a merge
    Merge merge = Merge::by_lse;            ///< where apart
    std::optional<Dtype> accumulator;       ///< in place of that of the types
    std::optional<double> rotation_factor;  ///< in place of mscale on the rotated dims
    std::optional<double> rotation_factor_back;  ///< the same in the transpose; default: that of the way there
    bool factor_on_all_dims = false;             ///< mscale also on dims that are not rotated
    std::optional<Dtype> position_type;          ///< positions are rounded to it
    std::array<bool, mode_count> lse_modes{true, true, true};  ///< counted in the written lse, where apart
    double out_factor = 1;

    // --- arithmetic of the backward pass
    Statistics statistics = Statistics::whole;
    double delta_factor = 1;  ///< on D
    double dq_factor = 1, dk_factor = 1;
    std::array<bool, mode_count> rotate_back{true, true, true};  ///< of dq, by mode
    bool rotate_keys_back = true;                                ///< dk
    bool group_sum = true;         ///< false: the last query head of a group overwrites dk and dv of the others
    std::optional<Dtype> dq_type;  ///< dq is rounded to it after every tile of keys
    /// Whether what this row owes dk and dv is added.
    std::function<bool(const Part&, std::int64_t row)> owes;

    /// Mistakes made to the finished results: rows that were not stored, or not where they belong.
    std::function<void(const Problem&, Outputs&, Gradients*)> store;
};

/// Some rows of one batch entry and kv head: queries of all its query heads, and keys.
struct Selection {
    std::int64_t batch = 0, kv_head = 0;
    std::vector<std::int64_t> queries, keys;  ///< rows of the q and the k tensor
};

}  // namespace dca::peer
