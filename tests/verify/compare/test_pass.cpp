// The fast pass against a straightforward one: element by element in long double, written anew here.
#include <array>
#include <limits>

#include "golden/tensor_reader.hpp"
#include "tests/support/catch.hpp"
#include "tests/verify/compare/synthetic.hpp"
#include "verify/compare/row_judge.hpp"
#include "verify/compare/tensor_pass.hpp"

namespace {

using dca::Region;
using dca::golden::TensorReader;
using dca::test::near;
using dca::test::Synthetic;
using dca::verify::ErrorGrid;
using dca::verify::PassSettings;
using dca::verify::TensorReport;

constexpr double inf = std::numeric_limits<double>::infinity();
const double nan_value = std::nan("");

/// What the pass must find, by the rule's own words.
struct Plain {
    std::array<dca::verify::RegionReport, 4> regions{};
    std::array<std::array<long double, 3>, 4> squares{};
    dca::verify::RatioHistogram histogram;
    std::int64_t mismatches = 0;
    double worst = -1, worst_row = -1;
    std::vector<std::int64_t> worst_at, worst_row_at;
    std::vector<double> grid;

    explicit Plain(const Synthetic& t) {
        const bool rank4 = t.extents.size() == 4;
        const std::int64_t batches = t.extents[0], rows = t.extents[rank4 ? 1 : 2], heads = t.extents[rank4 ? 2 : 1],
                           channels = rank4 ? t.extents[3] : 1;
        const dca::verify::Lines lines = dca::verify::lines_for(t.tensor);
        const std::int64_t row_step = (rows + 127) / 128, lane_step = (batches * heads + 63) / 64;
        const std::int64_t columns = (batches * heads + lane_step - 1) / lane_step;
        grid.assign(static_cast<std::size_t>((rows + row_step - 1) / row_step * columns), nan_value);
        const std::int64_t outer = rank4 ? rows : heads, inner = rank4 ? heads : rows;
        for (std::int64_t b = 0, flat = 0; b < batches; ++b) {
            for (std::int64_t o = 0; o < outer; ++o) {
                for (std::int64_t i = 0; i < inner; ++i, flat += channels) {
                    const std::int64_t row = rank4 ? o : i, head = rank4 ? i : o;
                    auto& cell =
                        grid[static_cast<std::size_t>(row / row_step * columns + (b * heads + head) / lane_step)];
                    add_row(t, static_cast<std::size_t>(flat), channels, b, row, head, rank4, lines, cell);
                }
            }
        }
    }

