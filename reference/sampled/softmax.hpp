// First pass over the keys: the running softmax of every sampled row.
#pragma once

#include <algorithm>
#include <vector>

#include "reference/sampled/long_sum.hpp"
#include "reference/sampled/rows.hpp"
#include "reference/sampled/unit_keys.hpp"

namespace dca::reference::sampled {

class Softmax {
public:
    Softmax(const SequenceContext& context, const Rows& rows);

    /// The keys of a loaded slice. Units are independent; their results are merged in ascending order of keys, so the
    /// sums do not depend on who computed them.
    void add(const Slice& slice);
    /// Writes out (1, samples, heads, dim) and lse (1, heads, samples). Throws InvalidProblem where logits overflow.
    void finish(Outputs& outputs) const;

    /// How often the sums of a row were rescaled, at most.
    [[nodiscard]] std::int64_t rescales() const { return *std::max_element(rescales_.begin(), rescales_.end()); }

private:
    /// Row maximum m, denominator and numerator relative to exp(m), of one unit: (head of the group, sample).
    struct Part {
        std::vector<double> m, l, o;
    };
    void compute(const Unit& unit, std::int64_t kv_head, Part& part) const;
    void attend(const UnitKeys& keys, const Unit& unit, const RowTile& tile, std::int64_t head, std::size_t at,
                Part& part) const;
    void merge(const Part& part, std::size_t at_part, std::size_t at);

    const SequenceContext& context_;
    const Rows& rows_;
    std::vector<double> m_;  ///< (head, sample), as are the others
    LongSums l_, o_;
    std::vector<std::int64_t> rescales_;
};

}  // namespace dca::reference::sampled
