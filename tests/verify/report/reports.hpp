// Run reports made by hand, one of every outcome.
#pragma once

#include <cmath>
#include <limits>
#include <sstream>
#include <string>

#include "verify/report/writers.hpp"

namespace dca::test {

inline verify::TensorReport passing_tensor(const std::string& name) {
    using namespace verify;
    TensorReport tensor;
    tensor.tensor = name;
    tensor.verdict = Verdict::passed;
    tensor.element_line = 6;
    const bool lse = name == "lse";
    tensor.row_line = lse ? 0 : name == "out" ? 2 : 3;
    tensor.extents = lse ? std::vector<std::int64_t>{1, 2, 33} : std::vector<std::int64_t>{1, 33, 2, 16};
    tensor.worst = {lse ? std::vector<std::int64_t>{0, 1, 7} : std::vector<std::int64_t>{0, 7, 1, 3},
                    Region::intra_only,
                    0.5,
                    0.5001,
                    1e-4,
                    1.25};
    if (!lse) tensor.worst_row = RowReport{0, 7, 1, 0.73};
    tensor.regions = {{Region::intra_only, 16, 0, 256, 0, 1.25, lse ? 0.0 : 0.73, 0.6, 1e-4},
                      {Region::with_inter, 50, 0, 800, 0, 1.1, lse ? 0.0 : 0.7, 0.6, 1e-4}};
    return tensor;
}

inline verify::CaseReport passing_case(const std::string& id) {
    verify::CaseReport report;
    report.id = id;
    report.verdict = verify::Verdict::passed;
    report.dtype = "f32";
    report.tensors = {passing_tensor("out"), passing_tensor("lse")};
    report.repro = "dca compare g.h5 c.h5 --case " + id;
    return report;
}

inline verify::CaseReport failing_case(const std::string& id) {
    verify::CaseReport report = passing_case(id);
    report.verdict = verify::Verdict::failed;
    verify::TensorReport dq = passing_tensor("dq");
    dq.verdict = verify::Verdict::failed;
    dq.reason = "512 of 1056 elements are off by more than 6 sigma";
    dq.worst = {{0, 12, 1, 3}, Region::with_inter, 0.25, -0.125, 1e-4, 3750};
    dq.worst_row = verify::RowReport{0, 12, 1, 1234.5};
    dq.regions[1].bad_elements = 512;
    dq.regions[1].bad_rows = 40;
    dq.regions[1].worst_element_ratio = 3750;
    report.tensors.push_back(dq);
    report.explanations = {{"detached-merge", "a detached merge", "H34", "somebody's pull request", {"dq"}, 0.4}};
    return report;
}

inline verify::RunReport run_of(std::vector<verify::CaseReport> cases) {
    verify::RunReport report;
    report.golden = "g.h5";
    report.candidate = "c.h5";
    report.verdict = cases.empty() ? verify::Verdict::skipped : verify::Verdict::listed;
    for (const auto& one : cases) report.verdict = join(report.verdict, one.verdict);
    report.cases = std::move(cases);
    return report;
}

/// Passed, failed, mistrusted, skipped and errored, with names and reasons that are hard on every format.
inline verify::RunReport everything() {
    verify::CaseReport mistrusted = passing_case("weak");
    mistrusted.verdict = mistrusted.tensors[0].verdict = verify::Verdict::mistrusted;
    mistrusted.reason = "out: an output of zeros would pass in region +inter";
    verify::CaseReport skipped;
    skipped.id = "absent";
    skipped.verdict = verify::Verdict::skipped;
    skipped.reason = "the candidate has no tensor of this case";
    verify::CaseReport errored;
    errored.id = "broken";
    errored.verdict = verify::Verdict::errored;
    errored.reason = "c<&>\"'|*\x01\xff.h5: case broken: bad";
    verify::CaseReport failing = failing_case("wrong");
    failing.tensors[2].worst.got = std::nan("");
    failing.tensors[2].worst.ratio = std::numeric_limits<double>::infinity();
    verify::RunReport report = run_of({passing_case("good"), failing, mistrusted, skipped, errored});
    report.notes = {"a note with <markup> & \"quotes\""};
    return report;
}

template <class Writer>
std::string written(const Writer& writer, const verify::RunReport& report) {
    std::ostringstream out;
    writer(out, report);
    return out.str();
}

inline std::string text_of(const verify::RunReport& report, const verify::TextOptions& options = {}) {
    std::ostringstream out;
    verify::write_text(out, report, options);
    return out.str();
}

}  // namespace dca::test
