#include "verify/matrix/limits.hpp"

#include <algorithm>

namespace dca::matrix {
namespace {

const std::vector<Limit>& table() {
    static const std::vector<Limit> limits{
        {"merge-weights-bf16",
         {Dtype::bf16},
         "A weight rounded to bf16 spoils its part of out by one rounding of the size of those that an honest kernel "
         "of "
         "this dtype may make: three calls of a flash kernel write their partial outputs in bf16 before they are "
         "merged, "
         "and the merged row is rounded once more. No case can allow the one and refuse the other. In f16 and f32, "
         "where "
         "bf16 is coarser than the working type, it is caught."},
        {"dq-accumulated-in-bf16",
         {Dtype::bf16},
         "One rounding of dq for every 64 keys adds up like the square root of their number and starts from small "
         "sums. "
         "An honest kernel that runs the modes apart rounds three parts of dq to bf16, the judge's line for a row of "
         "gradients is 3, and so some 50 full tiles are needed before it shows: with 4700 keys, v in chunks of "
         "different "
         "means and flat logits it reached 0.91 of the line. A case that long is not part of a suite that is run at "
         "every "
         "change. In f16 and f32 it is caught."},
        {"angles-float32",
         {Dtype::f32, Dtype::f16, Dtype::bf16},
         "Not a mistake in these dtypes: every public implementation forms angles in float32, and the error model "
         "allows "
         "for it (docs/error_model.md). Where it does harm, at positions beyond some 2^17, the expected rounding error "
         "grows with the position. In f64 it is caught."},
    };
    return limits;
}

}  // namespace

std::span<const Limit> limits() {
    return table();
}

std::span<const Limit> naming_limits() {
    static const std::vector<Limit> unnamed{{"dq-accumulated-in-bf16",
                                             {Dtype::f16},
                                             "It shows as noise in dq alone, less than twice over the line, and noise "
                                             "has no pattern by which a rounding in "
                                             "one place differs from one in another: the diagnosis says that the "
                                             "computation was narrower than f16, which is "
                                             "true, but not where. In f32 it is named."}};
    return unnamed;
}

namespace {

bool is_among(std::span<const Limit> all, const mutants::Mutant& mutant, Dtype dtype) {
    return std::ranges::any_of(all, [&](const Limit& limit) {
        return limit.mutant == mutant.id && std::ranges::find(limit.dtypes, dtype) != limit.dtypes.end();
    });
}

}  // namespace

bool is_limit(const mutants::Mutant& mutant, Dtype dtype) {
    return is_among(limits(), mutant, dtype);
}

bool is_naming_limit(const mutants::Mutant& mutant, Dtype dtype) {
    return is_among(naming_limits(), mutant, dtype);
}

}  // namespace dca::matrix