    void add_row(const Synthetic& t, std::size_t flat, std::int64_t channels, std::int64_t b, std::int64_t row,
                 std::int64_t head, bool rank4, const dca::verify::Lines& lines, double& cell) {
        const auto r = static_cast<std::size_t>(t.regions[static_cast<std::size_t>(row)]);
        auto& region = regions[r];
        ++region.rows;
        std::array<long double, 3> sums{};
        bool mismatch = false;
        double largest = -1;
        for (std::int64_t c = 0; c < channels; ++c) {
            const std::size_t at = flat + static_cast<std::size_t>(c);
            const double x = t.expected[at], y = t.got[at], s = t.sigma[at];
            ++region.elements;
            const auto kind = [](double v) { return std::isnan(v) ? 1 : std::isinf(v) ? (v > 0 ? 2 : 3) : 0; };
            double ratio = 0;
            if (kind(x) != kind(y)) {
                mismatch = true;
                ++mismatches;
                ++histogram.nonfinite;
                ++region.bad_elements;
                ratio = inf;
            } else if (kind(x) != 0) {
                largest = std::max(largest, 0.0);
                continue;
            } else if (!(s >= 0 && s < inf)) {
                continue;
            } else {
                const double error = std::abs(y - x);
                ratio = error == 0 ? 0 : error / s;
                if (!(error <= lines.element * s)) ++region.bad_elements;
                if (error == 0) ++histogram.exact;
                std::size_t octave = 0;
                while (octave < 23 && ratio >= std::ldexp(1.0, static_cast<int>(octave) - 7)) ++octave;
                if (error != 0) ++histogram.counts[octave];
                sums[0] += static_cast<long double>(y - x) * (y - x);
                sums[1] += static_cast<long double>(s) * s;
                sums[2] += static_cast<long double>(x) * x;
            }
            largest = std::max(largest, ratio);
            region.worst_element_ratio = std::max(region.worst_element_ratio, ratio);
            if (ratio > worst) {
                worst = ratio;
                worst_at = rank4 ? std::vector{b, row, head, c} : std::vector{b, head, row};
            }
        }
        for (std::size_t k = 0; k < 3; ++k) squares[r][k] += sums[k];
        double shown = largest;
        if (rank4) {
            const double ratio = mismatch       ? inf
                                 : sums[0] == 0 ? 0
                                                : static_cast<double>(std::sqrt(sums[0]) / std::sqrt(sums[1]));
            if (mismatch || !(std::sqrt(sums[0]) <= lines.row * std::sqrt(sums[1]))) ++region.bad_rows;
            region.worst_row_ratio = std::max(region.worst_row_ratio, ratio);
            if (ratio > worst_row) worst_row_at = {b, row, head};
            worst_row = std::max(worst_row, ratio);
            shown = largest < 0 ? -1 : ratio;
        } else if (mismatch) {
            ++region.bad_rows;
        }
        if (shown >= 0 && !(cell >= shown)) cell = shown;
    }
};

bool close(double a, double b) {
    return a == b || near(a, b, 0x1p-40) || (std::isnan(a) && std::isnan(b));
}

void check_equal(const TensorReport& report, const Plain& plain) {
    CHECK(report.nonfinite_mismatches == plain.mismatches);
    CHECK(report.histogram.counts == plain.histogram.counts);
    CHECK(report.histogram.exact + 0 == plain.histogram.exact);
    CHECK(report.histogram.nonfinite == plain.histogram.nonfinite);
    CHECK(report.worst.index == plain.worst_at);
    if (!plain.worst_at.empty()) CHECK(report.worst.ratio == plain.worst);
    if (report.row_line > 0) {
        REQUIRE(report.worst_row);
        CHECK(close(report.worst_row->ratio, plain.worst_row));
        CHECK(std::vector{report.worst_row->batch, report.worst_row->row, report.worst_row->head} ==
              plain.worst_row_at);
    }
    for (const auto& region : report.regions) {
        const auto r = static_cast<std::size_t>(region.region);
        const auto& wanted = plain.regions[r];
        CHECK(region.rows == wanted.rows);
        CHECK(region.elements == wanted.elements);
        CHECK(region.bad_elements == wanted.bad_elements);
        CHECK(region.bad_rows == wanted.bad_rows);
        CHECK(region.worst_element_ratio == wanted.worst_element_ratio);
        CHECK(close(region.worst_row_ratio, wanted.worst_row_ratio));
        const auto ratio = [&](std::size_t by) {
            const auto& s = plain.squares[r];
            return s[0] == 0 ? 0 : static_cast<double>(std::sqrt(s[0]) / std::sqrt(s[by]));
        };
        CHECK(close(region.rms_ratio, ratio(1)));
        CHECK(close(region.relative_l2, ratio(2)));
    }
    REQUIRE(report.grids.size() == 1);
    const ErrorGrid& grid = report.grids[0];
    REQUIRE(grid.values.size() == plain.grid.size());
    CHECK(static_cast<std::size_t>(grid.rows * grid.columns) == plain.grid.size());
    for (std::size_t c = 0; c < plain.grid.size(); ++c) CHECK(close(grid.values[c], plain.grid[c]));
}

void check_same(const TensorReport& a, const TensorReport& b) {
    CHECK(a.verdict == b.verdict);
    CHECK(a.histogram.counts == b.histogram.counts);
    CHECK(a.histogram.exact == b.histogram.exact);
    CHECK(a.worst.index == b.worst.index);
    CHECK(a.worst.ratio == b.worst.ratio);
    REQUIRE(a.regions.size() == b.regions.size());
    for (std::size_t r = 0; r < a.regions.size(); ++r) {
        CHECK(a.regions[r].rms_ratio == b.regions[r].rms_ratio);
        CHECK(a.regions[r].relative_l2 == b.regions[r].relative_l2);
        CHECK(a.regions[r].worst_row_ratio == b.regions[r].worst_row_ratio);
        CHECK(a.regions[r].bad_rows == b.regions[r].bad_rows);
        CHECK(a.regions[r].bad_elements == b.regions[r].bad_elements);
    }
    REQUIRE(a.grids.size() == b.grids.size());
    for (std::size_t c = 0; c < a.grids[0].values.size(); ++c) CHECK(close(a.grids[0].values[c], b.grids[0].values[c]));
}

/// Values of every kind in every place, mostly ordinary.
void spoil(Synthetic& t, std::uint64_t seed, std::uint64_t one_in) {
    std::mt19937_64 random(seed);
    const double odd[] = {nan_value, inf, -inf, 0, -0.0, 5e-324, -1e-310, 1e300, -1e308, 1.7e308, 1e-200};
    const float scales[] = {0, 1e-45f, 1e-40f, 3e38f, 1e-20f, 1e20f, std::numeric_limits<float>::infinity()};
    for (std::size_t n = 0; n < t.expected.size(); ++n) {
        if (random() % one_in == 0) t.expected[n] = odd[random() % std::size(odd)];
        if (random() % one_in == 0) t.got[n] = random() % 2 == 0 ? odd[random() % std::size(odd)] : t.expected[n];
        if (random() % one_in == 0) t.sigma[n] = scales[random() % std::size(scales)];
        if (random() % one_in == 0) t.got[n] = t.expected[n] + 6.0 * t.sigma[n];
    }
}

}  // namespace

