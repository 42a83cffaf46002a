#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>

#include "verify/report/diff_dialects.hpp"

namespace dca::verify {
namespace {

using json = nlohmann::ordered_json;

json number(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    return value;
}

template <class T>
json optional(const std::optional<T>& value) {
    return value ? json(*value) : json(nullptr);
}

json positions(const PositionDifference& difference) {
    json modes = json::array();
    for (const ModePairs& mode : difference.modes) {
        modes.push_back({{"mode", name(mode.mode)}, {"pairs", mode.pairs}, {"different", mode.different}});
    }
    json first = nullptr;
    if (difference.first) {
        const DifferentPair& pair = *difference.first;
        first = {{"sequence", pair.sequence},
                 {"query", pair.query},
                 {"key", pair.key},
                 {"mode", name(pair.mode)},
                 {"relative_positions", pair.relative}};
    }
    return {{"modes", modes}, {"first", first}};
}

json temperature(const TemperatureDifference& difference) {
    json ends = json::array();
    for (const TemperatureEnds& one : difference.ends) {
        ends.push_back({{"acts", !one.off()},
                        {"coefficient", one.law.coefficient},
                        {"reference_length", optional(one.reference)},
                        {"first_query", one.first_query},
                        {"last_query", one.last_query},
                        {"first_key", one.first_key},
                        {"last_key", one.last_key}});
    }
    return {{"different", difference.any()},
            {"sequence", difference.sequence},
            {"first_query", optional(difference.first_query)},
            {"first_key", optional(difference.first_key)},
            {"first_length", optional(difference.first_length)},
            {"other_dims", difference.other_dims},
            {"factors", ends},
            {"logit", difference.logit}};
}

const char* text(Difference difference) {
    switch (difference) {
        case Difference::identical: return "identical";
        case Difference::within_noise: return "within_noise";
        case Difference::above_noise: return "above_noise";
    }
    return "";
}

json tensor(const TensorDifference& difference) {
    json regions = json::array();
    for (const RegionReport& region : difference.numbers.regions) {
        regions.push_back({{"region", name(region.region)},
                           {"rows", region.rows},
                           {"relative_l2", number(region.relative_l2)},
                           {"worst_element_sigma", number(region.worst_element_ratio)},
                           {"worst_row_sigma", number(region.worst_row_ratio)}});
    }
    json worst = nullptr;
    if (const ElementReport& element = difference.numbers.worst; !element.index.empty()) {
        worst = {{"index", element.index},
                 {"region", name(element.region)},
                 {"values", {number(element.expected), number(element.got)}},
                 {"sigma", number(element.sigma)}};
    }
    return {{"tensor", difference.numbers.tensor},
            {"difference", text(difference.difference)},
            {"first_row", optional(difference.first_row)},
            {"regions", regions},
            {"worst_element", worst}};
}

json case_json(const DialectDifference& difference) {
    json rules = json::array();
    for (const RuleDifference& rule : difference.rules) {
        rules.push_back({{"rule", rule.rule}, {"values", rule.value}});
    }
    json tensors = json::array();
    for (const TensorDifference& one : difference.tensors) tensors.push_back(tensor(one));
    return {{"id", difference.case_id},
            {"dtype", difference.dtype},
            {"dialects", difference.dialects},
            {"refusals", {optional(difference.refusals[0]), optional(difference.refusals[1])}},
            {"positions", positions(difference.positions)},
            {"temperature", temperature(difference.temperature)},
            {"rules", rules},
            {"tensors", tensors}};
}

}  // namespace

void write_difference_json(std::ostream& out, std::span<const DialectDifference> cases) {
    json result{{"schema", "dca-dialect-difference"}, {"schema_version", 1}, {"cases", json::array()}};
    for (const DialectDifference& one : cases) result["cases"].push_back(case_json(one));
    // Case ids come from files, which may hold any bytes; JSON is UTF-8.
    out << result.dump(2, ' ', false, json::error_handler_t::replace) << '\n';
}

}  // namespace dca::verify
