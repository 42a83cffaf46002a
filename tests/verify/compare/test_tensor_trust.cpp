// A pass counts only if the comparison could have failed.
#include <limits>

#include "tests/support/catch.hpp"
#include "tests/verify/compare/synthetic.hpp"

namespace {

using dca::Region;
using dca::test::Synthetic;
using dca::verify::Verdict;

constexpr float inf = std::numeric_limits<float>::infinity();

TEST_CASE("error scales so wide that zeros would pass are mistrusted") {
    Synthetic t("out", {1, 30, 2, 16});
    std::fill(t.sigma.begin(), t.sigma.end(), 1.0f);
    const auto report = t.compare();
    CHECK(report.verdict == Verdict::mistrusted);
    CHECK(report.reason.find("zeros would pass") != std::string::npos);
}

TEST_CASE("zeros that would pass in one region only are enough for mistrust") {
    Synthetic t("out", {1, 30, 2, 16});
    for (std::size_t n = t.at({0, 20, 0, 0}); n < t.sigma.size(); ++n) t.sigma[n] = 1.0f;
    const auto report = t.compare();
    CHECK(report.verdict == Verdict::mistrusted);
    CHECK(report.reason.find("+inter") != std::string::npos);
    CHECK(report.reason.find("+succ") == std::string::npos);
    // One element there that zeros would miss restores the trust.
    t.sigma.back() = 0x1p-10f;
    CHECK(t.compare().verdict != Verdict::mistrusted);
}

TEST_CASE("the zeros are held against the row rule as well") {
    Synthetic t("out", {1, 3, 1, 64});
    // Every element within 6 sigma of 0, every row beyond 2 sigma RMS.
    for (std::size_t n = 0; n < t.sigma.size(); ++n) {
        t.expected[n] = t.got[n] = n % 2 ? 1 : -1;
        t.sigma[n] = 0.25f;
    }
    CHECK(t.compare().verdict == Verdict::passed);
    std::fill(t.sigma.begin(), t.sigma.end(), 0.6f);
    CHECK(t.compare().verdict == Verdict::mistrusted);
    // lse has no row rule to save it.
    Synthetic lse("lse", {1, 1, 12});
    std::fill(lse.expected.begin(), lse.expected.end(), 1.0);
    lse.got = lse.expected;
    std::fill(lse.sigma.begin(), lse.sigma.end(), 0.25f);
    CHECK(lse.compare().verdict == Verdict::mistrusted);
}

TEST_CASE("error scales that are no scales are mistrusted, and cannot hide a NaN") {
    for (float broken : {inf, -1.0f, std::nanf("")}) {
        CAPTURE(broken);
        Synthetic t("dq", {1, 9, 2, 8});
        t.sigma[5] = broken;
        t.got[5] = t.expected[5];
        CHECK(t.compare().verdict == Verdict::mistrusted);
        t.got[5] = 1e9;  // nothing to measure it with
        CHECK(t.compare().verdict == Verdict::mistrusted);
        t.got[5] = std::nan("");
        CHECK(t.compare().verdict == Verdict::failed);
        t.got[5] = t.expected[5];
        t.got[6] = 1e9;  // its own scale is sound
        CHECK(t.compare().verdict == Verdict::failed);
        std::fill(t.sigma.begin(), t.sigma.end(), broken);
        CHECK(t.compare().verdict == Verdict::mistrusted);
    }
}

TEST_CASE("a golden without scales and a tensor without elements verify nothing") {
    Synthetic t("out", {1, 9, 2, 8});
    t.sigma.clear();
    CHECK(t.compare().verdict == Verdict::mistrusted);
    CHECK(t.compare().reason.find("no error scales") != std::string::npos);
    t.got[0] = std::nan("");
    CHECK(t.compare().verdict == Verdict::failed);

    const Synthetic empty("out", {1, 0, 2, 8});
    CHECK(empty.compare().verdict == Verdict::mistrusted);
    CHECK(empty.compare().reason.find("no elements") != std::string::npos);
    const Synthetic no_channels("out", {1, 3, 2, 0});
    CHECK(no_channels.compare().verdict == Verdict::mistrusted);
}

TEST_CASE("expected values that no case can have are mistrusted even where they agree") {
    for (double broken : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
        Synthetic t("out", {1, 9, 2, 8});
        t.expected[3] = t.got[3] = broken;
        CHECK(t.compare().verdict == Verdict::mistrusted);
    }
    Synthetic lse("lse", {1, 2, 9});
    lse.expected[3] = lse.got[3] = HUGE_VAL;
    CHECK(lse.compare().verdict == Verdict::mistrusted);
    lse.expected[3] = lse.got[3] = -HUGE_VAL;
    CHECK(lse.compare().verdict == Verdict::passed);
    std::fill(lse.expected.begin(), lse.expected.end(), -HUGE_VAL);  // no row has keys
    lse.got = lse.expected;
    CHECK(lse.compare().verdict == Verdict::passed);
}

TEST_CASE("where zero is the answer, zeros pass with a remark as long as other values would not") {
    Synthetic t("dq", {1, 9, 2, 8});
    std::fill(t.expected.begin(), t.expected.end(), 0.0);
    std::fill(t.got.begin(), t.got.end(), 0.0);
    std::fill(t.sigma.begin(), t.sigma.end(), 0.0f);
    CHECK(t.compare().verdict == Verdict::passed);
    CHECK_FALSE(t.compare().remark.empty());
    // With a scale, the natural size decides whether the line can tell anything apart.
    std::fill(t.sigma.begin(), t.sigma.end(), 0x1p-10f);
    CHECK(t.compare().verdict == Verdict::mistrusted);
    CHECK(t.compare(1.0).verdict == Verdict::passed);
    CHECK(t.compare(5 * 0x1p-10).verdict == Verdict::mistrusted);
    CHECK(t.compare(6 * 0x1p-10).verdict == Verdict::passed);
    // What the reference's rounding leaves of an exact zero is still zero; a small true value is not.
    t.expected[4] = 0x1p-41;
    CHECK(t.compare(1.0).verdict == Verdict::passed);
    t.expected[4] = 0x1p-39;
    CHECK(t.compare(1.0).verdict == Verdict::mistrusted);
    // And a wrong value of natural size fails.
    t.expected[4] = 0;
    t.got[4] = 0.01;
    CHECK(t.compare(1.0).verdict == Verdict::failed);
}

TEST_CASE("rows without keys hold zeros by definition, without remark") {
    Synthetic t("out", {1, 9, 2, 8});
    for (std::size_t n = 0; n < t.at({0, 3, 0, 0}); ++n) {
        t.expected[n] = t.got[n] = 0;
        t.sigma[n] = 0;
    }
    for (std::size_t row = 0; row < 3; ++row) t.regions[row] = Region::none;
    const auto report = t.compare();
    CHECK(report.verdict == Verdict::passed);
    CHECK(report.remark.empty());
    t.got[2] = 1e-300;
    CHECK(t.compare().verdict == Verdict::failed);
}

}  // namespace