TEST_CASE("the pass finds what a straightforward comparison finds") {
    const std::uint64_t seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    for (int round = 0; round < 60; ++round) {
        const auto pick = [&](std::int64_t most) { return 1 + static_cast<std::int64_t>(random() % most); };
        const bool lse = round % 4 == 0;
        std::vector<std::int64_t> extents{pick(3), pick(300), pick(9), pick(40)};
        if (lse) extents = {pick(3), pick(40), pick(1500)};
        CAPTURE(round, extents);
        Synthetic t(lse ? "lse" : "dk", extents, random());
        if (round % 3 != 0) spoil(t, random(), round % 2 == 0 ? 7 : 300);
        check_equal(t.compare(), Plain(t));
    }
}

TEST_CASE("more rows and heads than the grid has cells are folded") {
    Synthetic t("out", {3, 301, 50, 2}, 4);
    t.got[t.at({2, 300, 49, 1})] += 1;
    t.got[t.at({1, 7, 3, 0})] += 0.5;
    const TensorReport report = t.compare();
    check_equal(report, Plain(t));
    CHECK(report.grids[0].row_step == 3);
    CHECK(report.grids[0].rows == 101);
    CHECK(report.grids[0].column_step == 3);
    CHECK(report.grids[0].columns == 50);
    CHECK(report.grids[0].values.back() == report.worst_row->ratio);
}

TEST_CASE("threads, pieces, memory or readers, and the instruction set change nothing") {
    const bool lse = GENERATE(false, true);
    Synthetic t = lse ? Synthetic("lse", {2, 5, 70001}) : Synthetic("dv", {2, 1500, 3, 100});
    spoil(t, 5, 2000);
    const TensorReport once = t.compare();
    check_equal(once, Plain(t));
    for (const PassSettings& settings : {PassSettings{1, 1 << 15}, PassSettings{2, 1 << 15}, PassSettings{7, 1 << 15},
                                         PassSettings{3, 1}, PassSettings{2, 777}, PassSettings{2, 1 << 20}}) {
        CAPTURE(lse, settings.threads, settings.piece_elements);
        check_same(
            once, dca::verify::compare_tensor(t.tensor, t.extents, t.expected, t.got, t.sigma, t.regions, 0, settings));
        const std::vector<double> wide(t.sigma.begin(), t.sigma.end());
        const auto expected = dca::golden::in_memory(t.extents, t.expected),
                   sigma = dca::golden::in_memory(t.extents, wide), got = dca::golden::in_memory(t.extents, t.got);
        check_same(once, dca::verify::compare_readers(
                             t.tensor, t.extents, {*expected, *got, sigma.get()}, {}, t.regions, [] { return 0.0; },
                             settings));
    }
    for (const dca::verify::StripKernel kernel : dca::verify::strip_kernels()) {
        const dca::verify::RowJudge judge(t.tensor, t.extents, {}, t.regions, kernel);
        dca::verify::Tally all = judge.new_tally(), part = judge.new_tally();
        constexpr std::size_t block = 1 << 18;
        const std::size_t rows = lse ? block : block / 100, length = rows * static_cast<std::size_t>(judge.channels());
        for (std::size_t begin = 0, row = 0; begin < t.got.size(); begin += length, row += rows) {
            const std::size_t count = std::min(length, t.got.size() - begin);
            part.clear();
            judge.judge(static_cast<std::int64_t>(row), std::span(t.expected).subspan(begin, count),
                        std::span(t.got).subspan(begin, count), std::span(t.sigma).subspan(begin, count), part);
            part.count_octaves();
            all.add(part);
        }
        check_same(once, judge.finish(
                             std::move(all), [] { return 0.0; }, true));
    }
}

