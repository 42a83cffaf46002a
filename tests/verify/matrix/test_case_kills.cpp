// Each case of a suite carries the mutants it kills: golden/kills_*.inc against the matrix.
#include <cmath>
#include <map>

#include "golden/catalogue.hpp"
#include "golden/kills.hpp"
#include "tests/support/catch.hpp"
#include "verify/matrix/matrix.hpp"

using namespace dca;

namespace {

void check_suite(const std::string& suite) {
    const std::vector<golden::CaseSpec> cases = golden::suite(suite);
    const matrix::Matrix matrix = matrix::compute(cases, {});
    std::size_t checked = 0;
    for (const matrix::Column& column : matrix.columns) {
        INFO("suite " << suite << ", case " << column.case_id << "; write golden/kills_" << suite
                      << ".inc again with: dca document kills --suite " << suite);
        const auto spec = std::ranges::find(cases, column.case_id, &golden::CaseSpec::id);
        const std::optional<std::string> text = golden::known_kills(*spec);
        REQUIRE(text.has_value());
        std::map<std::string, double> stated;
        for (const golden::Kill& kill : golden::parse_kills(*text)) stated[kill.mutant] = kill.margin;
        CHECK_FALSE(stated.empty());
        for (const matrix::Cell& honest : column.honest) CHECK_FALSE(honest.killed);
        for (std::size_t m = 0; m < matrix.mutants.size(); ++m) {
            const matrix::Cell& cell = column.cells[m];
            INFO(matrix.mutants[m]->id);
            const auto found = stated.find(std::string(matrix.mutants[m]->id));
            CHECK((found != stated.end()) == cell.killed);
            if (found == stated.end()) continue;
            // Two digits are written, the first of which may be a 1: half of the last is 5 %.
            if (std::isfinite(cell.margin)) CHECK(std::abs(found->second - cell.margin) <= 0.06 * cell.margin);
            CHECK(std::isfinite(found->second) == std::isfinite(cell.margin));
            stated.erase(found);
        }
        CHECK(stated.empty());  // of mutants that are no more
        ++checked;
    }
    std::size_t valid = 0;
    for (const golden::CaseSpec& spec : cases) valid += spec.expectation == golden::Expectation::valid ? 1U : 0U;
    CHECK(checked == valid);
}

}  // namespace

TEST_CASE("the kills of every case of suite smoke are what the matrix finds") {
    check_suite("smoke");
}

TEST_CASE("the kills of every case of suite ci are what the matrix finds") {
    check_suite("ci");
}
