// The report for a terminal: the verdict first, then what went wrong, then one line per case that passed.
#include <map>
#include <ostream>
#include <set>

#include "verify/report/format.hpp"
#include "verify/report/writers.hpp"

namespace dca::verify {
namespace {

/// Beyond so many cases that did not pass, a reader wants to know which they are, not all about each.
constexpr std::size_t full_paragraphs = 3;

class Text {
public:
    Text(std::ostream& out, const TextOptions& options) : out_(out), options_(options) {}

    void write(const RunReport& report) {
        out_ << painted(headline_word(report.verdict), report.verdict) << ": " << headline_text(report) << '\n'
             << "golden " << report.golden << ", candidate " << report.candidate << '\n';
        names(report);
        std::size_t full = 0;
        for (const CaseReport& one : report.cases) {
            if (!is_pass(one.verdict)) problem(one, options_.verbose || full++ < full_paragraphs);
        }
        passes(report);
        footnotes(report);
        coverage(report);
        missing(report);
        for (const std::string& note : report.notes) out_ << "note: " << note << '\n';
    }

private:
    [[nodiscard]] std::string painted(std::string_view word, Verdict verdict) const {
        if (!options_.color) return std::string(word);
        const char* color = is_pass(verdict) ? "\033[1;32m" : exit_status(verdict) == 3 ? "\033[1;33m" : "\033[1;31m";
        return color + std::string(word) + "\033[0m";
    }

    /// With several failing cases: how many look like which mistake.
    void names(const RunReport& report) {
        std::map<std::string, std::size_t> counts;
        std::size_t failing = 0;
        for (const CaseReport& one : report.cases) {
            failing += one.verdict == Verdict::failed ? 1 : 0;
            if (!one.explanations.empty()) ++counts[name_of(one.explanations.front())];
        }
        if (failing < 2) return;
        for (const auto& [mistake, count] : counts) {
            out_ << count << " of " << failing << " failing cases look like " << mistake << '\n';
        }
    }

    /// One paragraph. In full: everything about the worst tensor, a line for each other one, the likely mistake, the
    /// command. In brief: the last two.
    void problem(const CaseReport& one, bool full) {
        out_ << '\n' << painted(name(one.verdict), one.verdict) << ' ' << one.id;
        if (!one.dtype.empty()) out_ << " (" << one.dtype << ")";
        if (!one.reason.empty()) out_ << ": " << one.reason;
        const TensorReport* worst = worst_failure(one);
        if (!full) brief(one);
        out_ << '\n';
        if (full && worst) failure(*worst);
        for (const TensorReport& tensor : one.tensors) {
            if (!full || &tensor == worst) continue;
            out_ << "  " << tensor.tensor << ' ' << name(tensor.verdict) << ": "
                 << (tensor.reason.empty() ? "" : tensor.reason + "; ") << ratios(tensor) << " sigma\n";
            if (options_.verbose) regions(tensor);
        }
        if (full) where(one, worst);
        for (const Explanation& explanation : one.explanations) {
            out_ << "  " << (full ? explanation_text(explanation) : explanation_in_brief(explanation)) << '\n';
        }
        if (!one.repro.empty()) out_ << "  repeat with: " << one.repro << '\n';
    }

    /// Where the error of the worst tensor lies; verbose: of every failing one.
    void where(const CaseReport& one, const TensorReport* worst) {
        for (const Localisation& found : one.localisations) {
            if (found.findings.empty() || (!options_.verbose && (!worst || found.tensor != worst->tensor))) continue;
            out_ << "  where " << found.tensor << " is wrong: ";
            for (std::size_t n = 0; n < found.findings.size(); ++n) out_ << (n == 0 ? "" : "; ") << found.findings[n];
            out_ << '\n';
        }
        for (const Fingerprint& noise : one.fingerprints) {
            if (noise.worse_than_declared) out_ << "  " << noise.tensor << ": " << noise.text << '\n';
        }
    }

    void brief(const CaseReport& one) {
        const char* separator = one.reason.empty() ? ": " : "; ";
        for (const TensorReport& tensor : one.tensors) {
            if (tensor.verdict != Verdict::failed) continue;
            out_ << separator << tensor.tensor << ' ' << ratios(tensor);
            separator = ", ";
        }
    }

