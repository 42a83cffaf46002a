#include "verify/gate/run_gate.hpp"

#include <algorithm>
#include <new>
#include <set>

#include "golden/case_text.hpp"
#include "golden/make_inputs.hpp"
#include "verify/compare/compare.hpp"
#include "verify/gate/check_case.hpp"
#include "verify/gate/in_process.hpp"
#include "verify/run/look_closer.hpp"
#include "verify/run/make_golden.hpp"
#include "verify/run/results.hpp"

namespace dca::verify {
namespace {

class Gate {
public:
    Gate(const GateOptions& options, CaseRunner& runner)
        : options_(options), runner_(runner), ledger_(options.waivers, runner.name(), options.day.value_or(today())) {
        report_.golden = options.source;
        report_.candidate = runner.name();
        report_.notes = options.notes;
    }

    [[nodiscard]] RunReport run() {
        const std::vector<golden::CaseSpec> cases = valid_cases();
        runner_.begin(cases);
        std::size_t done = 0;
        for (; done < cases.size() && !stopped(); ++done) {
            if (options_.progress) options_.progress(cases[done].id, done, cases.size());
            CaseReport report = judge(cases[done]);
            report.repro = repro(cases[done]);
            ledger_.apply(report);
            report_.cases.push_back(std::move(report));
        }
        if (options_.progress) options_.progress("", cases.size(), cases.size());
        conclude(cases.size() - done);
        return std::move(report_);
    }

private:
    /// All that can be wrong with the cases themselves is found before the first one runs.
    std::vector<golden::CaseSpec> valid_cases() {
        std::set<std::string> ids;
        std::vector<golden::CaseSpec> cases;
        for (const golden::CaseSpec& spec : options_.cases) {
            if (!ids.insert(spec.id).second) throw InvalidProblem("two cases are named " + spec.id);
            check_case(spec);
            if (spec.expectation == golden::Expectation::valid) cases.push_back(spec);
        }
        refused_ = options_.cases.size() - cases.size();
        return cases;
    }

    [[nodiscard]] bool stopped() const {
        if (!options_.fail_fast || report_.cases.empty()) return false;
        const int status = exit_status(report_.cases.back().verdict);
        return status == 1 || status == 2;
    }

    CaseReport judge(const golden::CaseSpec& spec) {
        golden::CaseData data;
        data.id = spec.id;
        data.problem = spec.problem;
        data.provenance["case_text"] = golden::to_text(spec);
        CaseReport report;
        report.id = spec.id;
        report.dtype = name(spec.problem.dtype);
        try {
            data.inputs = golden::make_inputs(spec);
            const Attempt attempt = runner_.attempt(spec, data);
            if (attempt.end == Attempt::End::computed) {
                report = compared(data, attempt.results);
            } else {
                report.reason = attempt.reason;
                report.verdict = verdict_of(attempt.end);
            }
            report.seconds = attempt.seconds;
        } catch (const std::bad_alloc&) {
            report.verdict = Verdict::errored;
            report.reason = "not enough memory to make the case";
        }
        return report;
    }

    CaseReport compared(golden::CaseData& data, const golden::Results& got) {
        complete(data);
        const golden::Results judged = wanted(got, options_.tensors);
        golden::Results all = data.results;
        data.results = wanted(std::move(data.results), options_.tensors);
        CaseReport report = compare_case(data, judged);
        data.results = std::move(all);  // an explanation may need tensors that were not to be judged
        if (!options_.tensors.empty() && !report.not_in_candidate.empty()) {
            report.verdict = join(report.verdict, Verdict::skipped);
            if (report.reason.empty()) report.reason = "the candidate has no " + report.not_in_candidate.front();
        }
        if (options_.explain) {
            const Diagnosis diagnosis = look_closer(data, judged, report, options_.explain_work - work_);
            work_ += diagnosis.work;
            if (!diagnosis.not_tried.empty()) partly_explained_.push_back(data.id);
        }
        return report;
    }

    [[nodiscard]] Verdict verdict_of(Attempt::End end) const {
        if (end == Attempt::End::broke) return Verdict::errored;
        return options_.supported_only ? Verdict::listed : Verdict::skipped;
    }

    [[nodiscard]] std::string repro(const golden::CaseSpec& spec) const {
        if (options_.repro) return options_.repro(spec);
        return "dca gate --candidate " + runner_.name() + " --case-text '" + golden::to_text(spec) + "'";
    }

    void conclude(std::size_t not_run) {
        const auto note = [this](const std::string& text) { report_.notes.push_back(text); };
        if (refused_ > 0) {
            note(std::to_string(refused_) +
                 (refused_ == 1 ? " case that must be rejected was" : " cases that must be rejected were") +
                 " refused by this program and not shown to the candidate");
        }
        if (not_run > 0)
            note("stopped after the first failure: " + std::to_string(not_run) +
                 (not_run == 1 ? " more case" : " more cases") + " did not run");
        if (!partly_explained_.empty()) {
            const std::size_t more = partly_explained_.size() - 1;
            note("not every known mistake was tried on case " + partly_explained_.front() +
                 (more > 0 ? " and " + std::to_string(more) + " more" : std::string()) +
                 ", it would take too long; smaller or fewer cases are explained fully");
        }
        for (const std::string& text : options_.unmatched) note(text);
        for (const std::string& text : ledger_.notes(options_.whole && not_run == 0)) note(text);
        report_.verdict = options_.unmatched.empty() ? Verdict::listed : Verdict::skipped;
        for (const CaseReport& one : report_.cases) report_.verdict = join(report_.verdict, one.verdict);
        if (report_.verdict == Verdict::listed) report_.verdict = Verdict::skipped;  // nothing was judged
    }

    const GateOptions& options_;
    CaseRunner& runner_;
    WaiverLedger ledger_;
    RunReport report_;
    std::size_t refused_ = 0;
    double work_ = 0;  // spent on explanations
    std::vector<std::string> partly_explained_;
};

}  // namespace

RunReport run_gate(const GateOptions& options, CaseRunner& runner) {
    return Gate(options, runner).run();
}

RunReport run_gate(const GateOptions& options, Candidate& candidate) {
    InProcess runner(candidate);
    return run_gate(options, runner);
}

}  // namespace dca::verify
