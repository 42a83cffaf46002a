#include "verify/laws/run_laws.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <memory>

#include "golden/store.hpp"
#include "verify/candidate/candidate_file.hpp"
#include "verify/laws/check_laws.hpp"

namespace dca::verify {
namespace {

bool matches(const std::string& pattern, const std::string& id) {
    return fnmatch(pattern.c_str(), id.c_str(), 0) == 0;
}

bool matches_any(const std::vector<std::string>& patterns, const std::string& id) {
    return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& one) { return matches(one, id); });
}

LawsCase broken(const golden::CaseData& data, const FormatError& error) {
    LawsCase report;
    report.id = data.id;
    report.dtype = dca::name(data.problem.dtype);
    report.dialect = data.problem.dialect;
    report.verdict = Verdict::errored;
    report.reason = error.what();
    return report;
}

/// The cases of the file that holds the inputs, with the outputs of the candidate where that is another one.
class Cases {
public:
    Cases(const std::filesystem::path& file, const LawsOptions& options)
        : inputs_(options.inputs.value_or(file)), candidate_(options.inputs ? open_candidate(file) : nullptr) {
        if (candidate_) offered_ = candidate_->case_ids();
    }

    [[nodiscard]] const std::vector<std::string>& ids() const { return inputs_.case_ids(); }
    [[nodiscard]] const std::vector<std::string>& offered() const { return offered_; }
    [[nodiscard]] bool bare() const { return offered_.size() == 1 && offered_.front().empty(); }
    [[nodiscard]] bool present(const std::string& id) const {
        return !candidate_ || bare() || std::find(offered_.begin(), offered_.end(), id) != offered_.end();
    }
    [[nodiscard]] LawsCase check(const std::string& id) const {
        golden::CaseData data = inputs_.read(id);
        if (candidate_ && !data.chunk_summary) {
            try {
                data.results = candidate_->read(data);
            } catch (const FormatError& error) {
                return broken(data, error);
            }
        }
        return check_laws(data);
    }

private:
    golden::FileReader inputs_;
    std::unique_ptr<CandidateFile> candidate_;
    std::vector<std::string> offered_;
};

LawsCase absent(const std::string& id) {
    LawsCase report;
    report.id = id;
    report.verdict = Verdict::skipped;
    report.reason = "the file has no tensor of this case";
    return report;
}

}  // namespace

LawsReport run_laws(const std::filesystem::path& file, const LawsOptions& options) {
    LawsReport report;
    report.file = file.string();
    if (options.inputs) report.inputs = options.inputs->string();
    const Cases cases(file, options);
    std::vector<std::string> ids;
    for (const std::string& id : cases.ids()) {
        if (options.cases.empty() || matches_any(options.cases, id)) ids.push_back(id);
    }
    bool unmatched = ids.empty();
    for (const std::string& pattern : options.cases) {
        if (std::any_of(ids.begin(), ids.end(), [&](const std::string& id) { return matches(pattern, id); })) continue;
        report.notes.push_back("no case matches '" + pattern + "'");
        unmatched = true;
    }
    if (cases.bare() && ids.size() > 1) {
        throw FormatError(report.file + ": its tensors name no case, but the inputs have " +
                          std::to_string(ids.size()) + "; choose one with --case");
    }
    for (const std::string& id : cases.offered()) {
        if (id.empty() || std::find(cases.ids().begin(), cases.ids().end(), id) != cases.ids().end()) continue;
        report.notes.push_back("case " + id + " has no inputs in " + report.inputs + ", so nobody checked it");
    }
    report.verdict = unmatched ? Verdict::skipped : Verdict::listed;
    for (std::size_t n = 0; n < ids.size(); ++n) {
        if (options.progress) options.progress(n, ids.size());
        report.cases.push_back(cases.present(ids[n]) ? cases.check(ids[n]) : absent(ids[n]));
        report.verdict = join(report.verdict, report.cases.back().verdict);
    }
    return report;
}

}  // namespace dca::verify
