// Rows whose keys were lost or counted twice: the solved masses must say which.
#include <cmath>

#include "tests/support/catch.hpp"
#include "tests/verify/diagnose/mistaken.hpp"
#include "tests/verify/diagnose/planted.hpp"
#include "verify/diagnose/diagnose.hpp"
#include "verify/diagnose/key_masses.hpp"
#include "verify/diagnose/mass_shift.hpp"

namespace {

using namespace dca::test;
using namespace dca::verify;
using dca::golden::CaseData;
using dca::golden::Results;

const std::string plain = "seq_q=400 heads_q=2 heads_kv=1 head_dim=64 C=80 w=16 dtype=f32 seed=3";

/// out with the mass of `chunk` multiplied by `factor`, for rows that see it.
Results with_chunk(const CaseData& golden, std::int64_t chunk, double factor) {
    Results got = golden.results;
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < 400; ++i) rows.push_back(i);
    for (std::int64_t h = 0; h < 2; ++h) {
        const auto cells = key_masses(golden.problem, golden.inputs, 0, h, rows, 32);
        for (std::int64_t i = 0; i < 400; ++i) {
            const RowCells& row = cells[static_cast<std::size_t>(i)];
            for (std::int64_t c = 0; c < 64; ++c) {
                double sum = 0, whole = 0;
                for (std::size_t g = 0; g < row.mass.size(); ++g) {
                    const double mass = row.mass[g] * (row.column[g] == chunk && row.mass.size() > 1 ? factor : 1);
                    sum += mass * row.out[g * 64 + static_cast<std::size_t>(c)];
                    whole += mass;
                }
                (*got.out)(0, i, h, c) = sum / whole;
            }
        }
    }
    return rounded(got, dca::Dtype::f32);
}

TEST_CASE("masses and partial outputs of the chunks make up the output") {
    const CaseData golden = planted_golden(plain);
    const Results same = with_chunk(golden, 2, 1);
    CHECK(compare_case(golden, same).verdict != Verdict::failed);
    const auto cells = key_masses(golden.problem, golden.inputs, 0, 1, std::vector<std::int64_t>{0, 63, 64, 399}, 32);
    CHECK(cells[0].mass.size() == 1);
    CHECK(cells[2].mass.size() == 2);
    REQUIRE(cells[3].mass.size() == 7);
    CHECK(cells[3].mode[6] == dca::Mode::intra);
    CHECK(cells[3].mode[5] == dca::Mode::succ);
    CHECK(cells[3].mode[0] == dca::Mode::inter);
    // Fewer cells than chunks: far ones are joined, masses stay.
    const auto joined = key_masses(golden.problem, golden.inputs, 0, 1, std::vector<std::int64_t>{399}, 4);
    CHECK(joined[0].mass.size() <= 6);
    double far = 0, near = 0;
    for (std::size_t g = 0; g < 5; ++g) far += cells[3].mass[g];
    for (std::size_t g = 0; g < joined[0].mass.size(); ++g)
        near += joined[0].mode[g] == dca::Mode::inter ? joined[0].mass[g] : 0;
    CHECK(far == Approx(near).epsilon(1e-12));  // sums of some hundred probabilities, 2^-53 each
}

TEST_CASE("a lost and a doubled key chunk are named, and the grid shows them") {
    const CaseData golden = planted_golden(plain);
    for (const double factor : {0.0, 2.0}) {
        const Results got = with_chunk(golden, 2, factor);
        CaseReport report = compare_case(golden, got);
        REQUIRE(report.verdict == Verdict::failed);
        const MassShift shift = mass_shift(golden, got, 1e9);
        CHECK(shift.rows == 64);
        CHECK(shift.explained == 64);
        REQUIRE(shift.findings.size() == 1);
        CHECK(shift.findings[0].find(factor == 0 ? "key chunk 2 lost all of its mass (head"
                                                 : "key chunk 2 counts twice (head") == 0);
        CHECK(shift.grid.columns == 7);
        REQUIRE(shift.grid.values.size() == static_cast<std::size_t>(shift.grid.rows * shift.grid.columns));
        for (std::int64_t r = 0; r < shift.grid.rows; ++r) {
            const auto at = [&](std::int64_t c) { return shift.grid.values[static_cast<std::size_t>(r * 7 + c)]; };
            if (r * shift.grid.row_step < 128) {
                CHECK(std::isnan(at(0)));  // rows that do not see the chunk are right
            } else if (std::isfinite(at(2))) {
                CHECK((factor == 0 ? at(2) < 0 : at(2) > 0));
                CHECK(std::abs(at(0)) < 0.01 * std::abs(at(2)));
            }
        }
        locate(golden, got, report);
        REQUIRE(report.localisations.size() == 1);
        CHECK(report.localisations[0].findings.back() == shift.findings[0]);
        CHECK(report.tensors[0].grids.back().column_axis == "key chunk");
    }
}

TEST_CASE("keys of one mode lost are named by mode") {
    const CaseData golden = golden_for("succ-dropped", dca::Dtype::f32);
    const MassShift shift = mass_shift(golden, mistaken("succ-dropped", golden), 1e9);
    REQUIRE(shift.findings.size() == 1);
    CHECK(shift.findings[0].find("attention to succ keys lost all of its mass") == 0);
}

TEST_CASE("an error that is no change of masses is not called one") {
    const CaseData golden = planted_golden(plain);
    Results got = golden.results;
    plant(*got.out, golden.judge->scales.out, 50, [](auto, auto i, auto) { return i > 100; });
    const MassShift shift = mass_shift(golden, got, 1e9);
    CHECK(shift.rows == 64);
    CHECK(shift.explained == 0);
    CHECK(shift.findings.empty());
    CHECK(shift.grid.values.empty());
    // Too little work allowed, or nothing wrong: nothing is looked at.
    CHECK(mass_shift(golden, got, 1000).rows == 0);
    CHECK(mass_shift(golden, golden.results, 1e9).rows == 0);
}

}  // namespace
