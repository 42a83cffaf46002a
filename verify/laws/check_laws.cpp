#include "verify/laws/check_laws.hpp"

#include <utility>

#include "verify/laws/laws_of_case.hpp"
#include "verify/laws/tally.hpp"

namespace dca::verify {
namespace {

/// What a law needs, and how it is checked.
struct Rule {
    Law law;
    std::vector<std::string_view> needs;
    LawResult (*check)(const LawInputs&);
};

const std::vector<Rule>& rules() {
    static const std::vector<Rule> all{
        {Law::nothing_seen, {}, check_nothing_seen},
        {Law::range, {"out"}, check_range},
        {Law::lse_bounds, {"lse"}, check_lse_bounds},
        {Law::sum_dv, {"dout", "dv"}, check_sum_dv},
        {Law::dout_out, {"dout", "out", "dv"}, check_dout_out},
        {Law::q_dq, {"dout", "dq", "dk"}, check_q_dq},
        {Law::key_shift, {"dout", "dk"}, check_key_shift},
        {Law::linear_in_v, {}, check_linear_in_v},
    };
    return all;
}

bool present(const golden::CaseData& data, std::string_view tensor) {
    if (tensor == "out") return data.results.out.has_value();
    if (tensor == "lse") return data.results.lse.has_value();
    if (tensor == "dq") return data.results.dq.has_value();
    if (tensor == "dk") return data.results.dk.has_value();
    if (tensor == "dv") return data.results.dv.has_value();
    return data.inputs.dout.has_value();
}

std::string missing(const golden::CaseData& data, const Rule& rule) {
    std::string names;
    for (std::string_view tensor : rule.needs) {
        if (!present(data, tensor)) names += (names.empty() ? "" : ", ") + std::string(tensor);
    }
    return names.empty() ? "" : "the file has no " + names;
}

/// Why a law does not hold for the dialect; empty where it does.
std::string refused(const Problem& problem, Law law) {
    // Sparse prefill attends to a selection of the keys, different in every row, and has no gradients.
    if (problem.sparse_prefill() && law != Law::range) {
        return "sparse prefill attends to a selection of the keys that only the dot products tell";
    }
    const Dialect& dialect = reference::dialect_of(problem);
    if (law == Law::lse_bounds && dialect.temperature.place == TemperaturePlace::undocumented) {
        return "no source tells how dialect " + problem.dialect + " scales its logits";
    }
    return "";
}

std::vector<std::string> blind_spots(const LawsCase& report) {
    const auto checked = [&](Law law) {
        for (const LawResult& result : report.laws) {
            if (result.law == law) return result.verdict != Verdict::skipped;
        }
        return false;
    };
    std::vector<std::string> unseen{
        "a wrong mask, position, rotation or mode, used alike in the forward and the backward pass",
        "a wrong softmax_scale, used alike in both", "gradients of detached merge weights (H34), which keep every law",
        "out of a wrong weighting, as long as dv has the same weights"};
    if (!checked(Law::key_shift))
        unseen.emplace_back("D = <dout, out> off by a few percent (seen where dims are not rotated)");
    if (!checked(Law::q_dq)) unseen.emplace_back("any mistake in dq and dk");
    if (!checked(Law::sum_dv) && !checked(Law::dout_out)) unseen.emplace_back("any mistake in dv");
    if (!checked(Law::dout_out)) unseen.emplace_back("any out that stays within the range of v");
    unseen.emplace_back("errors within the rounding of one whole group, spread over many elements");
    return unseen;
}

}  // namespace

std::string_view name(Law law) {
    switch (law) {
        case Law::nothing_seen: return "nothing-seen";
        case Law::range: return "range-of-v";
        case Law::lse_bounds: return "lse-bounds";
        case Law::sum_dv: return "sum-dv";
        case Law::dout_out: return "dout-out";
        case Law::q_dq: return "q-dq";
        case Law::key_shift: return "key-shift";
        case Law::linear_in_v: return "linear-in-v";
    }
    return "?";
}

std::string_view statement(Law law) {
    switch (law) {
        case Law::nothing_seen: return "no key, no output: out 0, lse -inf, dq 0; unseen keys have dk 0, dv 0";
        case Law::range: return "min v <= out <= max v over the visible keys";
        case Law::lse_bounds: return "|lse - ln n| <= |softmax_scale| |q| max |k|";
        case Law::sum_dv: return "sum of dv over keys = sum of dout over queries";
        case Law::dout_out: return "<dout, out> = <dv, v> in every channel";
        case Law::q_dq: return "<q, dq> = <k, dk> in every rotary pair";
        case Law::key_shift: return "sum of dk over keys = 0 on dims without rotation";
        case Law::linear_in_v: return "v[2] = v[0] + v[1] carries over to out, dq, dk";
    }
    return "?";
}

LawsCase check_laws(const golden::CaseData& data) {
    LawsCase report;
    report.id = data.id;
    report.dtype = dca::name(data.problem.dtype);
    report.dialect = data.problem.dialect;
    report.verdict = Verdict::skipped;
    if (data.chunk_summary) {
        report.dialect = "chunk_summary";
        report.reason = "chunk-summary attention is another algorithm; its laws are not known here";
        return report;
    }
    const std::vector<Group> groups = groups_of(data.problem, data.inputs);
    const LawInputs in{data.problem, data.inputs, data.results, groups};
    for (const Rule& rule : rules()) {
        std::string reason = refused(data.problem, rule.law);
        if (reason.empty()) reason = missing(data, rule);
        report.laws.push_back(reason.empty() ? rule.check(in) : not_checked(rule.law, std::move(reason)));
        const Verdict verdict = report.laws.back().verdict;
        if (verdict == Verdict::failed) report.verdict = Verdict::failed;
        if (verdict == Verdict::passed && report.verdict == Verdict::skipped) report.verdict = Verdict::passed;
    }
    if (report.verdict == Verdict::skipped) report.reason = "no law could be checked";
    report.cannot_see = blind_spots(report);
    return report;
}

}  // namespace dca::verify
