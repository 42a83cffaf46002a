// A selection of rows has the numbers of the whole, and a given forward pass those of a computed one.
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"
#include "tests/verify/mutants/same_results.hpp"

namespace dca {
namespace {

/// One row of one head; channels contiguous.
template <class T>
std::vector<double> row(const T& tensor, std::int64_t b, std::int64_t i, std::int64_t h) {
    const double* x = &tensor(b, i, h, 0);
    return {x, x + tensor.extent(3)};
}

bool same_row(const Tensor4& a, const Tensor4& b, std::int64_t batch, std::int64_t i, std::int64_t h) {
    const auto x = row(a, batch, i, h), y = row(b, batch, i, h);
    return std::ranges::equal(x, y, [](double p, double q) { return p == q || (std::isnan(p) && std::isnan(q)); });
}

Problem grouped() {
    Problem p = test::plain_problem(41, {12, 4}, 4, 2, 8);
    p.rope.mscale = 1.3;
    p.dtype = Dtype::f32;
    return p;
}

/// Mistakes of storage move rows from outside of a selection into it.
bool moves_rows(const mutants::Mutant& mutant, const Problem& problem, mutants::Computed whole) {
    return mutants::spoil(mutant, problem, whole.outputs, &*whole.gradients);
}

}  // namespace

TEST_CASE("a selection of rows has the numbers of the whole, whatever the mutant") {
    const Problem problem = grouped();
    const Inputs inputs = test::random_inputs(problem, 5);
    const peer::PeerTypes types = peer::types_of(problem);
    const mutants::Selection selection{0, 1, {0, 7, 8, 30, 40}, {0, 9, 10, 39}};
    for (const mutants::Mutant& mutant : mutants::catalogue()) {
        if (!mutants::applies(mutant, problem)) continue;
        INFO(mutant.id);
        const mutants::Computed whole = mutants::run(mutant, problem, inputs, types);
        if (moves_rows(mutant, problem, whole)) continue;
        const mutants::Computed some = mutants::run(mutant, problem, inputs, types, &selection);
        for (std::int64_t i = 0; i < 41; ++i) {
            const bool query = std::ranges::find(selection.queries, i) != selection.queries.end();
            for (std::int64_t h = 0; h < 4; ++h) {
                const bool chosen = query && h / 2 == 1;
                const auto lse = some.outputs.lse(0, h, i);
                CHECK(std::isnan(row(some.outputs.out, 0, i, h)[0]) ==
                      (!chosen || std::isnan(row(whole.outputs.out, 0, i, h)[0])));
                if (!chosen) continue;
                CHECK((lse == whole.outputs.lse(0, h, i) || std::isnan(lse)));
                CHECK(same_row(some.outputs.out, whole.outputs.out, 0, i, h));
                CHECK(same_row(some.gradients->dq, whole.gradients->dq, 0, i, h));
            }
        }
        for (std::int64_t j : selection.keys) {
            CHECK(same_row(some.gradients->dk, whole.gradients->dk, 0, j, 1));
            CHECK(same_row(some.gradients->dv, whole.gradients->dv, 0, j, 1));
        }
        CHECK(std::isnan(some.gradients->dk(0, 0, 0, 0)));
        CHECK(std::isnan(some.gradients->dk(0, 1, 1, 0)));
    }
}

TEST_CASE("mistakes of the backward pass take a forward pass that is there") {
    const Problem problem = grouped();
    const Inputs inputs = test::random_inputs(problem, 6);
    const peer::PeerTypes types = peer::types_of(problem);
    const peer::PeerResult right = peer::run_peer(problem, inputs, types);
    int compared = 0;
    for (const mutants::Mutant& mutant : mutants::catalogue()) {
        if (!mutant.forward_right || !mutants::applies(mutant, problem)) continue;
        INFO(mutant.id);
        const mutants::Computed alone = mutants::run(mutant, problem, inputs, types);
        const mutants::Computed given = mutants::run(mutant, problem, inputs, types, nullptr, &right.outputs);
        CHECK(test::same_numbers(given.outputs.out, right.outputs.out));
        CHECK(test::same_numbers(given.outputs.lse, right.outputs.lse));
        if (mutant.id == std::string_view("detached-merge")) continue;  // its three calls round out in another way
        CHECK(test::same_results(given, alone));
        ++compared;
    }
    CHECK(compared >= 12);
}

}  // namespace dca
