#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>

#include "verify/measure_report/tables.hpp"
#include "verify/measure_report/writers.hpp"

namespace dca::measure {
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

json estimate(const Estimate& of) {
    return {{"value", number(of.value)}, {"low", number(of.low)}, {"high", number(of.high)}};
}

json setting(const Setting& of) {
    return {{"batch", of.batch},       {"heads_q", of.heads_q},       {"heads_kv", of.heads_kv},
            {"head_dim", of.head_dim}, {"head_dim_v", of.head_dim_v}, {"dtype", of.dtype},
            {"pass", name(of.pass)},   {"threads", of.threads}};
}

json point(const Point& of) {
    json repeats = json::array();
    for (const Repeat& repeat : of.repeats) {
        repeats.push_back({{"round", repeat.round},
                           {"wall_seconds", repeat.wall_seconds},
                           {"cpu_seconds", repeat.cpu_seconds},
                           {"peak_bytes", optional(repeat.peak_bytes)},
                           {"gpu_seconds", optional(repeat.gpu_seconds)},
                           {"gpu_bytes", optional(repeat.gpu_bytes)},
                           {"stolen", optional(repeat.stolen)}});
    }
    return {{"n", of.n},
            {"chunk_size", of.chunk_size},
            {"local_size", of.local_size},
            {"input_bytes", of.input_bytes},
            {"output_bytes", of.output_bytes},
            {"flops", of.flops},
            {"elements", {{"intra", of.elements.intra}, {"succ", of.elements.succ}, {"inter", of.elements.inter}}},
            {"memory_source", name(of.memory_source)},
            {"resident_bytes", optional(of.resident_bytes)},
            {"settled", of.settled},
            {"disturbed", of.disturbed},
            {"failure", of.failure},
            {"repeats", repeats}};
}

json steps(const std::vector<StepFinding>& of) {
    json all = json::array();
    for (const StepFinding& step : of) all.push_back({{"kind", name(step.kind)}, {"n", step.n}, {"what", step.what}});
    return all;
}

json power(const std::optional<PowerFit>& of) {
    if (!of) return nullptr;
    return {{"offset", estimate(of->offset)}, {"factor", estimate(of->factor)}, {"exponent", estimate(of->exponent)},
            {"misfit", number(of->misfit)},   {"first_n", of->first_n},         {"last_n", of->last_n}};
}

json model(const std::optional<ModelFit>& of) {
    if (!of) return nullptr;
    json terms = json::array();
    for (const Term& term : of->terms) {
        terms.push_back(
            {{"name", term.name}, {"coefficient", estimate(term.coefficient)}, {"share", estimate(term.share)}});
    }
    return {{"name", of->name}, {"misfit", number(of->misfit)}, {"score", number(of->score)}, {"terms", terms}};
}

json fit(const FitReport& of) {
    return {
        {"ladder", of.ladder},      {"quantity", name(of.quantity)}, {"variable", of.over_chunk ? "chunk_size" : "n"},
        {"fixed", of.fixed},        {"power", power(of.power)},      {"model", model(of.model)},
        {"steps", steps(of.steps)}, {"why_not", of.why_not}};
}

json claim(const ClaimReport& of) {
    const ClaimVerdict& verdict = of.verdict;
    return {{"id", of.id},
            {"claim", verdict.claim},
            {"candidate", verdict.candidate},
            {"source", of.source},
            {"about", of.about},
            {"expected", of.expected},
            {"ladders", of.ladders},
            {"verdict", name(verdict.outcome)},
            {"measured_name", verdict.measured_name},
            {"measured", verdict.measured ? estimate(*verdict.measured) : json(nullptr)},
            {"limit", number(verdict.limit)},
            {"reason", verdict.reason},
            {"decided_by", verdict.decided_by},
            {"steps", steps(verdict.steps)}};
}

}  // namespace

void write_json(std::ostream& out, const MeasureReport& report) {
    json result{{"schema", "dca-measure"},          {"schema_version", 1},
                {"verdict", headline_word(report)}, {"exit_status", exit_status(outcome(report))},
                {"machine", report.machine},        {"command", report.command},
                {"ladders", json::array()},         {"fits", json::array()},
                {"claims", json::array()},          {"notes", report.notes}};
    for (const Ladder& ladder : report.ladders) {
        json points = json::array();
        for (const Point& one : ladder.points) points.push_back(point(one));
        result["ladders"].push_back(
            {{"candidate", ladder.candidate}, {"setting", setting(ladder.setting)}, {"points", points}});
    }
    for (const FitReport& one : report.fits) result["fits"].push_back(fit(one));
    for (const ClaimReport& one : report.claims) result["claims"].push_back(claim(one));
    // Commands and file names may be any bytes; JSON is UTF-8.
    out << result.dump(2, ' ', false, json::error_handler_t::replace) << '\n';
}

}  // namespace dca::measure
