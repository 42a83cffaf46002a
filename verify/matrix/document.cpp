#include "verify/matrix/document.hpp"

#include <algorithm>
#include <cmath>
#include <ostream>

#include "verify/matrix/limits.hpp"
#include "verify/matrix/text.hpp"

namespace dca::matrix {
namespace {

std::string code(std::string_view text) {
    return "`" + std::string(text) + "`";
}

/// Broken at spaces to lines of at most 120 characters.
void write_paragraph(std::ostream& out, std::string_view text) {
    std::string line;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        const std::string_view word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!line.empty() && line.size() + 1 + word.size() > 120) {
            out << line << '\n';
            line.clear();
        }
        line += (line.empty() ? "" : " ") + std::string(word);
    }
    out << line << '\n';
}

const Tally& tally_of(const std::vector<Tally>& tallies, const mutants::Mutant& mutant, Dtype dtype) {
    return *std::ranges::find_if(tallies,
                                 [&](const Tally& one) { return one.mutant == &mutant && one.dtype == dtype; });
}

std::string best_text(const Tally& tally) {
    if (tally.applies == 0) return "no case";
    const std::string count = std::to_string(tally.kills) + "/" + std::to_string(tally.applies);
    if (tally.kills == 0) return "**missed** (" + margin_text(tally.margin) + ")";
    return margin_text(tally.margin) + " " + code(tally.best->case_id) + ", " + count;
}

void write_family(std::ostream& out, const Matrix& matrix, const std::vector<Tally>& tallies, mutants::Family family) {
    const bool any = std::ranges::any_of(matrix.mutants, [&](const auto* mutant) { return mutant->family == family; });
    if (!any) return;
    out << "\n### " << mutants::name(family) << "\n\n| mutant | what it is | hazard | seen in |";
    for (Dtype dtype : document_dtypes()) out << ' ' << name(dtype) << " |";
    out << "\n|---|---|---|---|";
    for (std::size_t n = 0; n < document_dtypes().size(); ++n) out << "---|";
    out << '\n';
    for (const mutants::Mutant* mutant : matrix.mutants) {
        if (mutant->family != family) continue;
        out << "| " << code(mutant->id) << " | " << mutant->title;
        if (!mutant->also.empty()) out << " (in exact arithmetic the same as " << code(mutant->also) << ')';
        out << " | " << mutant->hazard << " | " << mutant->public_example << " |";
        for (Dtype dtype : document_dtypes()) out << ' ' << best_text(tally_of(tallies, *mutant, dtype)) << " |";
        out << '\n';
    }
}

/// One character: '-' does not apply, '.' missed, '1' up to 10 times over the line, '2' up to 100, ... '9', '*'
/// infinite.
char mark(const Cell& cell) {
    if (!cell.applies) return '-';
    if (!cell.killed) return '.';
    if (std::isinf(cell.margin)) return '*';
    const std::string text = margin_text(cell.margin);  // the same two digits as everywhere decide
    const int decades = static_cast<int>(std::floor(std::log10(std::stod(text)) + 1e-9));
    return static_cast<char>('1' + std::clamp(decades, 0, 8));
}

void write_block(std::ostream& out, const Matrix& matrix, Dtype dtype) {
    std::size_t width = 0;
    for (const mutants::Mutant* mutant : matrix.mutants) width = std::max(width, mutant->id.size());
    std::vector<const Column*> columns;
    for (const Column& column : matrix.columns) {
        if (column.dtype == dtype) columns.push_back(&column);
    }
    out << "\n### " << name(dtype) << "\n\n```\n";
    for (int line = 0; line < 2; ++line) {
        out << std::string(width + 1, ' ');
        for (std::size_t n = 1; n <= columns.size(); ++n)
            out << static_cast<char>(line == 0 ? (n % 10 == 0 ? '0' + n / 10 % 10 : ' ') : '0' + n % 10);
        out << '\n';
    }
    for (std::size_t m = 0; m < matrix.mutants.size(); ++m) {
        const std::string id(matrix.mutants[m]->id);
        out << id << std::string(width + 1 - id.size(), ' ');
        for (const Column* column : columns) out << mark(column->cells[m]);
        out << '\n';
    }
    out << "```\n";
}

void write_cases(std::ostream& out, const Matrix& matrix) {
    std::size_t number = 0;
    for (const Column& column : matrix.columns) {
        if (column.dtype != document_dtypes().front()) continue;
        ++number;
        out << (number == 1 ? "" : number % 6 == 1 ? ",\n" : ", ") << number << ' ' << code(column.case_id);
    }
    out << ".\n";
}

}  // namespace

std::vector<Dtype> document_dtypes() {
    return {Dtype::f32, Dtype::f16, Dtype::bf16};
}

