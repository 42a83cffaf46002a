// The page of hazards.
#include <cctype>
#include <ostream>

#include "verify/hazards/document.hpp"
#include "verify/hazards/show.hpp"

namespace dca::hazards {
namespace {

constexpr std::string_view introduction =
    "What is known to go wrong in public Dual Chunk Attention code, in the paper and in what is written about them. "
    "Each hazard has a number that refusals, reports and tests cite. The dialects are those of "
    "[dialects.md](dialects.md). Cases are case texts as `dca generate --case` takes them; in them C is chunk_size "
    "and w is local_size, and L = C - w is the stride of the chunks. The figures under a hazard are stated here and "
    "measured by `dca explain` and by a test; a difference of two outputs is the L2 norm of the difference over the "
    "norm of the second. Where nothing is measured, the page says why, and the hazard rests on reading the code.";

std::string heading(const Hazard& hazard) {
    return std::string(hazard.id) + ". " + std::string(hazard.title);
}

/// The anchor that Markdown viewers derive from a heading.
std::string anchor(const std::string& heading_text) {
    std::string out;
    for (const char c : heading_text) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) out += static_cast<char>(std::tolower(c));
        if (c == '_') out += c;
        if (c == ' ' || c == '-') out += '-';
    }
    return out;
}

void write_contents(std::ostream& out) {
    for (const Area area : all_areas) {
        out << "* " << title(area) << '\n';
        for (const Hazard& hazard : hazards()) {
            if (hazard.area != area) continue;
            out << "  * [" << hazard.id << "](#" << anchor(heading(hazard)) << ") " << hazard.title << '\n';
        }
    }
}

std::string affected_text(const Hazard& hazard) {
    std::string out;
    for (const std::string_view dialect : hazard.dialects) out += (out.empty() ? "" : ", ") + code(dialect);
    if (!hazard.others.empty()) out += (out.empty() ? "" : "; ") + std::string(hazard.others);
    return out;
}

void write_hazard(std::ostream& out, const Hazard& hazard) {
    out << "\n### " << heading(hazard) << "\n\n";
    write_paragraph(out, hazard.consequence);
    out << '\n';
    write_paragraph(out, "Affected: " + affected_text(hazard) + ".");
    if (!hazard.minimal_case.empty()) out << "\nMinimal case: " << code(hazard.minimal_case) << '\n';
    const std::vector<std::string> lines = commands(hazard);
    if (!lines.empty()) {
        out << "\n```sh\n";
        for (const std::string& line : lines) out << line << '\n';
        out << "```\n";
    }
    out << '\n';
    if (hazard.demonstration.figures.empty()) {
        write_paragraph(out, "Not shown: " + std::string(hazard.demonstration.not_shown) + ".");
        return;
    }
    write_header(out, {"figure (measured by `dca explain " + std::string(hazard.id) + "`)", "stated"});
    for (const Figure& figure : hazard.demonstration.figures) {
        write_row(out, {std::string(figure.what), text(figure.stated)});
    }
}

}  // namespace

void write_hazards_document(std::ostream& out) {
    out << "# Hazards\n\n<!-- Written by `dca document hazards`; change the data in verify/hazards, not this file. "
           "-->\n\n";
    write_paragraph(out, introduction);
    out << '\n';
    write_contents(out);
    for (const Area area : all_areas) {
        out << "\n## " << title(area) << '\n';
        for (const Hazard& hazard : hazards()) {
            if (hazard.area == area) write_hazard(out, hazard);
        }
    }
}

}  // namespace dca::hazards
