// Errors are planted in known rows; localisation must find where.
#include <algorithm>
#include <limits>

#include "tests/support/catch.hpp"
#include "tests/verify/diagnose/planted.hpp"
#include "verify/diagnose/offset_wrap.hpp"
#include "verify/diagnose/row_period.hpp"

namespace {

using namespace dca::test;
using namespace dca::verify;
using dca::golden::CaseData;
using dca::golden::Results;

const std::string plain = "seq_q=300 heads_q=4 heads_kv=2 head_dim=16 C=80 w=16 dtype=bf16 gradient=1 seed=3";

Localisation located(const CaseData& golden, const Results& candidate, const std::string& tensor) {
    const CaseReport report = compare_case(golden, candidate);
    for (Localisation& one : localise(golden, candidate, report)) {
        if (one.tensor == tensor) return one;
    }
    FAIL("no localisation of " << tensor);
    return {};
}

std::string all(const Localisation& one) {
    std::string text;
    for (const std::string& finding : one.findings) text += finding + "; ";
    return text;
}

bool says(const Localisation& one, const std::string& text) {
    return all(one).find(text) != std::string::npos;
}

TEST_CASE("a right candidate has nothing to localise") {
    const CaseData golden = planted_golden(plain);
    CHECK(localise(golden, golden.results, compare_case(golden, golden.results)).empty());
}

TEST_CASE("rows that come back are a tile") {
    const CaseData golden = planted_golden(plain);
    Results got = golden.results;
    plant(*got.out, golden.judge->scales.out, 9, [](auto, auto i, auto) { return i % 32 >= 8 && i % 32 < 16; });
    const Localisation one = located(golden, got, "out");
    INFO(all(one));
    REQUIRE(one.period);
    CHECK(one.period->period == 32);
    CHECK(one.period->first_row == 8);
    CHECK(one.period->bad_per_period == 8);
    CHECK(says(one, "100 % of the error is in query rows 8..15 of every 32: a tile of 32 rows"));
    CHECK_FALSE(says(one, "head"));
}

TEST_CASE("one head, an onset, and shares that add up") {
    const CaseData golden = planted_golden(plain);
    Results got = golden.results;
    plant(*got.dq, golden.judge->scales.dq.value(), 9, [](auto, auto i, auto h) { return i >= 128 && h == 3; });
    const Localisation one = located(golden, got, "dq");
    INFO(all(one));
    CHECK(says(one, "only head 3 of 4"));
    CHECK(says(one, "starts at query row 128 = 2^7, where chunk 2 begins"));
    for (const auto* shares : {&one.by_region, &one.by_chunk, &one.by_head, &one.by_border_distance}) {
        double sum = 0;
        std::int64_t rows = 0, bad = 0;
        for (const EnergyShare& share : *shares) {
            sum += share.share;
            rows += share.rows;
            bad += share.bad_rows;
        }
        CHECK(sum == Approx(1).epsilon(1e-12));  // some 10^4 additions, 2^-53 each
        CHECK(rows == 300 * 4);
        CHECK(bad == 172);
    }
    // got - expected loses 2^-53 of a value that is some 10^7 sigma: 10^-9 of an error of 9 sigma.
    CHECK(one.by_head[3].rms_ratio == Approx(9 * std::sqrt(172.0 / 300)).epsilon(1e-6));
    CHECK(one.by_head[2].bad_rows == 0);
}

TEST_CASE("the last tile, of keys") {
    const CaseData golden = planted_golden(plain);
    Results got = golden.results;
    plant(*got.dv, golden.judge->scales.dv.value(), 20, [](auto, auto j, auto) { return j >= 256; });
    const Localisation one = located(golden, got, "dv");
    INFO(all(one));
    CHECK(says(one,
               "starts at key row 256 = 2^8, where chunk 4 begins: the last tile of 256 rows, of which there are 44"));
}

TEST_CASE("rows beside chunk borders, regions and channels") {
    const CaseData golden = planted_golden(plain);
    Results got = golden.results;
    plant(*got.out, golden.judge->scales.out, 9, [](auto, auto i, auto) { return i % 64 == 63; });
    const Localisation border = located(golden, got, "out");
    INFO(all(border));
    CHECK(says(border, "query row 63 of every 64, the chunk length"));
    const auto before = std::find_if(border.by_border_distance.begin(), border.by_border_distance.end(),
                                     [](const EnergyShare& one) { return one.part == "1 before a chunk border"; });
    REQUIRE(before != border.by_border_distance.end());
    CHECK(before->share == Approx(1));
    CHECK(before->rows == 4 * 4);

    got = golden.results;
    plant(*got.out, golden.judge->scales.out, 9,
          [](auto, auto i, auto) { return i >= 128 && i * i * 2654435761u % 97 < 30; });
    const Localisation region = located(golden, got, "out");
    INFO(all(region));
    CHECK(says(region, "only rows of region +inter; those of region intra, +succ are right"));

    got = golden.results;
    for (std::int64_t i = 0; i < 300; ++i)
        (*got.out)(0, i, 2, 13) += 20 * double{golden.judge->scales.out(0, i, 2, 13)};
    CHECK(says(located(golden, got, "out"), "only channel 13 of 16"));
}

TEST_CASE("a factor, a shift and a stray element") {
    const CaseData golden = planted_golden(plain);
    Results got = golden.results;
    for (double& x : got.dk->values()) x *= 1.25;
    CHECK(says(located(golden, got, "dk"), "dk is 1.25 times the expected one"));
    for (double& x : got.lse->values()) x += 0.6931471805599453;
    CHECK(says(located(golden, got, "lse"), "lse is the expected one + 0.6931 = ln 2"));
    for (double& x : got.out->values()) x = 0;
    CHECK(says(located(golden, got, "out"), "out is 0 times the expected one: it is zero"));

    got = golden.results;
    (*got.out)(0, 17, 1, 5) = std::numeric_limits<double>::quiet_NaN();
    const Localisation nan = located(golden, got, "out");
    INFO(all(nan));
    CHECK(says(nan, "only 1 of 1200 rows: query row 17"));
    CHECK(says(nan, "only head 1 of 4"));
    CHECK(std::isinf(nan.by_head[1].rms_ratio));
}

TEST_CASE("sequences of a packed case and batch entries") {
    const CaseData golden =
        planted_golden("seq_q=200 cu_seqlens=0,70,71,200 heads_q=2 head_dim=16 C=48 w=16 dtype=f32 seed=3");
    Results got = golden.results;
    plant(*got.out, golden.judge->scales.out, 9, [](auto, auto i, auto) { return i >= 71 && (i - 71) % 16 < 4; });
    const Localisation packed = located(golden, got, "out");
    INFO(all(packed));
    CHECK(says(packed, "only sequence 2 of 3"));

    const CaseData pair = planted_golden("batch=2 seq_q=60 head_dim=16 C=48 w=16 dtype=f32 seed=3");
    Results second = pair.results;
    plant(*second.out, pair.judge->scales.out, 9, [](auto b, auto, auto) { return b == 1; });
    CHECK(says(located(pair, second, "out"), "only batch entry 1 of 2"));
}

TEST_CASE("the onset of an index overflow names the type") {
    dca::Problem problem;
    problem.shape = {
        .batch = 1, .seq_q = 9000, .seq_k = 9000, .heads_q = 4, .heads_kv = 2, .head_dim = 16, .head_dim_v = 16};
    const auto at = [&](std::int64_t row) { return offset_wrap_at(problem, row).value_or(""); };
    CHECK(at(512) == "element offsets into q (batch, row, head, dim) leave int16 there");
    CHECK(at(1024) == "element offsets into k (batch, row, head, dim) leave int16 there");
    CHECK(at(2048).find("into q (batch, head, row, dim) leave int16") != std::string::npos);
    CHECK(at(513).empty());
    CHECK(at(511).empty());
    problem.shape.heads_q = 3;  // 48 elements a row: 32768 lies in row 682
    CHECK(at(682).find("into q (batch, row, head, dim) leave int16") != std::string::npos);
    CHECK(at(683).find("into q (batch, row, head, dim) leave int16") != std::string::npos);

    const CaseData golden = planted_golden("seq_q=600 heads_q=4 heads_kv=4 head_dim=16 C=80 w=16 dtype=bf16 seed=3");
    Results got = golden.results;
    plant(*got.out, golden.judge->scales.out, 9, [](auto, auto i, auto) { return i >= 512; });
    const Localisation one = located(golden, got, "out");
    INFO(all(one));
    CHECK(says(one, "element offsets into q (batch, row, head, dim) leave int16 there"));
}

TEST_CASE("no period is seen where there is none") {
    std::vector<RowFlag> rows;
    const auto period = [&](const auto& bad) {
        rows.clear();
        for (std::int64_t i = 0; i < 2000; ++i) rows.push_back({i, bad(i)});
        return find_period(rows);
    };
    CHECK_FALSE(period([](auto) { return true; }));
    CHECK_FALSE(period([](auto) { return false; }));
    CHECK_FALSE(period([](auto i) { return i >= 700; }));
    CHECK_FALSE(period([](auto i) { return i == 1000; }));
    std::uint64_t state = 1;
    CHECK_FALSE(period([&](auto) { return (state = state * 6364136223846793005u + 1442695040888963407u) >> 63 == 1; }));
    CHECK_FALSE(period([&](auto) { return (state = state * 6364136223846793005u + 1442695040888963407u) >> 59 == 1; }));
    const auto late = period([](auto i) { return i >= 640 && i % 96 >= 90; });
    REQUIRE(late);
    CHECK(late->period == 96);
    CHECK(late->first_row == 90);
    CHECK(late->bad_per_period == 6);
    const auto across = period([](auto i) { return i % 48 >= 46 || i % 48 == 0; });
    REQUIRE(across);
    CHECK(across->period == 48);
    CHECK(across->first_row == 46);
    CHECK(across->bad_per_period == 3);
}

}  // namespace
