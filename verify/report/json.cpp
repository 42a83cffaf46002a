// The report for programs. Schema "dca-report", version 1 (docs/report.schema.json): keys are only added within a
// version. Numbers that JSON cannot hold are the strings "nan", "inf" and "-inf".
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

template <class T>
json all(const std::vector<T>& items, json (*one)(const T&)) {
    json result = json::array();
    for (const T& item : items) result.push_back(one(item));
    return result;
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

json histogram(const RatioHistogram& report) {
    return {{"first_exponent", RatioHistogram::first_exponent},
            {"counts", report.counts},
            {"exact", report.exact},
            {"nonfinite", report.nonfinite}};
}

json grid(const ErrorGrid& report) {
    json values = json::array();
    // A cell without rows is null: there is no number to tell.
    for (const double value : report.values) values.push_back(std::isnan(value) ? json(nullptr) : number(value));
    return {{"title", report.title}, {"row_axis", report.row_axis}, {"column_axis", report.column_axis},
            {"unit", report.unit},   {"row_step", report.row_step}, {"column_step", report.column_step},
            {"rows", report.rows},   {"columns", report.columns},   {"values", std::move(values)}};
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
                {"regions", all(report.regions, region)},
                {"worst_element", nullptr},
                {"worst_row", nullptr},
                {"golden_accuracy", nullptr},
                {"histogram", histogram(report.histogram)},
                {"grids", all(report.grids, grid)}};
    if (!report.worst.index.empty()) result["worst_element"] = element(report.worst);
    if (report.worst_row) {
        const RowReport& row = *report.worst_row;
        result["worst_row"] = {
            {"batch", row.batch}, {"row", row.row}, {"head", row.head}, {"ratio", number(row.ratio)}};
    }
    if (report.golden_accuracy) {
        const GoldenAccuracy& golden = *report.golden_accuracy;
        result["golden_accuracy"] = {{"error_radius", number(golden.error_radius)},
                                     {"proven", golden.proven},
                                     {"correctly_rounded", golden.correctly_rounded}};
    }
    return result;
}

json explanation(const Explanation& one) {
    return {{"id", one.id},           {"title", one.title},
            {"hazard", one.hazard},   {"public_example", one.public_example},
            {"tensors", one.tensors}, {"ratio", number(one.ratio)},
            {"same_as", one.same_as}};
}

json energy_share(const EnergyShare& one) {
    return {{"part", one.part},
            {"share", number(one.share)},
            {"rms_ratio", number(one.rms_ratio)},
            {"rows", one.rows},
            {"bad_rows", one.bad_rows}};
}

json localisation(const Localisation& one) {
    json result{{"tensor", one.tensor},
                {"by_region", all(one.by_region, energy_share)},
                {"by_chunk", all(one.by_chunk, energy_share)},
                {"by_head", all(one.by_head, energy_share)},
                {"by_border_distance", all(one.by_border_distance, energy_share)},
                {"period", nullptr},
                {"findings", one.findings}};
    if (one.period) {
        result["period"] = {{"period", one.period->period},
                            {"first_row", one.period->first_row},
                            {"bad_per_period", one.period->bad_per_period},
                            {"explained", number(one.period->explained)}};
    }
    return result;
}

json fingerprint(const Fingerprint& one) {
    return {{"tensor", one.tensor},
            {"rms_ratio", number(one.rms_ratio)},
            {"declared_ratio", number(one.declared_ratio)},
            {"best", one.best},
            {"best_ratio", number(one.best_ratio)},
            {"worse_than_declared", one.worse_than_declared},
            {"text", one.text}};
}

/// What a reader needs to see which computation it was; the golden has it all.
json problem(const Problem& one) {
    const Shape& shape = one.shape;
    return {{"dialect", one.dialect},
            {"chunk_size", one.chunk.chunk_size},
            {"local_size", one.chunk.local_size},
            {"batch", shape.batch},
            {"seq_q", shape.seq_q},
            {"seq_k", shape.seq_k},
            {"heads_q", shape.heads_q},
            {"heads_kv", shape.heads_kv},
            {"head_dim", shape.head_dim},
            {"head_dim_v", shape.head_dim_v},
            {"packed", one.packed()}};
}

json case_json(const CaseReport& report) {
    return {{"id", report.id},
            {"verdict", name(report.verdict)},
            {"reason", report.reason},
            {"dtype", report.dtype},
            {"problem", report.problem ? problem(*report.problem) : json(nullptr)},
            {"tensors", all(report.tensors, tensor)},
            {"not_in_candidate", report.not_in_candidate},
            {"explanations", all(report.explanations, explanation)},
            {"localisations", all(report.localisations, localisation)},
            {"fingerprints", all(report.fingerprints, fingerprint)},
            {"waiver", report.waiver},
            {"seconds", number(report.seconds)},
            {"coverage", report.coverage},
            {"repro", report.repro}};
}

}  // namespace

void write_json(std::ostream& out, const RunReport& report) {
    const json result{{"schema", "dca-report"},
                      {"schema_version", 1},
                      {"golden", report.golden},
                      {"candidate", report.candidate},
                      {"verdict", name(report.verdict)},
                      {"exit_status", exit_status(report.verdict)},
                      {"cases", all(report.cases, case_json)},
                      {"notes", report.notes}};
    // File names may be any bytes; JSON is UTF-8.
    out << result.dump(2, ' ', false, json::error_handler_t::replace) << '\n';
}

}  // namespace dca::verify