    void failure(const TensorReport& tensor) {
        const ElementReport& worst = tensor.worst;
        const auto [expected, got] = distinct_numbers(worst.expected, worst.got);
        out_ << "  " << tensor.tensor << " failed: " << tensor.reason << '\n'
             << "  worst element: " << coordinates(worst) << " (region " << name(worst.region) << "): expected "
             << expected << ", got " << got << ", error " << short_number(worst.got - worst.expected) << " = "
             << short_number(worst.ratio) << " sigma\n";
        if (tensor.worst_row) {
            const RowReport& row = *tensor.worst_row;
            out_ << "  worst row: batch " << row.batch << ", row " << row.row << ", head " << row.head << ": RMS error "
                 << short_number(row.ratio) << " sigma (passes up to " << short_number(tensor.row_line) << ")\n";
        }
        regions(tensor);
    }

    void regions(const TensorReport& tensor) {
        for (const std::string& line : align(region_table(tensor), 1)) out_ << "    " << line << '\n';
    }

    /// A table with one line per case; verbose: the regions of every tensor instead.
    void passes(const RunReport& report) {
        std::vector<std::vector<std::string>> table{{"", "case", "dtype"}};
        const std::vector<std::string> columns = tensor_columns(report);
        for (const std::string& tensor : columns) table.front().push_back(tensor);
        for (const CaseReport& one : report.cases) {
            if (!is_pass(one.verdict)) continue;
            table.push_back({std::string(name(one.verdict)), one.id, one.dtype});
            for (const std::string& tensor : columns) {
                const TensorReport* found = find_tensor(one, tensor);
                table.back().push_back(found ? ratios(*found) + (found->remark.empty() ? "" : " *") : "");
            }
        }
        if (table.size() == 1) return;
        out_ << '\n';
        for (const std::string& line : align(table, table.front().size())) out_ << line << '\n';
        if (!options_.verbose) return;
        for (const CaseReport& one : report.cases) {
            for (const TensorReport& tensor : one.tensors) {
                if (!is_pass(one.verdict)) continue;
                out_ << one.id << ' ' << tensor.tensor << '\n';
                regions(tensor);
            }
        }
    }

    /// What the numbers mean, and each remark marked with * once.
    void footnotes(const RunReport& report) {
        std::set<std::string> remarks;
        bool ratios_shown = false;
        for (const CaseReport& one : report.cases) {
            for (const TensorReport& tensor : one.tensors) {
                ratios_shown = ratios_shown || !tensor.worst.index.empty();
                if (is_pass(one.verdict) && !tensor.remark.empty()) remarks.insert(tensor.remark);
            }
        }
        if (ratios_shown) out_ << "\nNumbers are the " << legend << ".\n";
        for (const std::string& remark : remarks) out_ << "* " << remark << '\n';
        for (const CaseReport& one : report.cases) {
            for (const Fingerprint& noise : one.fingerprints) {
                if (!is_pass(one.verdict) || !noise.worse_than_declared) continue;
                out_ << "warning: " << one.id << ' ' << noise.tensor << ": " << noise.text << '\n';
            }
        }
    }

    /// A pass of a golden that expects some rows speaks of those.
    void coverage(const RunReport& report) {
        for (const CaseReport& one : report.cases) {
            if (!one.coverage.empty()) out_ << "judged of " << one.id << ": " << one.coverage << '\n';
        }
    }

    /// Tensors nobody compared because the candidate does not have them: a pass does not speak of them.
    void missing(const RunReport& report) {
        for (const std::string& tensor : tensor_columns(report)) {
            std::size_t cases = 0;
            for (const CaseReport& one : report.cases) {
                for (const std::string& absent : one.not_in_candidate) cases += absent == tensor ? 1 : 0;
            }
            if (cases > 0) {
                out_ << "not judged: " << tensor << " of " << cases << (cases == 1 ? " case" : " cases")
                     << ", which the candidate does not have\n";
            }
        }
    }

    std::ostream& out_;
    const TextOptions& options_;
};

}  // namespace

void write_text(std::ostream& out, const RunReport& report, const TextOptions& options) {
    Text(out, options).write(report);
}

}  // namespace dca::verify
