// The parts of a case that obey the laws on their own: one sequence and one key head, with the query heads that read
// it. Knows which keys a row sees and how large logits can be; forms no dot product of a query and a key.
#pragma once

#include <span>
#include <vector>

#include "reference/math/chunk_positions.hpp"
#include "reference/spec/bundles.hpp"

namespace dca::verify {

/// What rows that see the first n keys of a group have in common.
struct Prefix {
    double largest_key = 0;   ///< norm of the longest of them, as it enters the logits (mscale, temperature)
    double key_square = 0;    ///< mean |k|^2, so counted
    double value_square = 0;  ///< mean |v|^2
};

class Group {
public:
    Group(const Problem& problem, const Inputs& inputs, const reference::Sequence& sequence, std::int64_t kv_head);

    [[nodiscard]] const reference::Sequence& sequence() const { return sequence_; }
    [[nodiscard]] std::int64_t kv_head() const { return kv_head_; }
    [[nodiscard]] std::int64_t first_head() const { return kv_head_ * heads_; }
    [[nodiscard]] std::int64_t heads() const { return heads_; }

    /// How many keys row `row` of the query axis sees; keys are counted from the first of the sequence.
    [[nodiscard]] std::int64_t visible(std::int64_t row) const;
    /// Whether any query sees key row `key` of the key axis.
    [[nodiscard]] bool seen(std::int64_t key) const;
    /// Of the first n keys, n >= 1.
    [[nodiscard]] const Prefix& prefix(std::int64_t n) const { return prefixes_[static_cast<std::size_t>(n - 1)]; }
    /// Norm of a query as it enters the logits, |softmax_scale| included: |logit| <= query_norm * largest_key.
    [[nodiscard]] double query_norm(std::int64_t row, std::int64_t head) const;
    /// Whether every key has the same length temperature.
    [[nodiscard]] bool keys_share_a_factor() const { return same_key_factors_; }

    /// The elements of one row of one head.
    [[nodiscard]] std::span<const double> row(const Tensor4& tensor, std::int64_t row, std::int64_t head) const;
    [[nodiscard]] double lse(const Tensor3& tensor, std::int64_t row, std::int64_t head) const {
        return tensor(sequence_.batch, head, row);
    }
    /// ", kv head 1, batch 0" or ", kv head 1, sequence 2"
    [[nodiscard]] std::string place() const;

private:
    const Inputs& inputs_;
    reference::Sequence sequence_;
    std::int64_t kv_head_, heads_, rotary_dim_;
    double scale_, rotary_factor_;
    bool packed_;
    std::vector<Prefix> prefixes_;
    std::vector<double> rotary_query_factors_, query_factors_;  ///< temperature, per row
    bool same_key_factors_ = true;
};

/// Every group of a problem.
[[nodiscard]] std::vector<Group> groups_of(const Problem& problem, const Inputs& inputs);

/// Sum of squares.
[[nodiscard]] double square(std::span<const double> x);

}  // namespace dca::verify
