#include "verify/run/run_compare.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "golden/regenerate.hpp"
#include "golden/store.hpp"
#include "verify/candidate/candidate_file.hpp"
#include "verify/compare/chunk_summary_compare.hpp"
#include "verify/compare/compare.hpp"
#include "verify/diagnose/diagnose.hpp"
#include "verify/diagnose/fingerprint.hpp"
#include "verify/run/compare_in_pieces.hpp"
#include "verify/run/look_closer.hpp"
#include "verify/run/results.hpp"

namespace dca::verify {
namespace {

golden::ChunkSummaryResults wanted(golden::ChunkSummaryResults results, const std::vector<std::string>& tensors) {
    const auto keep = [&](const std::string& tensor) {
        return tensors.empty() || std::find(tensors.begin(), tensors.end(), tensor) != tensors.end();
    };
    if (!keep("out")) results.out.clear();
    for (const chunk_summary::TensorId id : chunk_summary::all_tensors) {
        if (!keep(gradient_name(id))) results.gradients[id].clear();
    }
    return results;
}

bool matches(const std::string& pattern, const std::string& id) {
    return fnmatch(pattern.c_str(), id.c_str(), 0) == 0;
}

/// The text as one word of a shell command, quoted where it must be. Control characters, which no report prints, are
/// written as escapes inside $'...' (POSIX 2024; bash, zsh and ksh before it).
std::string shell_word(const std::string& text) {
    const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    if (std::any_of(text.begin(), text.end(), is_control)) {
        std::string word = "$'";
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            const auto digit = [&](unsigned shift) { return static_cast<char>('0' + (byte >> shift & 7U)); };
            if (is_control(byte)) {
                word += {'\\', digit(6), digit(3), digit(0)};
            } else {
                word += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
            }
        }
        return word + "'";
    }
    const auto harmless = [](unsigned char c) {
        return std::isalnum(c) != 0 ||
               std::string_view("/._-+=:,@%").find(static_cast<char>(c)) != std::string_view::npos;
    };
    if (!text.empty() && std::all_of(text.begin(), text.end(), harmless)) return text;
    std::string word = "'";
    for (char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return word + "'";
}

class Comparison {
public:
    Comparison(const std::filesystem::path& golden, const std::filesystem::path& candidate,
               const CompareOptions& options)
        : options_(options), golden_(golden), candidate_(open_candidate(candidate)) {
        report_.golden = golden.string();
        report_.candidate = candidate.string();
    }

    [[nodiscard]] RunReport run() {
        const std::vector<std::string> ids = asked_for();
        const std::vector<std::string> offered = candidate_->case_ids();
        const bool bare = offered.size() == 1 && offered.front().empty();
        if (bare && ids.size() > 1) {
            throw FormatError(report_.candidate + ": its tensors name no case, but " + std::to_string(ids.size()) +
                              " are to be compared; name them <case>/<tensor> or choose one case with --case");
        }
        note_unknown(offered);
        for (std::size_t i = 0; i < ids.size(); ++i) {
            if (options_.progress) options_.progress(i, ids.size());
            const bool present = bare || std::find(offered.begin(), offered.end(), ids[i]) != offered.end();
            report_.cases.push_back(present ? compare(ids[i]) : absent(ids[i]));
            report_.cases.back().repro =
                "dca compare " + shell_word(report_.golden) + " " + shell_word(report_.candidate) + " --case " + ids[i];
        }
        conclude(ids.size());
        return std::move(report_);
    }

private:
    /// Cases of the golden that a pattern matches. A pattern that matches none was asked for and not verified.
    std::vector<std::string> asked_for() {
        const std::vector<std::string>& all = golden_.case_ids();
        if (options_.cases.empty()) return all;
        std::vector<std::string> ids;
        for (const std::string& id : all) {
            if (std::any_of(options_.cases.begin(), options_.cases.end(),
                            [&](const std::string& pattern) { return matches(pattern, id); })) {
                ids.push_back(id);
            }
        }
        for (const std::string& pattern : options_.cases) {
            if (std::any_of(all.begin(), all.end(), [&](const std::string& id) { return matches(pattern, id); }))
                continue;
            report_.notes.push_back("no case of the golden matches '" + pattern + "'");
            unmatched_ = true;
        }
        return ids;
    }

    void note_unknown(const std::vector<std::string>& offered) {
        const std::vector<std::string>& known = golden_.case_ids();
        for (const std::string& id : offered) {
            if (id.empty() || std::find(known.begin(), known.end(), id) != known.end()) continue;
            report_.notes.push_back("case " + id + " of the candidate is not in the golden, so nobody judged it");
        }
    }

    CaseReport compare(const std::string& id) {
        golden::CaseData head = golden_.read_head(id);
        if (head.chunk_summary) return compare_summary(std::move(head));
        CaseReport report;
        try {
            report = compare_in_pieces(golden_, head, *candidate_, options_.tensors);
        } catch (const FormatError& error) {
            // Every complaint begins with its file's name. That of the golden ends the run: it is no candidate's fault.
            if (std::string_view(error.what()).starts_with(report_.golden + ":")) throw;
            return broken(head, error);
        }
        require_asked_for(report);
        if (options_.explain) explain_case(head, report);
        return report;
    }

