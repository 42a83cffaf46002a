// The laws one by one, as residuals of a case whose tensors have the shapes of its problem. Each costs O(n d).
#pragma once

#include "golden/store.hpp"
#include "verify/laws/groups.hpp"
#include "verify/laws/result.hpp"

namespace dca::verify {

/// A case taken apart.
struct LawInputs {
    const Problem& problem;
    const Inputs& inputs;
    const golden::Results& results;
    const std::vector<Group>& groups;
};

[[nodiscard]] LawResult check_nothing_seen(const LawInputs& in);
[[nodiscard]] LawResult check_range(const LawInputs& in);
[[nodiscard]] LawResult check_lse_bounds(const LawInputs& in);
[[nodiscard]] LawResult check_sum_dv(const LawInputs& in);
[[nodiscard]] LawResult check_dout_out(const LawInputs& in);
[[nodiscard]] LawResult check_q_dq(const LawInputs& in);
[[nodiscard]] LawResult check_key_shift(const LawInputs& in);
[[nodiscard]] LawResult check_linear_in_v(const LawInputs& in);

}  // namespace dca::verify
