#include "verify/measure_report/claims_page.hpp"

#include <algorithm>
#include <ostream>

#include "reference/spec/error.hpp"
#include "verify/measure_report/tables.hpp"
#include "verify/report/printable.hpp"

namespace dca::measure {
namespace {

/// Text of a table cell: nothing in it may act as markup.
std::string plain(const std::string& text) {
    std::string result;
    for (const char c : verify::printable(text)) {
        if (std::string_view("\\`*_{}[]<>#|~").find(c) != std::string_view::npos) result += '\\';
        result += c;
    }
    return result;
}

std::string who(const FiledClaim& filed) {
    if (!filed.source.starts_with("https://")) return plain(filed.who + " (" + filed.source + ")");
    return "[" + plain(filed.who) + "](" + verify::printable(filed.source) + ")";
}

const ClaimReport& found(const FiledClaim& filed, const std::string& candidate, const MeasureReport& report) {
    const std::string id = claim_id(filed, candidate);
    const auto at =
        std::find_if(report.claims.begin(), report.claims.end(), [&](const ClaimReport& one) { return one.id == id; });
    expects(at != report.claims.end(), "claims page: a claim that was not judged");
    return *at;
}

void write_ladders(std::ostream& out, const ClaimsFile& file) {
    for (const LadderPlan& plan : file.ladders) {
        out << "- ladder " << plain(plan.name) << ":";
        const char* separator = " n, C = ";
        for (const Size& size : plan.sizes) {
            out << separator << size_text(size.n) << ", " << size_text(size.chunk_size);
            separator = "; ";
        }
        out << "; head_dim " << plan.setting.head_dim << ", " << plan.setting.heads_q
            << (plan.setting.heads_q == 1 ? " head, " : " heads, ") << plain(plan.setting.dtype) << ", "
            << name(plan.setting.pass) << '\n';
    }
}

}  // namespace

std::string row_beginning(const FiledClaim& filed, const std::string& candidate) {
    return "| " + filed.id + " | " + plain(filed.claim.text) + " | " + plain(candidate) + " | " + who(filed) + " |";
}

void write_claims_page(std::ostream& out, const ClaimsFile& file, const MeasureReport& report) {
    out << "# Claims of the field, measured\n\nWritten by `dca measure --claims docs/claims.toml --page "
           "docs/claims.md`; "
           "docs/measure.md says how a claim is decided, docs/measuring.md how time and memory are measured. A "
           "candidate "
           "stands for the algorithm a claim is about, on a CPU in double precision; nothing here was measured on a "
           "GPU.\n\n| id | claim | candidate | who says so | measured | verdict |\n| --- | --- | --- | --- | --- | --- "
           "|\n";
    for (const FiledClaim& filed : file.claims) {
        for (const std::string& candidate : filed.candidates) {
            const ClaimVerdict& verdict = found(filed, candidate, report).verdict;
            out << row_beginning(filed, candidate) << ' '
                << plain(verdict.measured ? verdict.measured_name + ": " + estimate_text(*verdict.measured)
                                          : "not measured")
                << " | " << name(verdict.outcome) << " |\n";
        }
    }
    out << "\n## What they say, and why the verdicts are as they are\n";
    for (const FiledClaim& filed : file.claims) {
        out << "\n### " << filed.id << "\n\n\"" << plain(filed.says) << "\" (" << who(filed) << ").";
        if (!filed.note.empty()) out << ' ' << plain(filed.note);
        out << "\n\n";
        for (const std::string& candidate : filed.candidates) {
            const ClaimReport& one = found(filed, candidate, report);
            out << "- " << plain(candidate) << ": " << name(one.verdict.outcome) << ": "
                << plain(reason_text(one.verdict)) << '\n';
        }
    }
    out << "\n## How\n\n- machine: " << plain(report.machine) << '\n';
    write_ladders(out, file);
    for (const std::string& line : remarks(report)) out << "- " << plain(line) << '\n';
}

}  // namespace dca::measure