void write_bug_catalogue(std::ostream& out, const Matrix& matrix) {
    const std::vector<Tally> tallies = tally(matrix);
    std::size_t cases = 0;
    for (const Column& column : matrix.columns) cases += column.dtype == document_dtypes().front() ? 1U : 0U;
    out << "# The bug catalogue\n\nWritten by `dca document bug-catalogue`; a test compares it with what the program "
           "computes.\n\n";
    write_paragraph(
        out,
        std::to_string(matrix.mutants.size()) +
            " wrong Dual Chunk Attentions. Each is the honest peer (verify/peer) with one thing changed, works in the "
            "types of the case, and is judged like any candidate. A mutant is *killed* by a case where the verdict is "
            "failed. The *margin* is how many times over its line (docs/error_model.md) the worst rule is; `inf` "
            "where a NaN or an infinity stands where none belongs. A mutant is run in every case where it can make a "
            "difference; an unmutated twin, in one pass and with the modes run apart, passes every case.");
    out << '\n';
    write_paragraph(
        out,
        "What is missed, and why, is in docs/limits.md. Hazards are those of docs/hazards.md. To see one mutant "
        "in every case: `dca mutants --suite ci --mutant detached-merge -v`.");
    out << "\n## Mutants\n\n";
    write_paragraph(out,
                    "For each dtype: the largest margin and its case, then in how many of the cases where the mistake "
                    "can be made it is killed. The " +
                        std::to_string(cases) + " valid cases of suite ci are run in each dtype.");
    for (mutants::Family family : mutants::all_families) write_family(out, matrix, tallies, family);
    out << "\n## The whole matrix\n\nOne character for each mutant and case: `-` the mistake cannot be made, `.` "
           "missed, "
           "`1` killed by a margin of up to 10, `2` up to 100,\n... `9` above 10^8, `*` infinite. The cases, in the "
           "order "
           "of the columns:\n\n";
    write_cases(out, matrix);
    for (Dtype dtype : document_dtypes()) write_block(out, matrix, dtype);
    out << "\n## Honest kernels\n\nThe largest margin of a kernel without a mistake; above 1 would be a false "
           "alarm.\n\n"
           "| style |";
    for (Dtype dtype : document_dtypes()) out << ' ' << name(dtype) << " |";
    out << "\n|---|";
    for (std::size_t n = 0; n < document_dtypes().size(); ++n) out << "---|";
    out << '\n';
    for (std::size_t s = 0; s < honest_styles().size(); ++s) {
        out << "| " << honest_styles()[s].name << " |";
        for (Dtype dtype : document_dtypes()) {
            const Column* worst = nullptr;
            for (const Column& column : matrix.columns) {
                if (column.dtype != dtype) continue;
                if (worst == nullptr || column.honest[s].margin > worst->honest[s].margin) worst = &column;
            }
            out << ' ' << margin_text(worst->honest[s].margin) << ' ' << code(worst->case_id) << " |";
        }
        out << '\n';
    }
}

void write_limits(std::ostream& out, const Matrix& matrix) {
    const std::vector<Tally> tallies = tally(matrix);
    out << "# What the suites cannot show\n\nWritten by `dca document limits`; a test holds the list against the kill "
           "matrix: neither more nor fewer.\n\nOf the mutants of docs/bug_catalogue.md, these are missed by every case "
           "of "
           "suite ci in the dtypes named.\n";
    for (const Limit& limit : limits()) {
        const mutants::Mutant& mutant = *mutants::find(limit.mutant);
        out << "\n## " << code(limit.mutant) << " in";
        for (std::size_t n = 0; n < limit.dtypes.size(); ++n)
            out << (n == 0 ? " " : n + 1 == limit.dtypes.size() ? " and " : ", ") << name(limit.dtypes[n]);
        out << "\n\n";
        write_paragraph(out, "The mistake: " + std::string(mutant.title) + ". " + std::string(limit.reason));
        out << "\nLargest margin of suite ci:";
        for (Dtype dtype : limit.dtypes) {
            const Tally& best = tally_of(tallies, mutant, dtype);
            out << (dtype == limit.dtypes.front() ? " " : ", ") << margin_text(best.margin) << " in " << name(dtype)
                << " (" << code(best.best->case_id) << ")";
        }
        out << ".\n";
    }
    out << "\n# Caught, but not called by its name\n";
    for (const Limit& limit : naming_limits()) {
        out << "\n## " << code(limit.mutant) << " in " << name(limit.dtypes.front()) << "\n\n";
        write_paragraph(out, limit.reason);
    }
}

void write_kills(std::ostream& out, const Matrix& matrix) {
    out << "R\"(case";
    for (const mutants::Mutant* mutant : matrix.mutants) out << ' ' << mutant->id;
    out << '\n';
    for (const Column& column : matrix.columns) {
        out << column.case_id;
        for (const Cell& cell : column.cells) out << ' ' << (cell.killed ? margin_text(cell.margin) : "-");
        out << '\n';
    }
    out << ")\"\n";
}

}  // namespace dca::matrix
