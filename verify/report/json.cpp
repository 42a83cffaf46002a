// The report for programs. Schema "dca-report", version 1: keys are only added within a version. Numbers that JSON
// cannot hold are the strings "nan", "inf" and "-inf".
#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>

#include "verify/report/writers.hpp"

namespace dca::verify {
namespace {

using json = nlohmann::ordered_json;

json number(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    return value;
}

json element(const ElementReport& worst) {
    return {{"index", worst.index},     {"region", name(worst.region)}, {"expected", number(worst.expected)},
            {"got", number(worst.got)}, {"sigma", number(worst.sigma)}, {"ratio", number(worst.ratio)}};
}

json region(const RegionReport& report) {
    return {{"region", name(report.region)},
            {"rows", report.rows},
            {"bad_rows", report.bad_rows},
            {"elements", report.elements},
            {"bad_elements", report.bad_elements},
            {"worst_element_ratio", number(report.worst_element_ratio)},
            {"worst_row_ratio", number(report.worst_row_ratio)},
            {"rms_ratio", number(report.rms_ratio)},
            {"relative_l2", number(report.relative_l2)}};
}

json tensor(const TensorReport& report) {
    json result{{"tensor", report.tensor},
                {"verdict", name(report.verdict)},
                {"reason", report.reason},
                {"remark", report.remark},
                {"extents", report.extents},
                {"element_line", number(report.element_line)},
                {"row_line", number(report.row_line)},
                {"nonfinite_mismatches", report.nonfinite_mismatches},
                {"regions", json::array()},
                {"worst_element", nullptr},
                {"worst_row", nullptr}};
    for (const RegionReport& one : report.regions) result["regions"].push_back(region(one));
    if (!report.worst.index.empty()) result["worst_element"] = element(report.worst);
    if (report.worst_row) {
        const RowReport& row = *report.worst_row;
        result["worst_row"] = {
            {"batch", row.batch}, {"row", row.row}, {"head", row.head}, {"ratio", number(row.ratio)}};
    }
    return result;
}

json explanation(const Explanation& one) {
    return {{"id", one.id},           {"title", one.title},
            {"hazard", one.hazard},   {"public_example", one.public_example},
            {"tensors", one.tensors}, {"ratio", number(one.ratio)}};
}

json case_json(const CaseReport& report) {
    json result{{"id", report.id},
                {"verdict", name(report.verdict)},
                {"reason", report.reason},
                {"dtype", report.dtype},
                {"tensors", json::array()},
                {"not_in_candidate", report.not_in_candidate},
                {"explanations", json::array()},
                {"coverage", report.coverage},
                {"repro", report.repro}};
    for (const TensorReport& one : report.tensors) result["tensors"].push_back(tensor(one));
    for (const Explanation& one : report.explanations) result["explanations"].push_back(explanation(one));
    return result;
}

}  // namespace

void write_json(std::ostream& out, const RunReport& report) {
    json result{{"schema", "dca-report"},          {"schema_version", 1},
                {"golden", report.golden},         {"candidate", report.candidate},
                {"verdict", name(report.verdict)}, {"exit_status", exit_status(report.verdict)},
                {"cases", json::array()},          {"notes", report.notes}};
    for (const CaseReport& one : report.cases) result["cases"].push_back(case_json(one));
    // File names may be any bytes; JSON is UTF-8.
    out << result.dump(2, ' ', false, json::error_handler_t::replace) << '\n';
}

}  // namespace dca::verify
