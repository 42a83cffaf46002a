#include "verify/matrix/text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <ostream>

#include "verify/matrix/limits.hpp"

namespace dca::matrix {
namespace {

const Naming* naming_of(const std::vector<Naming>& namings, const Tally& tally) {
    const auto found = std::ranges::find_if(
        namings, [&](const Naming& one) { return one.mutant == tally.mutant && one.dtype == tally.dtype; });
    return found == namings.end() ? nullptr : &*found;
}

void write_honest(std::ostream& out, const Matrix& matrix) {
    for (std::size_t s = 0; s < honest_styles().size(); ++s) {
        std::size_t alarms = 0, unjudged = 0;
        const Column* worst = nullptr;
        for (const Column& column : matrix.columns) {
            alarms += column.honest[s].killed ? 1U : 0U;
            unjudged += column.unheard.empty() ? 0U : 1U;
            if (worst == nullptr || column.honest[s].margin > worst->honest[s].margin) worst = &column;
        }
        out << "honest peer, " << honest_styles()[s].name << ": " << alarms << " of " << matrix.columns.size()
            << " cases failed";
        if (unjudged > 0) out << " (" << unjudged << " could not be judged)";
        if (worst != nullptr) {
            out << "; nearest to a line: " << margin_text(worst->honest[s].margin) << " in " << worst->case_id << " ("
                << name(worst->dtype) << ")";
        }
        out << '\n';
    }
}

nlohmann::ordered_json number(double margin) {
    if (std::isinf(margin)) return "inf";
    return margin;
}

}  // namespace

std::string margin_text(double margin) {
    if (std::isinf(margin)) return "inf";
    char text[32];
    if (margin >= 99.5 || (margin > 0 && margin < 0.01)) {
        std::snprintf(text, sizeof text, "%.1e", margin);
        std::string short_text(text);  // 1.2e+05 -> 1.2e5
        const auto e = short_text.find('e');
        const int exponent = std::stoi(short_text.substr(e + 1));
        return short_text.substr(0, e + 1) + std::to_string(exponent);
    }
    std::snprintf(text, sizeof text, margin >= 9.95 ? "%.0f" : margin >= 0.995 ? "%.1f" : "%.2f", margin);
    return text;
}

std::string margin_text(const Cell& cell) {
    return cell.applies ? margin_text(cell.margin) : "-";
}

std::vector<const Tally*> missed(const std::vector<Tally>& tallies) {
    std::vector<const Tally*> all;
    for (const Tally& one : tallies) {
        if (one.applies > 0 && one.kills == 0 && !is_limit(*one.mutant, one.dtype)) all.push_back(&one);
    }
    return all;
}

int exit_status(const Matrix& matrix, const std::vector<Naming>& namings) {
    const std::vector<Tally> tallies = tally(matrix);
    const bool false_alarm = std::ranges::any_of(
        matrix.columns, [](const Column& column) { return std::ranges::any_of(column.honest, &Cell::killed); });
    const bool misnamed = std::ranges::any_of(
        namings, [](const Naming& one) { return !one.named && !is_naming_limit(*one.mutant, one.dtype); });
    if (false_alarm || misnamed || !missed(tallies).empty()) return 1;
    return std::ranges::any_of(tallies, [](const Tally& one) { return one.kills > 0; }) ? 0 : 3;
}

std::string summary(const Matrix& matrix, const std::vector<Naming>& namings) {
    std::size_t run = 0, killed = 0, limits = 0, named = 0, unnamed_limits = 0, honest = 0, alarms = 0;
    for (const Tally& one : tally(matrix)) {
        run += one.applies > 0 ? 1U : 0U;
        killed += one.kills > 0 ? 1U : 0U;
        limits += one.applies > 0 && one.kills == 0 && is_limit(*one.mutant, one.dtype) ? 1U : 0U;
    }
    for (const Naming& one : namings) {
        named += one.named ? 1U : 0U;
        unnamed_limits += !one.named && is_naming_limit(*one.mutant, one.dtype) ? 1U : 0U;
    }
    for (const Column& column : matrix.columns) {
        honest += column.honest.size();
        alarms += static_cast<std::size_t>(std::ranges::count_if(column.honest, &Cell::killed));
    }
    const auto of = [](std::size_t part, std::size_t whole) {
        return std::to_string(part) + " of " + std::to_string(whole);
    };
    std::string text = of(killed, run) + " wrong kernels (mutant and dtype) killed";
    if (limits > 0) text += ", " + std::to_string(limits) + " more are known to be missed (docs/limits.md)";
    if (!namings.empty()) text += "; " + of(named, namings.size()) + " kills named among the first two explanations";
    if (unnamed_limits > 0) text += ", " + std::to_string(unnamed_limits) + " known not to be";
    return text + "; " + of(alarms, honest) + " honest runs failed.";
}

void write_text(std::ostream& out, const Matrix& matrix, const std::vector<Naming>& namings, bool verbose) {
    const int status = exit_status(matrix, namings);
    out << (status == 0 ? "PASSED: " : status == 1 ? "FAILED: " : "NOT VERIFIED: ") << summary(matrix, namings) << '\n';
    for (const Tally& one : tally(matrix)) {
        out << std::left << std::setw(28) << one.mutant->id << ' ' << std::setw(5) << name(one.dtype);
        if (one.applies == 0) {
            out << "not run     no case applies\n";
            continue;
        }
        const bool known = one.kills == 0 && is_limit(*one.mutant, one.dtype);
        out << (one.kills > 0 ? "killed"
                : known       ? "missed"
                              : "MISSED")
            << " in " << std::right << std::setw(3) << one.kills << " of " << std::setw(3) << one.applies << ", best "
            << std::setw(6) << margin_text(one.margin) << " in " << one.best->case_id
            << (known ? "; a known limit (docs/limits.md)" : "");
        if (const Naming* naming = naming_of(namings, one)) {
            out << (naming->named ? "; named" : "; MISNAMED");
            for (const std::string& id : naming->explanations) out << ' ' << id;
        }
        out << '\n';
        if (!verbose) continue;
        for (const Column& column : matrix.columns) {
            const auto m =
                static_cast<std::size_t>(std::ranges::find(matrix.mutants, one.mutant) - matrix.mutants.begin());
            const Cell& cell = column.cells[m];
            if (column.dtype != one.dtype || !cell.applies) continue;
            out << "    " << std::setw(7) << margin_text(cell) << (cell.killed ? "  " : "  missed ") << column.case_id
                << ' ' << cell.tensor << '\n';
        }
    }
    write_honest(out, matrix);
    for (const std::string& reason : matrix.left_out) out << "left out: " << reason << '\n';
}

void write_json(std::ostream& out, const Matrix& matrix, const std::vector<Naming>& namings) {
    using Json = nlohmann::ordered_json;
    Json root;
    root["schema"] = "dca-kill-matrix";
    root["schema_version"] = 1;
    for (const mutants::Mutant* mutant : matrix.mutants) {
        root["mutants"].push_back({{"id", mutant->id},
                                   {"family", mutants::name(mutant->family)},
                                   {"title", mutant->title},
                                   {"hazard", mutant->hazard},
                                   {"public_example", mutant->public_example},
                                   {"also", mutant->also}});
    }
    for (const Column& column : matrix.columns) {
        Json cells = Json::object();
        for (std::size_t m = 0; m < matrix.mutants.size(); ++m) {
            const Cell& cell = column.cells[m];
            if (!cell.applies) continue;
            cells[std::string(matrix.mutants[m]->id)] = {
                {"margin", number(cell.margin)}, {"killed", cell.killed}, {"tensor", cell.tensor}};
        }
        Json honest = Json::object();
        for (std::size_t s = 0; s < honest_styles().size(); ++s) {
            honest[std::string(honest_styles()[s].name)] = {{"margin", number(column.honest[s].margin)},
                                                            {"failed", column.honest[s].killed}};
        }
        root["cases"].push_back({{"id", column.case_id},
                                 {"dtype", name(column.dtype)},
                                 {"own_dtype", column.own_dtype},
                                 {"honest", honest},
                                 {"mutants", cells}});
    }
    root["left_out"] = matrix.left_out;
    root["named"] = Json::array();
    for (const Naming& one : namings) {
        root["named"].push_back({{"mutant", one.mutant->id},
                                 {"dtype", name(one.dtype)},
                                 {"case", one.case_id},
                                 {"explanations", one.explanations},
                                 {"named", one.named}});
    }
    out << root.dump(1) << '\n';
}

}  // namespace dca::matrix