TEST_CASE("on the line passes, the next double beyond does not") {
    const std::string tensor = GENERATE("out", "lse", "dq");
    const bool lse = tensor == "lse";
    Synthetic t(tensor, lse ? std::vector<std::int64_t>{1, 1, 64} : std::vector<std::int64_t>{1, 8, 1, 8});
    t.got = t.expected;
    const std::size_t at = 37;
    t.expected[at] = 0;
    t.sigma[at] = 0.3f;
    t.got[at] = 6.0 * 0.3f;
    if (!lse) {  // one element on its line alone does not break the row
        CHECK(t.compare().worst.ratio == 6);
        CHECK(t.compare().regions.size() == 3);
    }
    const auto bad = [&] {
        std::int64_t count = 0;
        for (const auto& region : t.compare().regions) count += region.bad_elements;
        return count;
    };
    CHECK(bad() == 0);
    t.got[at] = std::nextafter(t.got[at], 10);
    CHECK(bad() == 1);
    t.sigma[at] = 0;
    t.got[at] = 0;
    CHECK(bad() == 0);
    t.got[at] = 5e-324;
    CHECK(bad() == 1);
}

TEST_CASE("a row on its line is decided as in long double") {
    const std::uint64_t seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    std::int64_t good = 0, bad = 0;
    for (int round = 0; round < 400; ++round) {
        // Errors of twice sigma in every element, then one of them a few units in the last place away.
        Synthetic t("out", {1, 1, 1, 100}, random());
        for (std::size_t n = 0; n < 100; ++n) {
            t.sigma[n] = static_cast<float>(std::ldexp(1.0 + static_cast<double>(random() % 1000) / 1000, -10));
            t.expected[n] = 0;
            t.got[n] = 2.0 * t.sigma[n];
        }
        const auto steps = static_cast<int>(random() % 5) - 2;
        for (int s = 0; s < std::abs(steps); ++s) t.got[3] = std::nextafter(t.got[3], steps > 0 ? 1.0 : 0.0);
        const Plain plain(t);
        const TensorReport report = t.compare();
        CHECK(report.regions[0].bad_rows == plain.regions[static_cast<std::size_t>(t.regions[0])].bad_rows);
        ++(report.regions[0].bad_rows == 0 ? good : bad);
        CHECK((steps > 0) == (report.regions[0].bad_rows == 1));
    }
    CHECK(good > 50);
    CHECK(bad > 50);
}

TEST_CASE("the first of several faults is reported, whatever the threads") {
    class Failing final : public dca::verify::PassSource {
    public:
        explicit Failing(const Synthetic& t) : t_(t) {}
        [[nodiscard]] bool in_any_order() const override { return true; }
        Piece get(std::int64_t first, std::int64_t count, Buffers&) override {
            if (first > 600'000) throw dca::FormatError("fault at " + std::to_string(first / 100'000));
            const auto begin = static_cast<std::size_t>(first), length = static_cast<std::size_t>(count);
            return {std::span(t_.expected).subspan(begin, length),
                    std::span(t_.got).subspan(begin, length),
                    std::span(t_.sigma).subspan(begin, length),
                    {TensorReader::Piece{first, count, 0}, {}, {}}};
        }
        void accept(const Read& read) override {
            CHECK(read[0].first == next);
            next += read[0].count;
        }
        std::int64_t next = 0;

    private:
        const Synthetic& t_;
    };
    const Synthetic t("out", {1, 2000, 10, 100});
    const dca::verify::RowJudge judge(t.tensor, t.extents, {}, t.regions);
    for (const unsigned threads : {1u, 2u, 5u}) {
        Failing source(t);
        REQUIRE_THROWS_WITH(dca::verify::judge_all(judge, source, {threads, 1 << 15}), "fault at 6");
        CHECK(source.next > 0);
        CHECK(source.next <= 600'000);
    }
}
