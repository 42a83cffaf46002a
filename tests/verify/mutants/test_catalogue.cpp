// The catalogue says the truth about itself.
#include <map>
#include <set>
#include <string>

#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"
#include "tests/verify/mutants/same_results.hpp"

namespace dca {
namespace {

constexpr std::uint64_t random_problems = 60;

mutants::Computed honest(const Problem& problem, const Inputs& inputs) {
    return peer::run_peer(problem, inputs, mutants::exact_types);
}

}  // namespace

TEST_CASE("every mutant has an id of its own, a title, and a twin that exists") {
    std::set<std::string_view> ids;
    CHECK(mutants::catalogue().size() >= 45);
    for (const mutants::Mutant& mutant : mutants::catalogue()) {
        INFO(mutant.id);
        CHECK(ids.insert(mutant.id).second);
        CHECK_FALSE(mutant.title.empty());
        CHECK(mutants::find(mutant.id) == &mutant);
        if (!mutant.also.empty()) CHECK(mutants::find(mutant.also) != nullptr);
    }
    CHECK(mutants::find("no-such-mutant") == nullptr);
}

TEST_CASE("a mutant that does not apply to a problem computes what the honest peer computes") {
    for (std::uint64_t seed = 0; seed < random_problems; ++seed) {
        const Problem problem = test::random_problem(seed);
        const Inputs inputs = test::random_inputs(problem, seed);
        const mutants::Computed right = honest(problem, inputs);
        for (const mutants::Mutant& mutant : mutants::catalogue()) {
            if (mutants::applies(mutant, problem)) continue;
            INFO("seed " << seed << ", " << mutant.id << ", " << test::describe(problem));
            if (mutant.possible != nullptr && !mutant.possible(problem)) continue;  // cannot even be set up
            CHECK(test::difference(mutants::run(mutant, problem, inputs, mutants::exact_types), right) <= 1e-13);
        }
    }
}

TEST_CASE("every mutant makes a difference in exact arithmetic to some problem, and is told apart from the others") {
    std::map<std::string, double> largest;
    for (std::uint64_t seed = 0; seed <= random_problems; ++seed) {
        // The last is large: 16-bit offsets, several tiles of 64 keys, positions beyond 256.
        const Problem problem = seed < random_problems ? test::random_problem(seed)
                                                       : test::plain_problem(300, {290, 10}, 4, 2, 32);
        const Inputs inputs = test::random_inputs(problem, seed);
        const mutants::Computed right = honest(problem, inputs);
        for (const mutants::Mutant& mutant : mutants::catalogue()) {
            double& most = largest[std::string(mutant.id)];
            if (most > 1e-3 || !mutants::applies(mutant, problem)) continue;
            most = std::max(most, test::difference(mutants::run(mutant, problem, inputs, mutants::exact_types), right));
        }
    }
    for (const auto& [id, most] : largest) {
        INFO(id << " " << most);
        CHECK(most > 1e-9);
    }
}

}  // namespace dca
