// What passes and what fails, and that the report points at the right place.
#include <limits>

#include "tests/support/catch.hpp"
#include "tests/verify/compare/synthetic.hpp"

namespace {

using dca::Region;
using dca::test::near;
using dca::test::Synthetic;
using dca::verify::TensorReport;
using dca::verify::Verdict;
using Index = std::vector<std::int64_t>;

constexpr double inf = std::numeric_limits<double>::infinity();
const double nan_value = std::nan("");

const dca::verify::RegionReport& region(const TensorReport& report, Region wanted) {
    for (const auto& one : report.regions) {
        if (one.region == wanted) return one;
    }
    throw std::runtime_error("no such region in the report");
}

TEST_CASE("an honest candidate passes and its ratios are those of its noise") {
    const TensorReport report = Synthetic("out", {2, 96, 4, 64}).compare();
    CHECK(report.verdict == Verdict::passed);
    CHECK(report.reason.empty());
    CHECK(report.nonfinite_mismatches == 0);
    REQUIRE(report.regions.size() == 3);
    for (const auto& one : report.regions) {
        CHECK(one.elements == 2 * 32 * 4 * 64);
        CHECK(one.rows == 2 * 32 * 4);
        CHECK(one.bad_elements == 0);
        CHECK(one.bad_rows == 0);
        CHECK(near(one.rms_ratio, 0.7, 0.02));
        CHECK(near(one.relative_l2, 0.7 * 0x1p-10, 0.05));
        CHECK(one.worst_element_ratio <= 2.8 + 1e-9);
        CHECK(one.worst_row_ratio < 1);
    }
    CHECK(report.element_line == 6);
    CHECK(report.row_line == 2);
}

TEST_CASE("one NaN anywhere fails") {
    Synthetic t("dq", {1, 33, 2, 16});
    const std::size_t last = t.got.size() - 1;
    for (std::size_t where : {std::size_t{0}, last / 2, last}) {
        Synthetic spoilt = t;
        spoilt.got[where] = nan_value;
        const TensorReport report = spoilt.compare();
        CHECK(report.verdict == Verdict::failed);
        CHECK(report.nonfinite_mismatches == 1);
        CHECK(report.worst.ratio == inf);
        CHECK(spoilt.at({report.worst.index[0], report.worst.index[1], report.worst.index[2], report.worst.index[3]}) ==
              where);
    }
}

TEST_CASE("infinities of the wrong sign or place fail, also where NaN is all there is") {
    Synthetic t("out", {1, 9, 1, 8});
    t.got[11] = inf;
    CHECK(t.compare().verdict == Verdict::failed);
    t.got[11] = -inf;
    CHECK(t.compare().verdict == Verdict::failed);
    std::fill(t.got.begin(), t.got.end(), nan_value);
    const TensorReport report = t.compare();
    CHECK(report.verdict == Verdict::failed);
    CHECK(report.nonfinite_mismatches == 72);
    CHECK(report.worst.index == Index{0, 0, 0, 0});
}

TEST_CASE("zeros fail") {
    Synthetic t("dv", {1, 30, 2, 16});
    std::fill(t.got.begin(), t.got.end(), 0.0);
    CHECK(t.compare().verdict == Verdict::failed);
}

TEST_CASE("a candidate without values in the last rows fails in their region only") {
    Synthetic t("out", {1, 30, 2, 16});
    std::fill(t.got.begin() + static_cast<std::ptrdiff_t>(t.at({0, 26, 0, 0})), t.got.end(), 0.0);
    const TensorReport report = t.compare();
    CHECK(report.verdict == Verdict::failed);
    CHECK(region(report, Region::intra_only).bad_elements == 0);
    CHECK(region(report, Region::with_succ).bad_rows == 0);
    CHECK(region(report, Region::with_inter).bad_rows == 4 * 2);
}

TEST_CASE("one wrong element among a million is found with its coordinates") {
    Synthetic t("out", {1, 1000, 10, 100});
    REQUIRE(t.got.size() == 1'000'000);
    const Index where = GENERATE(Index{0, 0, 0, 0}, Index{0, 417, 3, 99}, Index{0, 999, 9, 99});
    const std::size_t flat = t.at({where[0], where[1], where[2], where[3]});
    t.got[flat] = t.expected[flat] + 7 * 0x1p-10;
    const TensorReport report = t.compare();
    CHECK(report.verdict == Verdict::failed);
    CHECK(report.worst.index == where);
    CHECK(near(report.worst.ratio, 7, 1e-6));
    CHECK(report.worst.expected == t.expected[flat]);
    CHECK(report.worst.got == t.got[flat]);
    CHECK(report.worst.sigma == 0x1p-10);
    CHECK(report.worst.region == t.regions[static_cast<std::size_t>(where[1])]);
    std::int64_t bad = 0;
    for (const auto& one : report.regions) bad += one.bad_elements;
    CHECK(bad == 1);
}

TEST_CASE("an error of one region is reported there and nowhere else") {
    const Region wrong = GENERATE(Region::intra_only, Region::with_succ, Region::with_inter);
    Synthetic t("dk", {1, 60, 2, 16});
    for (std::int64_t row = 0; row < 60; ++row) {
        if (t.regions[static_cast<std::size_t>(row)] != wrong) continue;
        for (std::int64_t c = 0; c < 32; ++c) t.got[static_cast<std::size_t>(row * 32 + c)] += 20 * 0x1p-10;
    }
    const TensorReport report = t.compare();
    CHECK(report.verdict == Verdict::failed);
    for (const auto& one : report.regions) {
        CHECK((one.bad_elements > 0) == (one.region == wrong));
        CHECK((one.bad_rows > 0) == (one.region == wrong));
        CHECK((one.rms_ratio > 15) == (one.region == wrong));
    }
    CHECK(report.worst.region == wrong);
}

TEST_CASE("the row rule catches a systematic error that no element shows, in the last row too") {
    Synthetic t("out", {1, 20, 3, 32});
    const std::int64_t row = GENERATE(0, 19);
    for (std::int64_t c = 0; c < 32; ++c) {
        const std::size_t flat = t.at({0, row, 2, c});
        t.got[flat] = t.expected[flat] + (c % 2 ? 2.5 : -2.5) * 0x1p-10;
    }
    const TensorReport report = t.compare();
    CHECK(report.verdict == Verdict::failed);
    REQUIRE(report.worst_row.has_value());
    CHECK(report.worst_row->row == row);
    CHECK(report.worst_row->head == 2);
    CHECK(near(report.worst_row->ratio, 2.5, 1e-6));
    for (const auto& one : report.regions) CHECK(one.bad_elements == 0);
    CHECK(report.reason.find("1 of 60 rows") != std::string::npos);
    // The same error is within the line of a gradient, and lse has no row rule.
    t.tensor = "dq";
    CHECK(t.compare().verdict == Verdict::marginal);
}

TEST_CASE("the lines themselves belong to the pass, and half of them is marginal") {
    Synthetic t("out", {1, 3, 1, 256});
    t.got = t.expected;
    const auto with_error = [&](double sigmas) {
        Synthetic moved = t;
        moved.expected[300] = 1;  // the sum below is exact
        moved.got[300] = 1 + sigmas * 0x1p-10;
        return moved.compare();
    };
    CHECK(with_error(6).verdict == Verdict::marginal);
    CHECK(with_error(6).worst.ratio == 6);
    CHECK(with_error(std::nextafter(6.0, 7.0) + 0x1p-40).verdict == Verdict::failed);
    CHECK(with_error(-6 - 0x1p-40).verdict == Verdict::failed);
    CHECK(with_error(3).verdict == Verdict::passed);
    CHECK(with_error(3.01).verdict == Verdict::marginal);

    Synthetic row("out", {1, 3, 1, 4});
    row.expected = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    row.got = row.expected;
    for (std::size_t c = 8; c < 12; ++c) row.got[c] = 1 + 2 * 0x1p-10;
    CHECK(row.compare().verdict == Verdict::marginal);
    CHECK(row.compare().worst_row->ratio == 2);
    row.got[8] += 0x1p-30;
    CHECK(row.compare().verdict == Verdict::failed);
}

TEST_CASE("a sigma of 0 asks for the exact value") {
    Synthetic t("out", {1, 6, 1, 8});
    t.got = t.expected;
    for (std::size_t c = 0; c < 8; ++c) t.sigma[c] = 0;
    CHECK(t.compare().verdict == Verdict::passed);
    t.got[3] = std::nextafter(t.expected[3], 10.0);
    const TensorReport report = t.compare();
    CHECK(report.verdict == Verdict::failed);
    CHECK(report.worst.index == Index{0, 0, 0, 3});
    CHECK(report.worst.ratio == inf);
}

TEST_CASE("a row without keys has lse -inf: +inf, NaN and numbers fail, and +inf names its convention") {
    Synthetic t("lse", {2, 3, 12});
    const std::size_t empty = t.at({1, 2, 0});
    t.expected[empty] = -inf;
    t.got[empty] = -inf;
    t.sigma[empty] = 0;
    CHECK(t.compare().verdict == Verdict::passed);
    for (double wrong : {inf, nan_value, 0.0, -1e30}) {
        t.got[empty] = wrong;
        const TensorReport report = t.compare();
        CAPTURE(wrong);
        CHECK(report.verdict == Verdict::failed);
        CHECK(report.worst.index == Index{1, 2, 0});
        CHECK((report.reason.find("H31") != std::string::npos) == (wrong == inf));
    }
    t.got[empty] = -inf;
    t.got[t.at({0, 1, 7})] = -inf;  // keys there
    CHECK(t.compare().verdict == Verdict::failed);
    CHECK(t.compare().worst.index == Index{0, 1, 7});
}

TEST_CASE("values near the ends of double neither overflow nor underflow into a pass") {
    Synthetic t("out", {1, 6, 1, 2});
    t.expected[0] = 1.5e308;
    t.got[0] = -1.5e308;
    CHECK(t.compare().verdict == Verdict::failed);
    Synthetic tiny("out", {1, 3, 1, 4});
    for (std::size_t n = 0; n < 12; ++n) {
        tiny.expected[n] = 1e-30;
        tiny.sigma[n] = 1e-37f;
        tiny.got[n] = 1e-30 + 3e-37;  // beyond the row line of 2, within the element line of 6
    }
    CHECK(tiny.compare().verdict == Verdict::failed);
}

TEST_CASE("sizes that do not fit are a broken contract") {
    Synthetic t("out", {1, 6, 1, 2});
    t.got.pop_back();
    REQUIRE_THROWS_AS(t.compare(), dca::ContractError);
    Synthetic regions("out", {1, 6, 1, 2});
    regions.regions.pop_back();
    REQUIRE_THROWS_AS(regions.compare(), dca::ContractError);
    Synthetic name("output", {1, 6, 1, 2});
    REQUIRE_THROWS_AS(name.compare(), dca::ContractError);
}

}  // namespace
