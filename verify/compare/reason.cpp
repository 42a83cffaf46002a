#include "verify/compare/reason.hpp"

#include <algorithm>
#include <cstdio>

#include "verify/compare/compare.hpp"

namespace dca::verify {
namespace {

/// The tensor as a whole: counts added up, ratios maximal.
RegionReport total(const TensorReport& report) {
    RegionReport sum;
    for (const RegionReport& region : report.regions) {
        sum.rows += region.rows;
        sum.bad_rows += region.bad_rows;
        sum.elements += region.elements;
        sum.bad_elements += region.bad_elements;
        sum.worst_element_ratio = std::max(sum.worst_element_ratio, region.worst_element_ratio);
        sum.worst_row_ratio = std::max(sum.worst_row_ratio, region.worst_row_ratio);
    }
    return sum;
}

std::string number(double x) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", x);
    return text;
}

std::string of(std::int64_t part, std::int64_t whole, const char* what) {
    return std::to_string(part) + " of " + std::to_string(whole) + " " + what;
}

std::string failure(const TensorReport& report, const Findings& findings, const RegionReport& all) {
    if (findings.plus_inf_for_empty > 0) {
        return of(findings.plus_inf_for_empty, all.elements, "elements") +
               " are +inf where a row without keys has -inf (the LSE=+inf convention, H31)";
    }
    if (report.nonfinite_mismatches > 0) {
        return of(report.nonfinite_mismatches, all.elements, "elements") + " differ in being NaN, infinite or finite";
    }
    if (all.bad_elements > 0) {
        return of(all.bad_elements, all.elements, "elements") + " are off by more than " + number(report.element_line) +
               " sigma";
    }
    return "no single element, but " + of(all.bad_rows, all.rows, "rows") + " are off by more than " +
           number(report.row_line) + " sigma RMS";
}

std::string doubt(const Findings& findings, const RegionReport& all) {
    if (all.elements == 0) return "the tensor has no elements";
    if (!findings.has_sigma) return "the golden has no error scales";
    if (findings.broken_expected > 0) return "the golden has non-finite values where none can be";
    if (findings.unusable_sigma > 0) {
        return "the golden's error scale is not a number or infinite for " +
               of(findings.unusable_sigma, all.elements, "elements");
    }
    if (findings.vacuous_in.empty()) return {};
    std::string where;
    for (Region region : findings.vacuous_in) where += (where.empty() ? "" : ", ") + std::string(name(region));
    return "an output of zeros would pass in region " + where;
}

}  // namespace

void conclude(TensorReport& report, const Findings& findings) {
    const RegionReport all = total(report);
    if (all.bad_elements > 0 || all.bad_rows > 0) {
        report.verdict = Verdict::failed;
        report.reason = failure(report, findings, all);
    } else if (std::string reason = doubt(findings, all); !reason.empty()) {
        report.verdict = Verdict::mistrusted;
        report.reason = std::move(reason);
    } else {
        const bool marginal = all.worst_element_ratio > marginal_fraction * report.element_line ||
                              all.worst_row_ratio > marginal_fraction * report.row_line;
        report.verdict = marginal ? Verdict::marginal : Verdict::passed;
        if (findings.zero_answer)
            report.remark = "a region of this tensor is zero by nature, so zeros nobody wrote pass there too";
    }
}

void conclude(CaseReport& report) {
    if (report.tensors.empty()) {
        report.verdict = Verdict::skipped;
        report.reason = "golden and candidate have no tensor in common";
        return;
    }
    report.verdict = Verdict::listed;
    for (const TensorReport& tensor : report.tensors) report.verdict = join(report.verdict, tensor.verdict);
    if (report.verdict != Verdict::skipped && report.verdict != Verdict::mistrusted) return;
    for (const TensorReport& tensor : report.tensors) {
        if (tensor.verdict == report.verdict && report.reason.empty()) {
            report.reason = tensor.tensor + ": " + tensor.reason;
        }
    }
}

}  // namespace dca::verify
