// The position matrix of a failing case: modes by hand, the failing rows of the right axis, the right sequence.
#include <algorithm>

#include "tests/support/catch.hpp"
#include "tests/verify/report/rich_reports.hpp"
#include "verify/report/position_matrix.hpp"

namespace {

using namespace dca::test;
using dca::Mode;
using dca::verify::CaseReport;
using dca::verify::mode_color;
using dca::verify::position_matrix;
using dca::verify::PositionMatrix;

bool same(dca::picture::Mosaic::Color a, dca::picture::Mosaic::Color b) {
    return a.red == b.red && a.green == b.green && a.blue == b.blue;
}

std::vector<std::size_t> marked(const std::vector<bool>& marks) {
    std::vector<std::size_t> at;
    for (std::size_t i = 0; i < marks.size(); ++i) {
        if (marks[i]) at.push_back(i);
    }
    return at;
}

std::vector<std::size_t> range(std::size_t first, std::size_t last) {
    std::vector<std::size_t> all;
    for (std::size_t i = first; i < last; ++i) all.push_back(i);
    return all;
}

const std::optional<dca::picture::Mosaic::Color>& cell(const PositionMatrix& matrix, std::int64_t row,
                                                       std::int64_t column) {
    return matrix.mosaic.cells.at(static_cast<std::size_t>(row * matrix.mosaic.columns.cells + column));
}

TEST_CASE("position matrix: modes and relative positions by hand") {
    // C = 10, w = 4, so chunks of L = 6 keys.
    const auto matrix = position_matrix(rich_case("x"));
    REQUIRE(matrix);
    CHECK(matrix->mosaic.rows.cells == 33);
    CHECK(matrix->mosaic.columns.cells == 33);
    CHECK_FALSE(cell(*matrix, 3, 4));
    CHECK(same(*cell(*matrix, 5, 5), mode_color(Mode::intra, 0)));
    const auto is_of = [&](std::int64_t row, std::int64_t key, Mode mode) {
        const auto color = *cell(*matrix, row, key);
        for (int k = 0; k <= 100; ++k) {
            if (same(color, mode_color(mode, k / 100.0))) return true;
        }
        return false;
    };
    CHECK(is_of(5, 0, Mode::intra));
    CHECK(is_of(6, 5, Mode::succ));
    CHECK(is_of(11, 0, Mode::succ));
    CHECK(is_of(12, 5, Mode::inter));
    CHECK(is_of(12, 6, Mode::succ));
    CHECK(is_of(32, 30, Mode::intra));
}

TEST_CASE("position matrix: query tensors mark rows, key tensors columns, passing ones nothing") {
    CaseReport report = rich_case("x");
    const auto queries = position_matrix(report);
    CHECK(marked(queries->mosaic.marked_rows) == range(24, 33));
    CHECK(marked(queries->mosaic.marked_columns).empty());

    report.tensors[2].tensor = "dk";
    const auto keys = position_matrix(report);
    CHECK(marked(keys->mosaic.marked_rows).empty());
    CHECK(marked(keys->mosaic.marked_columns) == range(24, 33));

    report.tensors[2].grids.clear();
    CHECK(marked(position_matrix(report)->mosaic.marked_columns) == range(32, 33));
    report.tensors[2].verdict = dca::verify::Verdict::passed;
    CHECK(marked(position_matrix(report)->mosaic.marked_columns).empty());
}

TEST_CASE("position matrix: a grid of blocks marks all rows of a block that is over the line") {
    CaseReport report = rich_case("x");
    report.problem->shape.seq_q = report.problem->shape.seq_k = 300;
    report.problem->chunk = {100, 20};
    // The last block is cut off; a value at the line passes.
    report.tensors[2].grids = {{"row error", "query row", "head", "sigma", 32, 1, 10, 2, std::vector<double>(20, 3.0)}};
    report.tensors[2].grids[0].values[7] = 3.1;
    report.tensors[2].grids[0].values[18] = std::numeric_limits<double>::infinity();
    report.tensors[2].grids[0].values[2] = std::nan("");
    report.tensors[2].worst.index = {0, 299, 0, 0};
    const auto matrix = position_matrix(report);
    REQUIRE(matrix);
    CHECK(matrix->mosaic.rows.cells == 75);
    CHECK(matrix->mosaic.rows.step == 4);
    std::vector<std::size_t> expected = range(24, 32), last = range(72, 75);
    expected.insert(expected.end(), last.begin(), last.end());
    CHECK(marked(matrix->mosaic.marked_rows) == expected);
    CHECK(matrix->mosaic.lines.size() == 6);
    CHECK(matrix->words.find("one cell for 4 queries and 4 keys") != std::string::npos);
}

TEST_CASE("position matrix: the sequence that holds the worst row, a decode row, and none") {
    CaseReport report = rich_case("x");
    report.problem->cu_seqlens = {0, 10, 30, 33};
    const auto last = position_matrix(report);
    REQUIRE(last);
    CHECK(last->mosaic.rows.first == 30);
    CHECK(last->mosaic.rows.cells == 3);
    CHECK(last->words.find("Sequence 2") != std::string::npos);
    CHECK(marked(last->mosaic.marked_rows) == range(0, 3));

    report = rich_case("x");
    report.problem->shape.seq_q = 1;
    report.tensors[2].worst.index = {0, 0, 1, 3};
    report.tensors[2].grids.clear();
    const auto decode = position_matrix(report);
    REQUIRE(decode);
    CHECK(decode->mosaic.rows.cells == 1);
    CHECK(decode->mosaic.columns.cells == 33);
    CHECK(std::all_of(decode->mosaic.cells.begin(), decode->mosaic.cells.end(),
                      [](const auto& one) { return one.has_value(); }));
    CHECK(marked(decode->mosaic.marked_rows) == range(0, 1));

    report.problem->dialect = "nobody";
    CHECK_FALSE(position_matrix(report));
    report.problem.reset();
    CHECK_FALSE(position_matrix(report));
}

}  // namespace
