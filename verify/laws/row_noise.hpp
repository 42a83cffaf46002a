// What an honest kernel rounds, per row and per group, as far as it can be told in O(n d) without the weights of the
// softmax (docs/laws.md section 3). Variances; symbols as in docs/error_model.md.
#pragma once

#include "golden/store.hpp"
#include "reference/noise/precision.hpp"
#include "verify/laws/groups.hpp"

namespace dca::verify {

/// The precisions of a case, squared and divided by 3: variances of one relative rounding.
struct Roundings {
    double operand, output, accumulator;  ///< P and dS; out, dq, dk, dv and their parts; sums, exp, lse
    double rotated, table;                ///< q~ and k~: each element, and the factor all share
    double operand_floor, output_floor;   ///< absolute variances of results too small for the format
    double weight;                        ///< merge weights of dialects that round them (H26), else 0
    explicit Roundings(const Problem& problem);
};

/// One row of one query head, seeing n >= 1 keys.
struct RowNoise {
    double n;
    double largest_logit;  ///< bound on |logit|
    double row_sum;        ///< variance of sum_j p as the backward pass forms it: it should be 1
    double lse;            ///< variance of lse
    double energy;         ///< estimate of sum_j p^2: 1 for one key, 1/n for flat rows
    double squares;        ///< mean over directions of (dout . v)^2
    double dout_p_v;       ///< variance of dout . out by the rounding of P
    double d;              ///< variance of D = dout . out as the backward pass forms it
    double dq_square;      ///< |dq|^2, or what it would be if nothing cancelled
};

class GroupNoise {
public:
    /// results may lack any tensor; what needs it is then 0.
    GroupNoise(const Problem& problem, const Inputs& inputs, const golden::Results& results, const Group& group);

    [[nodiscard]] RowNoise row(std::int64_t row, std::int64_t head) const;
    [[nodiscard]] const Roundings& roundings() const { return u_; }

private:
    const Problem& problem_;
    const Inputs& inputs_;
    const golden::Results& results_;
    const Group& group_;
    Roundings u_;
    double dv_energy_ = 0;  ///< sum |dv|^2 / sum |dout|^2, an estimate of the mean energy
};

}  // namespace dca::verify
