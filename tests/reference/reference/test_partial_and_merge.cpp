// The modes apart, and their merge, against the one softmax (P16).
#include <limits>

#include "reference/forward.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

namespace {

// Merging multiplies by exp(l_m - l) <= 1: its relative error is |l| roundoffs of the lse plus a handful more. Random
// problems here have |l| < 100.
constexpr double merge_bound = 128 * 0x1p-53;

}  // namespace

TEST_CASE("the merge of the three modes is the whole softmax, in any order") {
    for (std::uint64_t seed = 1; seed <= 120; ++seed) {
        const Problem problem = test::random_problem(seed);
        INFO("seed " << seed << ": " << test::describe(problem));
        const Inputs inputs = test::random_inputs(problem, seed);
        const Outputs whole = reference::forward(problem, inputs);
        std::vector<Outputs> parts;
        for (Mode mode : all_modes) parts.push_back(reference::partial(problem, inputs, mode));
        const Outputs merged = reference::merge(parts);
        CHECK(test::relative_l2(merged.out, whole.out) <= merge_bound);
        CHECK(test::relative_l2(merged.lse, whole.lse) <= merge_bound);
        std::swap(parts[0], parts[2]);
        CHECK(test::relative_l2(reference::merge(parts).out, whole.out) <= merge_bound);
        const std::vector<Outputs> nested{reference::merge(std::span(parts).first(2)), parts[2]};
        CHECK(test::relative_l2(reference::merge(nested).out, whole.out) <= merge_bound);
    }
}

TEST_CASE("a mode without keys is empty, and a merge of empties is empty") {
    const Problem problem = test::plain_problem(4, {8, 2});
    const Inputs inputs = test::random_inputs(problem, 3);
    const Outputs inter = reference::partial(problem, inputs, Mode::inter);
    const double minus_infinity = -std::numeric_limits<double>::infinity();
    for (double x : inter.out.values()) CHECK(x == 0.0);
    for (double x : inter.lse.values()) CHECK(x == minus_infinity);
    const std::vector<Outputs> twice{inter, inter};
    const Outputs merged = reference::merge(twice);
    CHECK(merged.out == inter.out);
    CHECK(merged.lse == inter.lse);
}