    /// Only where the pass over the values leaves something to say the case is read whole, if it is not too large.
    void explain_case(const golden::CaseData& head, CaseReport& report) {
        const bool failure = report.verdict == Verdict::failed && !head.problem.sparse_prefill();
        const auto usual = usual_fingerprints(head.problem, report);
        if (usual) report.fingerprints = *usual;
        if (usual && !failure) return;
        const std::optional<golden::CaseData> golden = whole_case(head);
        if (!golden) {
            if (failure) unexplained_.push_back(head.id);
            return;
        }
        const golden::Results got = verify::wanted(candidate_->read(*golden), options_.tensors);
        const Diagnosis diagnosis = look_closer(*golden, got, report, options_.explain_work - work_);
        work_ += diagnosis.work;
        if (!diagnosis.not_tried.empty()) partly_explained_.push_back(head.id);
    }

    /// With inputs and results; nothing where it is too large or the golden does not expect everything.
    [[nodiscard]] std::optional<golden::CaseData> whole_case(const golden::CaseData& head) const {
        if (!head.sample_rows.empty() || !can_be_in_memory(head) || !golden::inputs_fit(head)) return std::nullopt;
        golden::CaseData golden = golden_.read(head.id);
        const golden::Results& results = golden.results;
        const bool whole =
            results.out && results.lse &&
            (!golden.regenerates || !golden.regenerates->recipe.gradient || (results.dq && results.dk && results.dv));
        if (golden.regenerates && !whole) return std::nullopt;
        golden::load_inputs(golden);
        return golden;
    }

    /// Whether inputs, expected values, scales and the candidate's values, each as large as the problem says, may be
    /// held at once.
    [[nodiscard]] bool can_be_in_memory(const golden::CaseData& head) const {
        const Shape& shape = head.problem.shape;
        const std::int64_t once = element_count(q_extents(shape)) + element_count(k_extents(shape)) +
                                  element_count(v_extents(shape)) + element_count(out_extents(shape));
        return once <= options_.explain_elements;
    }

    /// A chunk-summary case: the same judge, and no known mistakes to look for.
    CaseReport compare_summary(golden::CaseData golden) {
        try {
            const golden::ChunkSummaryResults got = wanted(candidate_->read_chunk_summary(golden), options_.tensors);
            golden.chunk_summary->results = wanted(std::move(golden.chunk_summary->results), options_.tensors);
            CaseReport report = compare_chunk_summary(golden, got);
            require_asked_for(report);
            return report;
        } catch (const FormatError& error) {
            return broken(golden, error);
        }
    }

    static CaseReport broken(const golden::CaseData& golden, const FormatError& error) {
        CaseReport report;
        report.id = golden.id;
        report.dtype = name(golden.problem.dtype);
        report.verdict = Verdict::errored;
        report.reason = error.what();
        return report;
    }

    /// A tensor asked for by name and not there has not been verified.
    void require_asked_for(CaseReport& report) const {
        if (options_.tensors.empty() || report.not_in_candidate.empty()) return;
        report.verdict = join(report.verdict, Verdict::skipped);
        if (report.reason.empty()) report.reason = "the candidate has no " + report.not_in_candidate.front();
    }

    static CaseReport absent(const std::string& id) {
        CaseReport report;
        report.id = id;
        report.verdict = Verdict::skipped;
        report.reason = "the candidate has no tensor of this case";
        return report;
    }

    void conclude(std::size_t asked) {
        if (!partly_explained_.empty()) {
            const std::size_t more = partly_explained_.size() - 1;
            report_.notes.push_back("not every known mistake was tried on case " + partly_explained_.front() +
                                    (more > 0 ? " and " + std::to_string(more) + " more" : std::string()) +
                                    ", it would take too long; smaller or fewer cases are explained fully");
        }
        if (!unexplained_.empty()) {
            const std::size_t more = unexplained_.size() - 1;
            report_.notes.push_back("no known mistake was tried on case " + unexplained_.front() +
                                    (more > 0 ? " and " + std::to_string(more) + " more" : std::string()) +
                                    ": it is too large, or the golden does not hold every expected value");
        }
        report_.verdict = asked == 0 || unmatched_ ? Verdict::skipped : Verdict::listed;
        for (const CaseReport& one : report_.cases) report_.verdict = join(report_.verdict, one.verdict);
    }

    const CompareOptions& options_;
    golden::FileReader golden_;
    std::unique_ptr<CandidateFile> candidate_;
    RunReport report_;
    bool unmatched_ = false;
    double work_ = 0;  // spent on explanations
    std::vector<std::string> partly_explained_, unexplained_;
};

}  // namespace

RunReport run_compare(const std::filesystem::path& golden, const std::filesystem::path& candidate,
                      const CompareOptions& options) {
    return Comparison(golden, candidate, options).run();
}

}  // namespace dca::verify
