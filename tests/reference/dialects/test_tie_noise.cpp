// Honest candidates flip rounded merge weights that are near a tie: sigma has to cover the flip, and only there.
#include <cmath>
#include <random>

#include "reference/error_scale.hpp"
#include "reference/noise/tie_noise.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

namespace {

struct Counts {
    int beyond_plain = 0, beyond_widened = 0, widened = 0, elements = 0;
    double worst_plain = 0, worst_widened = 0;  ///< in sigma
};

/// Merges the reference's own parts with lse that are off by one sigma at random, as an honest kernel's would be.
Counts perturbed_merge(const Problem& problem, std::uint64_t seed, double logit_scale = 1) {
    const Inputs inputs = test::random_inputs(problem, seed, logit_scale);
    reference::Parts parts;
    const Outputs outputs = reference::forward(problem, inputs, parts);
    const Gradients gradients = reference::backward(problem, inputs, outputs, std::nullopt, &parts);
    const ErrorScales plain = reference::error_scales(problem, inputs, outputs);
    ErrorScales widened = plain;
    reference::add_tie_noise(problem, inputs, outputs, parts, &gradients, widened);

    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    const reference::Merge merge(problem);
    const Shape& s = problem.shape;
    Counts counts;
    for (std::int64_t i = 0; i < s.seq_q; ++i) {
        for (std::int64_t h = 0; h < s.heads_q; ++h) {
            reference::PerMode lse{};
            int present = 0;
            for (std::size_t m = 0; m < 3; ++m) {
                lse[m] = parts[m].lse(0, h, i) + normal(random) * static_cast<double>(plain.lse(0, h, i));
                present += std::isfinite(lse[m]);
            }
            if (present < 2) continue;
            const reference::PerMode weights = merge.weights(lse);
            std::vector<double> out(static_cast<std::size_t>(s.head_dim_v)), part(out.size());
            for (std::size_t m = 0; m < 3; ++m) {
                for (std::size_t c = 0; c < part.size(); ++c) {
                    part[c] = parts[m].out(0, i, h, static_cast<std::int64_t>(c));
                }
                merge.add_products(weights[m], part.data(), static_cast<int>(part.size()), out.data());
            }
            for (std::int64_t c = 0; c < s.head_dim_v; ++c) {
                const double error = std::abs(out[static_cast<std::size_t>(c)] - outputs.out(0, i, h, c));
                counts.beyond_plain += !(error <= 6 * static_cast<double>(plain.out(0, i, h, c)));
                counts.beyond_widened += !(error <= 6 * static_cast<double>(widened.out(0, i, h, c)));
                counts.worst_plain = std::max(counts.worst_plain, error / plain.out(0, i, h, c));
                counts.worst_widened = std::max(counts.worst_widened, error / widened.out(0, i, h, c));
                counts.widened += widened.out(0, i, h, c) > plain.out(0, i, h, c);
                ++counts.elements;
            }
        }
    }
    return counts;
}

Problem problem_of(const std::string& dialect, Dtype dtype) {
    Problem problem = test::plain_problem(700, {60, 20}, 4, 4, 8);
    problem.dialect = dialect;
    problem.dtype = dtype;
    return problem;
}

}  // namespace

TEST_CASE("float32 chunkllama: a flipped bf16 weight is within sigma, and few rows are widened") {
    Counts all;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        const Counts counts = perturbed_merge(problem_of("chunkllama", Dtype::f32), seed);
        CHECK(counts.beyond_widened == 0);
        all.beyond_plain += counts.beyond_plain;
        all.widened += counts.widened;
        all.elements += counts.elements;
    }
    CHECK(all.beyond_plain > 0);  // else nothing flipped and nothing was shown
    CHECK(all.widened < all.elements / 50);
}

TEST_CASE("bf16 megatron: a flipped bf16 LSE is within sigma") {
    const Counts counts = perturbed_merge(problem_of("megatron_pr4048", Dtype::bf16), 5, 2);  // large LSE, coarse bf16
    CHECK(counts.beyond_widened == 0);
    CAPTURE(counts.worst_plain, counts.worst_widened);
    CHECK(counts.worst_plain > 1.5 * counts.worst_widened);
}

TEST_CASE("dialects that round no weight to 16 bits are left alone") {
    for (const char* dialect : {"exact", "chunkqwen", "vllm", "megatron_bridge_pr4185"}) {
        CHECK_FALSE(reference::has_tie_noise(problem_of(dialect, Dtype::bf16)));
    }
    CHECK_FALSE(reference::has_tie_noise(problem_of("megatron_pr4048", Dtype::f32)));
    CHECK(reference::has_tie_noise(problem_of("chunkllama", Dtype::f64)));
}
