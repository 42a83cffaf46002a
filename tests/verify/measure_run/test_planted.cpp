// Violations that were planted, measured and judged as `dca measure` does: each must be caught, and what is right must
// not be.
#include <algorithm>

#include "tests/support/catch.hpp"
#include "tests/verify/measure_run/planted.hpp"
#include "verify/measure/fits.hpp"
#include "verify/measure/run_measure.hpp"

using namespace dca::measure;

namespace {

/// Not powers of two, which cannot show a buffer that doubles.
const std::vector<std::int64_t> lengths{600, 800, 1070, 1430, 1900, 2540, 3390, 4520, 6030, 8040};

MeasureReport report_of(const std::vector<std::string>& names, bool timed, const std::vector<std::int64_t>& at) {
    MeasureReport report;
    for (Ladder& ladder : dca::test::ladders(names, at, timed)) {
        report.ladders.push_back(std::move(ladder));
        add_fits(report, report.ladders.size() - 1, timed);
    }
    return report;
}

ClaimVerdict verdict(MeasureReport& report, const std::string& claim, const std::string& candidate) {
    report.claims.push_back(judge(parse_claim(claim), candidate, {0, 1}, report));
    return report.claims.back().verdict;
}

}  // namespace

// A sanitizer's own memory would be measured along.
#ifdef DCA_ALLOCATION_HOOK

TEST_CASE("planted memory: a buffer of n^2, a quadratic term that starts late, a buffer that doubles") {
    MeasureReport report = report_of({"linear", "square"}, false, lengths);
    CHECK(verdict(report, "memory <= O(n)", "linear").outcome == ClaimOutcome::pass);
    CHECK(verdict(report, "memory <= 1.01 KiB/token", "linear").outcome == ClaimOutcome::pass);
    CHECK(outcome(report) == RunOutcome::passed);
    CHECK(verdict(report, "memory <= O(n)", "square").outcome == ClaimOutcome::fail);
    CHECK(verdict(report, "memory <= O(n^2)", "square").outcome == ClaimOutcome::pass);
    CHECK(outcome(report) == RunOutcome::failed);
    CHECK(exit_status(outcome(report)) == 1);
    REQUIRE(report.fits.size() == 2);
    CHECK(report.fits[0].steps.empty());
    CHECK(report.fits[1].steps.empty());

    MeasureReport hidden = report_of({"late_square", "doubling"}, false, lengths);
    CHECK(verdict(hidden, "memory <= O(n)", "late_square").outcome == ClaimOutcome::fail);
    REQUIRE(hidden.fits.size() == 2);
    REQUIRE_FALSE(hidden.fits[0].steps.empty());
    CHECK(hidden.fits[0].steps[0].kind == Step::late_term);
    // The buffer grows as n in the long run, but in stairs: a step is found.
    REQUIRE_FALSE(hidden.fits[1].steps.empty());
    CHECK(hidden.fits[1].steps[0].kind == Step::staircase);
}

#endif

TEST_CASE("planted time: a candidate that does three times the work is slow, and equal ones are not") {
    // Three times the counted work: the line of 1.5 is a factor two from either side, far beyond noise.
    MeasureReport report = report_of({"slow", "steady"}, true, {800});
    CHECK(verdict(report, "ratio(cpu, steady) <= 1.5", "slow").outcome == ClaimOutcome::fail);
    CHECK(verdict(report, "ratio(cpu, slow) <= 0.67", "steady").outcome == ClaimOutcome::pass);
}

TEST_CASE("a run that becomes slower as it goes on decides nothing") {
    // From the fifth call on twice the counted work.
    MeasureReport report = report_of({"slowing"}, true, {64});
    INFO(report.ladders[0].points[0].disturbed);
    CHECK(report.ladders[0].points[0].disturbed.find("longer than its earlier ones") != std::string::npos);
    report.claims.push_back(judge(parse_claim("cpu <= 3600 s"), "slowing", {0}, report));
    CHECK(report.claims[0].verdict.outcome == ClaimOutcome::inconclusive);
    CHECK_FALSE(report.claims[0].verdict.decided_by.empty());
    CHECK(exit_status(outcome(report)) == 3);
}

TEST_CASE("the run's outcome: broken before failed before inconclusive before passed") {
    MeasureReport report;
    CHECK(outcome(report) == RunOutcome::inconclusive);  // nothing measured is no pass
    Ladder ladder;
    ladder.points.resize(1);
    ladder.points[0].repeats.resize(1);
    report.ladders.push_back(ladder);
    CHECK(outcome(report) == RunOutcome::passed);
    report.claims.resize(3);
    report.claims[0].verdict.outcome = report.claims[1].verdict.outcome = report.claims[2].verdict.outcome =
        ClaimOutcome::pass;
    CHECK(outcome(report) == RunOutcome::passed);
    report.claims[1].verdict.outcome = ClaimOutcome::inconclusive;
    CHECK(exit_status(outcome(report)) == 3);
    report.claims[2].verdict.outcome = ClaimOutcome::fail;
    CHECK(exit_status(outcome(report)) == 1);
    // What the claims file expects: a FAIL too is what was asked for, another verdict is not.
    report.claims[2].expected = "FAIL";
    CHECK(exit_status(outcome(report)) == 3);
    report.claims[1].expected = "INCONCLUSIVE";
    CHECK(exit_status(outcome(report)) == 0);
    report.claims[0].expected = "FAIL";
    CHECK(exit_status(outcome(report)) == 1);  // an unexpected pass
    report.claims[0].expected = "PASS";
    report.claims[1].expected = "PASS";
    CHECK(exit_status(outcome(report)) == 3);  // open is not yet otherwise
    report.claims[2].expected.clear();
    report.ladders[0].points.emplace_back().failure = "left out: too long";
    CHECK(exit_status(outcome(report)) == 1);
    report.ladders[0].points.emplace_back().failure = "it was killed";
    CHECK(exit_status(outcome(report)) == 2);
    report.ladders[0].points = {Point{}};
    report.ladders[0].points[0].failure = "left out: too long";
    CHECK(exit_status(outcome(report)) == 2);  // nothing at all was measured
}
