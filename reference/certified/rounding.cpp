#include "reference/certified/rounding.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "reference/certified/recompute.hpp"

namespace dca::certified {
namespace {

/// One tensor on its way: rounded where decided; `pending` are the flat indices that are not.
template <int Rank>
struct Rounding {
    Rounding(const Bounded<Rank>& bounded, double radius_factor) : values(bounded.hi.extents()) {
        for (std::size_t n = 0; n < values.values().size(); ++n) {
            const double hi = bounded.hi.values()[n], lo = bounded.lo.values()[n];
            const double radius = bounded.radius.values()[n] * radius_factor;
            const auto value = rounds_to(hi, lo, radius);
            values.values()[n] = value.value_or(hi) + 0.0;  // never -0: exact zeros have one form
            if (!value) pending.push_back(static_cast<std::int64_t>(n));
            error = std::max(error, std::abs(lo) + radius);
        }
        recomputed = static_cast<std::int64_t>(pending.size());
    }

    [[nodiscard]] Proof proof() const {
        Proof proof{error * (1 + 0x1p-50), pending.empty(), values.size(), recomputed,
                    static_cast<std::int64_t>(pending.size())};
        if (!pending.empty()) return proof;
        // Half an ulp of the largest element.
        double largest = 0;
        for (const double x : values.values()) {
            if (std::isfinite(x)) largest = std::max(largest, std::abs(x));
        }
        proof.error_radius = largest == 0 ? 0 : std::max(std::ldexp(1.0, std::ilogb(largest) - 53), 0x1p-1074);
        return proof;
    }

    Tensor<double, Rank> values;
    std::vector<std::int64_t> pending;
    std::int64_t recomputed = 0;
    double error = 0;
};

}  // namespace

std::optional<double> rounds_to(double hi, double lo, double radius) {
    const double value = hi + lo;
    if (radius == 0) return value;
    // Rounding is monotone: what lies between two numbers rounds between what they round to. The margin covers the
    // rounding of lo +- radius.
    const double reach = radius * (1 + 0x1p-50) + std::abs(lo) * 0x1p-51 + 0x1p-1074;
    if (hi + (lo - reach) == value && hi + (lo + reach) == value) return value;
    return {};
}

CertifiedResults round_once(const Problem& problem, const Inputs& inputs, const Unrounded& unrounded,
                            const Options& options) {
    Rounding<4> out(unrounded.out, options.radius_factor);
    Rounding<3> lse(unrounded.lse, options.radius_factor);
    std::optional<Rounding<4>> dq, dk, dv;
    Undecided undecided{{&out.values, &out.pending}, {&lse.values, &lse.pending}, {}, {}, {}};
    if (unrounded.dq) {
        dq.emplace(*unrounded.dq, options.radius_factor);
        dk.emplace(*unrounded.dk, options.radius_factor);
        dv.emplace(*unrounded.dv, options.radius_factor);
        undecided.dq = {&dq->values, &dq->pending};
        undecided.dk = {&dk->values, &dk->pending};
        undecided.dv = {&dv->values, &dv->pending};
    }
    recompute(problem, inputs, undecided, options.budget);
    CertifiedResults results;
    results.proofs["out"] = out.proof();
    results.proofs["lse"] = lse.proof();
    results.outputs = {std::move(out.values), std::move(lse.values)};
    if (dq) {
        results.proofs["dq"] = dq->proof();
        results.proofs["dk"] = dk->proof();
        results.proofs["dv"] = dv->proof();
        results.gradients = Gradients{std::move(dq->values), std::move(dk->values), std::move(dv->values)};
    }
    return results;
}

}  // namespace dca::certified
