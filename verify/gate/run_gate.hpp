// The line from cases to a verdict: make inputs, run the candidate, compute what is expected, compare, explain, join.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "golden/case_spec.hpp"
#include "verify/candidate/candidate.hpp"
#include "verify/diagnose/diagnose.hpp"
#include "verify/gate/case_runner.hpp"
#include "verify/gate/waivers.hpp"
#include "verify/run/result.hpp"

namespace dca::verify {

struct GateOptions {
    std::vector<golden::CaseSpec> cases;  ///< in the order in which they run: golden::suite("ci"), or chosen ones
    std::string source = "cases given";   ///< what the report calls them, e.g. "suite ci"
    bool fail_fast = false;               ///< stop after the first case that failed or broke
    /// What the candidate does not support is not asked for; otherwise it is skipped, and the run not verified.
    bool supported_only = false;
    std::vector<std::string> tensors;  ///< subset of out lse dq dk dv that is judged and must be there; empty: all
    std::vector<Waiver> waivers;
    std::optional<Date> day;  ///< on which waivers are held; unset: today
    /// No case was left out of what the waivers speak of, so that one that meets no case is told.
    bool whole = true;
    std::vector<std::string> unmatched;  ///< what was asked for and is not among the cases: not verified
    bool explain = true;
    double explain_work = explain_budget;  ///< multiply-adds all explanations together may take, roughly
    /// Called before each case, and with done == total at the end. May throw to stop.
    std::function<void(const std::string& case_id, std::size_t done, std::size_t total)> progress;
    /// The command that shows one case again; unset: `dca gate --candidate NAME --case-text '...'`.
    std::function<std::string(const golden::CaseSpec&)> repro;
    std::vector<std::string> notes;  ///< come first in the report's
};

/// Judges the candidate on every case. The expected values of a case are computed after the candidate has run, so that
/// they are nowhere in memory while it does. Cases that must be rejected are refused here by validate() and not shown
/// to the candidate: they are no evidence about it, and a run of nothing else is not verified. A candidate that throws,
/// returns wrong shapes or nothing or changes its inputs gives that case's errored verdict. Throws ContractError where
/// a case that must be rejected is accepted, InvalidProblem where a valid one is not or two share an id, Unsupported
/// for sampled cases.
[[nodiscard]] RunReport run_gate(const GateOptions& options, Candidate& candidate);
[[nodiscard]] RunReport run_gate(const GateOptions& options, CaseRunner& runner);

}  // namespace dca::verify
