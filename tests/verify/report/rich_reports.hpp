// Run reports with everything a judge can fill in: grids, histograms, places, fingerprints; and texts that are hard on
// every format.
#pragma once

#include "tests/verify/report/reports.hpp"
#include "verify/report/kill_matrix.hpp"

namespace dca::test {

/// What must not act as markup, command or escape anywhere, nor break a line or an encoding.
inline const std::string hostile =
    "</title></style><script>alert(1)</script><img src=x "
    "onerror=alert(2)>&amp;\"'`|]]>-->\n::error::no\r\n\x1b[31mred\x1b[0m" +
    std::string("\0", 1) +
    "\x01 \x7f \xff\xfe \xc3\x28 \xed\xa0\x80 \xe2\x80\xae abc %0A, 100%: {{x}} ${y} $(z) \xc3\xbc "
    "\xe4\xb8\xad\xe6\x96\x87 \\ */";

/// Row ratios by row and head: rows from 24 on are wrong in head 1.
inline verify::ErrorGrid row_grid(const std::string& tensor) {
    verify::ErrorGrid grid{
        "row error", tensor == "dk" || tensor == "dv" ? "key row" : "query row", "head", "sigma", 1, 1, 33, 2, {}};
    for (int row = 0; row < 33; ++row) {
        grid.values.push_back(0.4 + 0.01 * row);
        grid.values.push_back(row >= 24 ? 50.0 * (row - 23) : 0.5);
    }
    return grid;
}

/// Attribution to key chunks: causal, so that half of it is empty.
inline verify::ErrorGrid chunk_grid() {
    verify::ErrorGrid grid{"error from a key chunk", "query row", "key chunk", "sigma", 1, 1, 33, 6, {}};
    for (int row = 0; row < 33; ++row) {
        for (int chunk = 0; chunk < 6; ++chunk) {
            const bool visible = chunk <= row / 6;
            const bool wrong = row >= 24 && chunk <= row / 6 - 2;
            grid.values.push_back(!visible ? std::nan("") : wrong ? 1200.0 / (chunk + 1) : 0.2);
        }
    }
    return grid;
}

inline verify::CaseReport rich_case(const std::string& id) {
    using namespace verify;
    CaseReport report = failing_case(id);
    Problem problem;
    problem.shape = {1, 33, 33, 2, 1, 16, 16};
    problem.chunk = {10, 4};
    problem.dtype = Dtype::f32;
    report.problem = problem;
    for (TensorReport& tensor : report.tensors) {
        tensor.golden_accuracy = GoldenAccuracy{2e-13, true, false};
        for (std::size_t k = 0; k < 12; ++k) tensor.histogram.counts[k] = static_cast<std::int64_t>(1) << k % 11;
        tensor.histogram.exact = 17;
    }
    TensorReport& dq = report.tensors[2];
    dq.histogram.counts = {3, 7, 15, 30, 60, 110, 160, 150, 60, 12, 0, 2, 9, 40, 90, 140, 100, 50, 18, 0, 0, 0, 0, 0};
    dq.grids = {row_grid("dq"), chunk_grid()};
    dq.worst = {{0, 32, 1, 3}, Region::with_inter, 0.25, -0.125, 1e-4, 3750};
    dq.worst_row = RowReport{0, 32, 1, 450};
    Localisation place;
    place.tensor = "dq";
    place.findings = {"97 % of the error energy lies in rows from chunk 4 on", "head 0 is right, head 1 is not"};
    place.by_region = {{"intra", 0.01, 0.5, 16, 0}, {"+inter", 0.99, 210, 50, 9}};
    place.by_chunk = {{"chunk 0", 0.0, 0.4, 12, 0}, {"chunk 4", 0.4, 90, 12, 6}, {"chunk 5", 0.6, 300, 6, 3}};
    place.by_head = {{"head 0", 0.001, 0.5, 33, 0}, {"head 1", 0.999, 200, 33, 9}};
    place.by_border_distance = {{"at a chunk border", 0.2, 80, 6, 1}, {"elsewhere", 0.8, 70, 60, 8}};
    place.period = RowPeriod{8, 24, 8, 0.97};
    report.localisations = {place};
    report.fingerprints = {
        {"out", 0.61, 0.72, "as declared", 0.72, false, ""},
        {"dq", 5.2, 0.7, "P in e4m3", 5.0, true, "noise of 5.2 sigma; P in e4m3 explains 5, f32 0.7"}};
    report.seconds = 0.125;
    return report;
}

/// Every text of it is hostile; the verdicts are errored, failed and waived.
inline verify::RunReport hostile_run() {
    using namespace verify;
    CaseReport errored;
    errored.id = hostile;
    errored.verdict = Verdict::errored;
    errored.reason = hostile;
    errored.dtype = hostile;
    errored.repro = hostile;
    CaseReport failing = rich_case(hostile);
    for (TensorReport& tensor : failing.tensors) {
        tensor.reason = tensor.remark = hostile;
        for (ErrorGrid& grid : tensor.grids) grid.title = grid.row_axis = grid.column_axis = grid.unit = hostile;
    }
    failing.tensors[2].tensor = hostile;
    failing.explanations[0] = {hostile, hostile, hostile, hostile, {hostile}, 0.4};
    failing.localisations[0].tensor = hostile;
    failing.localisations[0].findings = {hostile};
    failing.localisations[0].by_chunk[0].part = hostile;
    failing.fingerprints[1] = {hostile, 5, 1, hostile, 5, true, hostile};
    failing.not_in_candidate = {hostile};
    failing.problem->dialect = hostile;
    failing.repro = failing.coverage = hostile;
    CaseReport waived = failing;
    waived.verdict = Verdict::waived;
    waived.waiver = hostile;
    CaseReport passing = passing_case(hostile);
    passing.coverage = passing.tensors[0].remark = hostile;
    RunReport report = run_of({errored, failing, waived, passing});
    report.golden = report.candidate = hostile;
    report.notes = {hostile};
    return report;
}

/// Sixty cases, a few of them wrong in every way.
inline verify::RunReport suite_run() {
    std::vector<verify::CaseReport> cases;
    for (int i = 0; i < 60; ++i) {
        const std::string id = "suite_case_number_" + std::to_string(i);
        cases.push_back(i % 12 == 5 ? rich_case(id) : passing_case(id));
    }
    cases[7].verdict = cases[7].tensors[0].verdict = verify::Verdict::mistrusted;
    cases[7].reason = "out: an output of zeros would pass in region +inter";
    verify::CaseReport errored;
    errored.id = "broken";
    errored.verdict = verify::Verdict::errored;
    errored.dtype = "bf16";
    errored.reason =
        "/scratch/builds/kernels/feature-branch-with-a-long-name/2026-11-21T14-54-45Z/artifacts/candidate_outputs_of_"
        "the_nightly_run_without_any_blank_in_it.safetensors: case broken, dataset outputs/out: shape (1, 32, 2, 16) "
        "is not "
        "the expected (1, 33, 2, 16)";
    errored.repro =
        "dca compare golden.h5 '/scratch/builds/kernels/feature-branch-with-a-long-name/2026-11-21T14-54-45Z/"
        "artifacts/candidate_outputs_of_the_nightly_run_without_any_blank_in_it.safetensors' --case broken";
    cases.push_back(errored);
    verify::CaseReport waived = rich_case("known");
    waived.verdict = verify::Verdict::waived;
    waived.waiver = "issue 123, until 2027-03-01: dq of head 1 is known to be wrong";
    cases.push_back(waived);
    return run_of(std::move(cases));
}

/// 48 mutants, 30 cases; mutant 7 is missed by all, mutant 9 applies to none.
inline verify::KillPage kill_page() {
    verify::KillMatrix matrix{"bf16", {}, {}, {}, {}};
    for (int c = 0; c < 30; ++c) matrix.columns.push_back("gqa_partial_chunk_" + std::to_string(c));
    for (int r = 0; r < 48; ++r) {
        matrix.rows.push_back("inter-position-wrong-" + std::to_string(r));
        matrix.titles.push_back("queries see far keys from C - " + std::to_string(r) + " instead of C - 1");
        for (int c = 0; c < 30; ++c) {
            verify::KillMatrix::Cell cell;
            const bool applies = r != 9 && (r + c) % 5 != 0;
            if (applies) cell.margin = r == 7 ? 0.3 : std::ldexp(0.7, (r * 7 + c * 3) % 15 - 2);
            cell.rank = (r + c) % 4;
            matrix.cells.push_back(cell);
        }
    }
    return {"Kill matrix of suite ci", "46 of 48 mutants are killed in bf16.", {matrix, matrix}, false};
}

}  // namespace dca::test
