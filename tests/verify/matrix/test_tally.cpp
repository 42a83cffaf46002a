// The matrix's own arithmetic, on made-up cells and on a judge that is broken.
#include <limits>
#include <sstream>

#include "golden/case_text.hpp"
#include "tests/support/catch.hpp"
#include "verify/matrix/text.hpp"

using namespace dca;

namespace {

verify::TensorReport tensor(const std::string& name, double element_ratio, double row_ratio) {
    verify::TensorReport report;
    report.tensor = name;
    report.element_line = 6;
    report.row_line = 2;
    report.worst.ratio = element_ratio;
    report.worst_row = verify::RowReport{0, 0, 0, row_ratio};
    return report;
}

matrix::Column column(const std::string& id, Dtype dtype, const std::vector<matrix::Cell>& cells) {
    return {id, dtype, true, cells, {{true, false, 0.3, "out"}, {true, false, 0.4, "dq"}}, {}};
}

matrix::Matrix two_by_two() {
    matrix::Matrix matrix;
    matrix.mutants = {mutants::find("zeros"), mutants::find("detached-merge")};
    matrix.columns = {column("a", Dtype::f32, {{true, true, 5, "out"}, {true, true, 3, "dq"}}),
                      column("b", Dtype::f32, {{true, true, 7, "out"}, {}})};
    return matrix;
}

}  // namespace

TEST_CASE("a margin is the worst rule of the worst tensor over its line") {
    verify::CaseReport report;
    report.verdict = verify::Verdict::failed;
    report.tensors = {tensor("out", 3, 1), tensor("dq", 12, 9)};
    matrix::Cell cell = matrix::cell_of(report);
    CHECK(cell.applies);
    CHECK(cell.killed);
    CHECK(cell.margin == 4.5);
    CHECK(cell.tensor == "dq");
    report.tensors.front().nonfinite_mismatches = 1;
    cell = matrix::cell_of(report);
    CHECK(cell.margin == std::numeric_limits<double>::infinity());
    CHECK(cell.tensor == "out");
    report.verdict = verify::Verdict::passed;
    CHECK_FALSE(matrix::cell_of(report).killed);
}

TEST_CASE("a mutant's tally counts its cases and keeps the best") {
    const matrix::Matrix matrix = two_by_two();
    const std::vector<matrix::Tally> tallies = matrix::tally(matrix);
    REQUIRE(tallies.size() == 2);
    CHECK(tallies[0].applies == 2);
    CHECK(tallies[0].kills == 2);
    CHECK(tallies[0].best->case_id == "b");
    CHECK(tallies[0].margin == 7);
    CHECK(tallies[1].applies == 1);
    CHECK(tallies[1].best->case_id == "a");
}

TEST_CASE("the exit status tells a clean matrix from a missed mutant, a false alarm, a wrong name and no run at all") {
    CHECK(matrix::exit_status(two_by_two(), {}) == 0);
    matrix::Matrix changed = two_by_two();
    changed.columns[0].cells[1] = {true, false, 0.4, "dq"};
    CHECK(matrix::missed(matrix::tally(changed)).size() == 1);
    CHECK(matrix::exit_status(changed, {}) == 1);
    changed = two_by_two();
    changed.columns[1].honest[1].killed = true;
    CHECK(matrix::exit_status(changed, {}) == 1);
    const matrix::Naming naming{mutants::find("zeros"), Dtype::f32, "a", {"detached-merge"}, false};
    CHECK(matrix::exit_status(two_by_two(), {naming}) == 1);
    changed = two_by_two();
    for (matrix::Column& one : changed.columns) one.cells = {{}, {}};
    CHECK(matrix::exit_status(changed, {}) == 3);
    std::ostringstream text;
    matrix::write_text(text, changed, {}, false);
    CHECK(text.str().find("no case applies") != std::string::npos);
}

TEST_CASE("margins are written in two digits") {
    CHECK(matrix::margin_text(0.0) == "0.00");
    CHECK(matrix::margin_text(0.391) == "0.39");
    CHECK(matrix::margin_text(1.04) == "1.0");
    CHECK(matrix::margin_text(9.96) == "10");
    CHECK(matrix::margin_text(47.4) == "47");
    CHECK(matrix::margin_text(123456.0) == "1.2e5");
    CHECK(matrix::margin_text(std::numeric_limits<double>::infinity()) == "inf");
    CHECK(matrix::margin_text(matrix::Cell{}) == "-");
}

TEST_CASE("a mutant is named by its id or by its equal in exact arithmetic") {
    const mutants::Mutant& local = *mutants::find("local-out-in-delta");
    CHECK(matrix::names("local-out-in-delta", local));
    CHECK(matrix::names("detached-merge", local));
    CHECK(matrix::names("local-out-in-delta", *mutants::find("detached-merge")));
    CHECK_FALSE(matrix::names("local-lse", local));
    CHECK_FALSE(matrix::names("", *mutants::find("zeros")));
}

TEST_CASE("the matrix is a function of its cases, not of the threads, and refuses an empty question") {
    const std::vector<golden::CaseSpec> cases{
        golden::parse_case("id=a seq_q=19 heads_q=2 head_dim=16 chunk_size=7 local_size=2 dtype=bf16 seed=3"),
        golden::parse_case("id=b seq_q=21 heads_q=2 head_dim=16 chunk_size=7 local_size=2 seed=4")};
    std::string first;
    for (int run = 0; run < 3; ++run) {
        std::ostringstream text;
        matrix::write_json(text, matrix::compute(cases, {{Dtype::bf16, Dtype::f64}, "*", "*", {}}), {});
        if (run == 0) first = text.str();
        CHECK((text.str() == first));
    }
    CHECK(first.size() > 10000);
    CHECK_THROWS_AS(matrix::compute(cases, {{}, "no-such-*", "*", {}}), InvalidProblem);
    CHECK_THROWS_AS(matrix::compute(cases, {{}, "*", "no-such-*", {}}), InvalidProblem);
}
