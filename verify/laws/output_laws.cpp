// Laws of the forward pass: what no attention may return, whatever its weights are.
#include <algorithm>
#include <cmath>
#include <limits>

#include "verify/laws/laws_of_case.hpp"
#include "verify/laws/row_noise.hpp"
#include "verify/laws/tally.hpp"

namespace dca::verify {
namespace {

std::string at(const char* tensor, const Group& group, const char* axis, std::int64_t row, std::int64_t head) {
    return std::string(tensor) + ", batch " + std::to_string(group.sequence().batch) + ", " + axis + " " +
           std::to_string(row) + ", head " + std::to_string(head);
}

/// How far x lies outside of [low, high]; NaN for NaN.
double beyond(double x, double low, double high) {
    if (x >= low && x <= high) return 0;
    return x < low ? low - x : x - high;
}

void expect_zero(Tally& tally, const char* tensor, const Tensor4& values, const Group& group, const char* axis,
                 std::int64_t row, std::int64_t head) {
    for (double x : group.row(values, row, head)) {
        tally.add(x, 0, [&] { return at(tensor, group, axis, row, head); });
    }
}

/// Smallest and largest v of the visible keys, channel by channel; keys are added in order.
class ValueRange {
public:
    ValueRange(const Inputs& inputs, const Group& group, bool with_zero)
        : inputs_(inputs),
          group_(group),
          low_(static_cast<std::size_t>(inputs.v.extent(3)), with_zero ? 0 : std::numeric_limits<double>::infinity()),
          high_(low_.size(), with_zero ? 0 : -std::numeric_limits<double>::infinity()) {}

    void grow_to(std::int64_t keys) {
        for (; keys_ < keys; ++keys_) {
            const auto v = group_.row(inputs_.v, group_.sequence().key_begin + keys_, group_.kv_head());
            for (std::size_t c = 0; c < v.size(); ++c) {
                low_[c] = std::min(low_[c], v[c]);
                high_[c] = std::max(high_[c], v[c]);
            }
        }
    }
    [[nodiscard]] double low(std::size_t c) const { return low_[c]; }
    [[nodiscard]] double high(std::size_t c) const { return high_[c]; }
    [[nodiscard]] double largest(std::size_t c) const { return std::max(std::abs(low_[c]), std::abs(high_[c])); }

private:
    const Inputs& inputs_;
    const Group& group_;
    std::vector<double> low_, high_;
    std::int64_t keys_ = 0;
};

}  // namespace

LawResult check_nothing_seen(const LawInputs& in) {
    Tally tally(Law::nothing_seen);
    const golden::Results& results = in.results;
    for (const Group& group : in.groups) {
        const auto& s = group.sequence();
        for (std::int64_t i = s.query_begin; i < s.query_end && group.visible(i) == 0; ++i) {
            for (std::int64_t head = group.first_head(); head < group.first_head() + group.heads(); ++head) {
                if (results.out) expect_zero(tally, "out", *results.out, group, "row", i, head);
                if (results.dq) expect_zero(tally, "dq", *results.dq, group, "row", i, head);
                if (!results.lse) continue;
                const double lse = group.lse(*results.lse, i, head);
                const bool none = lse == -std::numeric_limits<double>::infinity();
                tally.add(none ? 0 : std::numeric_limits<double>::infinity(), 0,
                          [&] { return at("lse", group, "row", i, head); });
            }
        }
        for (std::int64_t j = s.key_begin; j < s.key_end; ++j) {
            if (group.seen(j)) continue;
            if (results.dk) expect_zero(tally, "dk", *results.dk, group, "key", j, group.kv_head());
            if (results.dv) expect_zero(tally, "dv", *results.dv, group, "key", j, group.kv_head());
        }
    }
    return std::move(tally).result("every row sees a key and every key is seen");
}

// A weighted mean cannot leave the range. Rounding P to u moves it by at most u times the largest |v|, underflow of P
// by the share lost; sums and the output's rounding, of each mode where they run apart, add theirs.
LawResult check_range(const LawInputs& in) {
    Tally tally(Law::range);
    const Roundings u(in.problem);
    for (const Group& group : in.groups) {
        // Of sparse prefill it is only known that no hidden key counts, and a row may have none at all.
        ValueRange range(in.inputs, group, in.problem.sparse_prefill());
        const auto& s = group.sequence();
        for (std::int64_t i = s.query_begin; i < s.query_end; ++i) {
            const std::int64_t keys = group.visible(i);
            if (keys == 0) continue;
            range.grow_to(keys);
            const auto n = static_cast<double>(keys);
            const double relative = u.operand + 3 * u.output + n * u.accumulator + u.weight + n * n * u.operand_floor;
            for (std::int64_t head = group.first_head(); head < group.first_head() + group.heads(); ++head) {
                const auto out = group.row(*in.results.out, i, head);
                for (std::size_t c = 0; c < out.size(); ++c) {
                    const double largest = range.largest(c);
                    tally.add(beyond(out[c], range.low(c), range.high(c)),
                              relative * largest * largest + 3 * u.output_floor,
                              [&] { return at("out", group, "row", i, head) + ", channel " + std::to_string(c); });
                }
            }
        }
    }
    return std::move(tally).result("no row sees a key");
}

// Every logit is at most |softmax_scale| |q| |k| in size (a rotation changes no norm), so that the sum of n
// exponentials lies between n e^-B and n e^B.
LawResult check_lse_bounds(const LawInputs& in) {
    Tally tally(Law::lse_bounds);
    for (const Group& group : in.groups) {
        const GroupNoise noise(in.problem, in.inputs, in.results, group);
        const auto& s = group.sequence();
        for (std::int64_t i = s.query_begin; i < s.query_end; ++i) {
            if (group.visible(i) == 0) continue;
            for (std::int64_t head = group.first_head(); head < group.first_head() + group.heads(); ++head) {
                const RowNoise row = noise.row(i, head);
                const double middle = std::log(row.n), lse = group.lse(*in.results.lse, i, head);
                tally.add(beyond(lse, middle - row.largest_logit, middle + row.largest_logit), row.lse,
                          [&] { return at("lse", group, "row", i, head); });
            }
        }
    }
    return std::move(tally).result("no row sees a key");
}

}  // namespace dca::verify
