// The agreement the reference owes the oracle: 1e-13 relative L2 (the project's stated figure), and what stands in for
// it where a gradient cancels to nothing.
#pragma once

#include <cmath>
#include <string>

#include "reference/spec/bundles.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"

namespace dca::test {

inline constexpr double reference_agreement = 1e-13;

/// Upper bounds of the L2 norms of the *terms* that dq and dk are sums of. A gradient that cancels far below its terms
/// (constant v, one key) cannot be accurate relative to itself, only relative to them.
struct TermNorms {
    double dq, dk;
};

[[nodiscard]] inline TermNorms term_norms(const Problem& problem, const Inputs& inputs, double mscale) {
    const auto largest_row = [](const Tensor4& t) {
        double largest = 0;
        const auto dim = static_cast<std::size_t>(t.extent(3));
        for (std::size_t n = 0; n < t.values().size(); n += dim) {
            double sum = 0;
            for (double x : t.values().subspan(n, dim)) sum += x * x;
            largest = std::max(largest, sum);
        }
        return std::sqrt(largest);
    };
    // |dq_i| <= tau sum_j p_ij 2 |dout_i| max|v| max|k~|, and likewise |dk_j| <= tau sum_i p_ij ...; |k~| <= mscale
    // |k|, and the transpose multiplies by mscale once more.
    const double common = std::abs(problem.resolved_softmax_scale()) * 2 * largest_row(*inputs.dout) *
                          largest_row(inputs.v) * std::max(1.0, mscale * mscale);
    const double rows = static_cast<double>(problem.shape.batch * problem.shape.seq_q * problem.shape.heads_q);
    return {common * largest_row(inputs.k) * std::sqrt(rows), common * largest_row(inputs.q) * rows};
}

/// relative_l2 <= 1e-13; where the exact tensor is below 2^-10 of its terms, an error of 16 roundoffs of the terms
/// instead.
template <class Exact>
void check_agreement(const std::string& tensor, const Tensor4& got, const Tensor<Exact, 4>& exact, double terms) {
    long double error = 0, norm = 0;
    for (std::size_t n = 0; n < got.values().size(); ++n) {
        const auto x = static_cast<long double>(exact.values()[n]);
        const long double difference = got.values()[n] - x;
        error += difference * difference;
        norm += x * x;
    }
    INFO(tensor << ": error " << static_cast<double>(std::sqrt(error)) << ", norm "
                << static_cast<double>(std::sqrt(norm)) << ", terms " << terms);
    const bool cancelled = std::sqrt(norm) <= 0x1p-10L * terms;
    const long double bound = std::max(reference_agreement * std::sqrt(norm), cancelled ? 16 * 0x1p-53L * terms : 0.0L);
    CHECK(std::sqrt(error) <= bound);
}

}  // namespace dca::test
