// The verdicts form a chain, checked exhaustively as a join-semilattice, and only a pass has exit status 0.
#include <algorithm>
#include <array>
#include <set>

#include "tests/support/catch.hpp"
#include "verify/compare/verdict.hpp"

namespace {

using dca::verify::exit_status;
using dca::verify::join;
using dca::verify::Verdict;
using enum dca::verify::Verdict;

constexpr std::array all{listed, passed, marginal, skipped, mistrusted, waived, failed, errored, untested};

bool verified(Verdict v) {
    return exit_status(v) == 0;
}

TEST_CASE("join is commutative, associative and idempotent") {
    for (Verdict a : all) {
        CHECK(join(a, a) == a);
        for (Verdict b : all) {
            CHECK(join(a, b) == join(b, a));
            for (Verdict c : all) CHECK(join(join(a, b), c) == join(a, join(b, c)));
        }
    }
}

TEST_CASE("join is the least upper bound of its order, hence monotone") {
    const auto below = [](Verdict a, Verdict b) { return join(a, b) == b; };
    for (Verdict a : all) {
        for (Verdict b : all) {
            CHECK(below(a, join(a, b)));
            CHECK((below(a, b) || below(b, a)));
            for (Verdict c : all) {
                if (below(a, b)) CHECK(below(join(a, c), join(b, c)));
                if (below(a, c) && below(b, c)) CHECK(below(join(a, b), c));
            }
        }
    }
}

TEST_CASE("verified and anything that is not verified are together not verified") {
    for (Verdict a : all) {
        for (Verdict b : all) {
            if (!verified(a) && a != listed) CHECK_FALSE(verified(join(a, b)));
        }
    }
    CHECK(exit_status(join(passed, skipped)) == 3);
    CHECK(exit_status(join(mistrusted, failed)) == 1);
    CHECK(exit_status(join(failed, errored)) == 2);
    CHECK(exit_status(join(passed, untested)) == 2);
}

TEST_CASE("every verdict has its exit status and a name of its own") {
    CHECK(exit_status(passed) == 0);
    CHECK(exit_status(marginal) == 0);
    CHECK(exit_status(failed) == 1);
    CHECK(exit_status(errored) == 2);
    CHECK(exit_status(untested) == 2);
    CHECK(exit_status(listed) == 3);
    CHECK(exit_status(skipped) == 3);
    CHECK(exit_status(mistrusted) == 3);
    CHECK(exit_status(waived) == 3);
    CHECK(std::count_if(all.begin(), all.end(), verified) == 2);
    std::set<std::string_view> names;
    for (Verdict v : all) names.insert(name(v));
    CHECK(names.size() == all.size());
    CHECK(names.count("?") == 0);
}

}  // namespace
