#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>

#include "verify/report/laws.hpp"

namespace dca::verify {
namespace {

using json = nlohmann::ordered_json;

json number(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    return value;
}

json law_json(const LawResult& law) {
    return {{"law", name(law.law)},
            {"statement", statement(law.law)},
            {"verdict", name(law.verdict)},
            {"reason", law.reason},
            {"residuals", law.residuals},
            {"worst_ratio", number(law.worst)},
            {"rms_ratio", number(law.rms)},
            {"line", law_line},
            {"worst_at", law.where},
            {"worst_residual", number(law.residual)},
            {"expected_rounding", number(law.expected)}};
}

}  // namespace

void write_json(std::ostream& out, const LawsReport& report) {
    json result{{"schema", "dca-laws"},
                {"schema_version", 1},
                {"file", report.file},
                {"inputs", report.inputs},
                {"verdict", name(report.verdict)},
                {"exit_status", exit_status(report.verdict)},
                {"cases", json::array()},
                {"notes", report.notes}};
    for (const LawsCase& one : report.cases) {
        json laws = json::array();
        for (const LawResult& law : one.laws) laws.push_back(law_json(law));
        result["cases"].push_back({{"id", one.id},
                                   {"verdict", name(one.verdict)},
                                   {"reason", one.reason},
                                   {"dtype", one.dtype},
                                   {"dialect", one.dialect},
                                   {"laws", laws},
                                   {"cannot_see", one.cannot_see}});
    }
    // File names may be any bytes; JSON is UTF-8.
    out << result.dump(2, ' ', false, json::error_handler_t::replace) << '\n';
}

}  // namespace dca::verify
