#include "verify/hazards/explain.hpp"

#include <algorithm>
#include <ostream>

#include "verify/hazards/show.hpp"

namespace dca::hazards {
namespace {

constexpr std::size_t width = 100;

/// Breaks at spaces; continued lines are indented like the first.
void write_wrapped(std::ostream& out, std::string_view text, const std::string& indent) {
    while (text.size() > width) {
        std::size_t end = text.rfind(' ', width);
        if (end == std::string_view::npos) end = width;
        out << indent << text.substr(0, end) << '\n';
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    out << indent << text << '\n';
}

}  // namespace

bool explain(std::ostream& out, const Hazard& hazard) {
    out << hazard.id << "  " << hazard.title << "  [" << title(hazard.area) << "]\n\naffected\n";
    write_wrapped(out, affected(hazard), "  ");
    out << "what happens\n";
    write_wrapped(out, hazard.consequence, "  ");
    if (!hazard.minimal_case.empty()) out << "minimal case\n  " << hazard.minimal_case << '\n';
    if (!hazard.demonstration.not_shown.empty()) {
        out << "not shown\n";
        write_wrapped(out, hazard.demonstration.not_shown, "  ");
    }
    const std::vector<std::string> lines = commands(hazard);
    if (!lines.empty()) out << "see it with\n";
    for (const std::string& line : lines) out << "  " << line << '\n';

    const Shown shown = show(hazard);
    if (shown.figures.empty()) return true;
    out << "measured now\n";
    for (const ShownFigure& one : shown.figures) {
        write_wrapped(out, std::string(one.figure->what) + ":", "  ");
        out << "    " << one.measured.text() << "   (stated: " << text(one.figure->stated) << ')'
            << (one.holds ? "" : "   DIFFERS from what is stated") << '\n';
    }
    return shown.holds();
}

}  // namespace dca::hazards
