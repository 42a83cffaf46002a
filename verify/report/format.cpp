#include "verify/report/format.hpp"

#include <algorithm>
#include <cstdio>

namespace dca::verify {
namespace {

std::string with_digits(double value, int digits) {
    char text[40];
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    return text;
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

}  // namespace

std::string short_number(double value) {
    return with_digits(value, 3);
}

std::array<std::string, 2> distinct_numbers(double a, double b) {
    for (int digits : {9, 17}) {
        std::array<std::string, 2> texts{with_digits(a, digits), with_digits(b, digits)};
        if (texts[0] != texts[1] || digits == 17) return texts;
    }
    return {};
}

std::string coordinates(const ElementReport& element) {
    constexpr std::array<const char*, 4> rank4{"batch", "row", "head", "channel"};
    constexpr std::array<const char*, 3> rank3{"batch", "head", "row"};
    std::string text;
    for (std::size_t axis = 0; axis < element.index.size(); ++axis) {
        const char* axis_name = element.index.size() == 4 ? rank4[axis] : rank3[axis];
        text += (text.empty() ? "" : ", ") + std::string(axis_name) + " " + std::to_string(element.index[axis]);
    }
    return text;
}

std::vector<std::string> align(const std::vector<std::vector<std::string>>& table, std::size_t left) {
    std::vector<std::size_t> widths;
    for (const auto& row : table) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
    }
    std::vector<std::string> lines;
    for (const auto& row : table) {
        std::string line;
        for (std::size_t c = 0; c < row.size(); ++c) {
            const std::string padding(widths[c] - row[c].size(), ' ');
            if (c > 0) line += "  ";
            line += c < left ? row[c] + padding : padding + row[c];
        }
        line.erase(line.find_last_not_of(' ') + 1);
        lines.push_back(std::move(line));
    }
    return lines;
}

std::vector<std::vector<std::string>> region_table(const TensorReport& tensor) {
    const bool rows = tensor.row_line > 0;
    std::vector<std::vector<std::string>> table{
        {"region", "elements", "bad", "worst element", "rms error", "relative L2", "rows", "bad", "worst row"}};
    for (const RegionReport& region : tensor.regions) {
        table.push_back({std::string(name(region.region)), std::to_string(region.elements),
                         std::to_string(region.bad_elements), short_number(region.worst_element_ratio),
                         short_number(region.rms_ratio), short_number(region.relative_l2), std::to_string(region.rows),
                         std::to_string(region.bad_rows), short_number(region.worst_row_ratio)});
    }
    if (!rows) {
        for (auto& line : table) line.resize(line.size() - 3);
    }
    return table;
}

std::vector<std::string> tensor_columns(const RunReport& report) {
    std::vector<std::string> names(tensor_order.begin(), tensor_order.end());
    bool standard = false;
    const auto add = [&](const std::string& tensor) {
        const auto found = std::find(names.begin(), names.end(), tensor);
        if (found == names.end()) {
            names.push_back(tensor);
        } else {
            standard = standard || (found > names.begin() && found < names.begin() + tensor_order.size());
        }
    };
    for (const CaseReport& one : report.cases) {
        for (const TensorReport& tensor : one.tensors) add(tensor.tensor);
        for (const std::string& absent : one.not_in_candidate) add(absent);
    }
    if (!standard && names.size() > tensor_order.size()) {
        names.erase(names.begin() + 1, names.begin() + tensor_order.size());
    }
    return names;
}

const TensorReport* find_tensor(const CaseReport& report, std::string_view tensor) {
    for (const TensorReport& candidate : report.tensors) {
        if (candidate.tensor == tensor) return &candidate;
    }
    return nullptr;
}

std::string ratios(const TensorReport& tensor) {
    if (tensor.worst.index.empty()) return "-";
    const std::string element = short_number(tensor.worst.ratio);
    return tensor.worst_row ? element + " | " + short_number(tensor.worst_row->ratio) : element;
}

namespace {

/// The larger of the two ratios in units of its line.
double severity(const TensorReport& tensor) {
    const double element = tensor.element_line > 0 ? tensor.worst.ratio / tensor.element_line : 0;
    const double row = tensor.worst_row && tensor.row_line > 0 ? tensor.worst_row->ratio / tensor.row_line : 0;
    return std::max(element, row);
}

/// "element 3.1 sigma, passes up to 6", for whichever rule is nearer to or farther beyond its line.
std::string decisive_rule(const TensorReport& tensor) {
    const bool row = tensor.worst_row && tensor.row_line > 0 &&
                     tensor.worst_row->ratio / tensor.row_line > tensor.worst.ratio / tensor.element_line;
    return row ? "row error " + short_number(tensor.worst_row->ratio) + " sigma (passes up to " +
                     short_number(tensor.row_line) + ")"
               : "element error " + short_number(tensor.worst.ratio) + " sigma (passes up to " +
                     short_number(tensor.element_line) + ")";
}

}  // namespace

const TensorReport* worst_failure(const CaseReport& report) {
    const TensorReport* worst = nullptr;
    for (const TensorReport& tensor : report.tensors) {
        if (tensor.verdict == Verdict::failed && (!worst || severity(tensor) > severity(*worst))) worst = &tensor;
    }
    return worst;
}

std::string in_one_clause(const CaseReport& report) {
    const TensorReport* worst = worst_failure(report);
    if (worst == nullptr) return report.reason.empty() ? std::string(name(report.verdict)) : report.reason;
    std::string text = worst->tensor + ": " + worst->reason;
    if (!worst->worst.index.empty()) {
        text += "; worst element " + short_number(worst->worst.ratio) + " sigma at " + coordinates(worst->worst) +
                " (region " + std::string(name(worst->worst.region)) + ")";
    }
    return text;
}

std::string name_of(const Explanation& explanation) {
    return explanation.id + (explanation.hazard.empty() ? "" : " (" + explanation.hazard + ")");
}

std::string explanation_in_brief(const Explanation& explanation) {
    return "looks like " + name_of(explanation) + "; " + joined(explanation.tensors) + " agree with that within " +
           short_number(explanation.ratio) + " sigma";
}

std::string explanation_text(const Explanation& explanation) {
    std::string text = "looks like " + explanation.title;
    if (!explanation.hazard.empty()) text += " (" + explanation.hazard + ")";
    text += "; " + joined(explanation.tensors) + (explanation.tensors.size() == 1 ? " agrees" : " agree") +
            " with that within " + short_number(explanation.ratio) + " sigma";
    if (!explanation.public_example.empty()) text += "; seen in " + explanation.public_example;
    return text;
}

bool is_pass(Verdict verdict) {
    return verdict == Verdict::passed || verdict == Verdict::marginal;
}

std::string_view headline_word(Verdict verdict) {
    switch (verdict) {
        case Verdict::passed:
        case Verdict::marginal: return "PASSED";
        case Verdict::failed: return "FAILED";
        case Verdict::listed:
        case Verdict::skipped:
        case Verdict::mistrusted:
        case Verdict::waived: return "NOT VERIFIED";
        case Verdict::errored:
        case Verdict::untested: return "ERROR";
    }
    return "ERROR";
}

std::string headline_text(const RunReport& report) {
    if (report.cases.empty()) return "nothing was compared";
    std::array<std::size_t, 9> counts{};
    const CaseReport* worst_case = nullptr;
    const TensorReport* worst = nullptr;
    for (const CaseReport& one : report.cases) {
        ++counts[static_cast<std::size_t>(one.verdict)];
        for (const TensorReport& tensor : one.tensors) {
            if (tensor.worst.index.empty() || (worst && !(severity(tensor) > severity(*worst)))) continue;
            worst = &tensor;
            worst_case = &one;
        }
    }
    std::string text;
    for (Verdict verdict : {Verdict::untested, Verdict::errored, Verdict::failed, Verdict::waived, Verdict::mistrusted,
                            Verdict::skipped, Verdict::marginal, Verdict::passed, Verdict::listed}) {
        const std::size_t count = counts[static_cast<std::size_t>(verdict)];
        if (count == 0) continue;
        const bool first = text.empty();
        text += (first ? "" : ", ") + std::to_string(count);
        if (first)
            text += " of " + std::to_string(report.cases.size()) + (report.cases.size() == 1 ? " case" : " cases");
        text += " " + std::string(name(verdict));
    }
    if (worst) text += "; largest: " + worst_case->id + " " + worst->tensor + ", " + decisive_rule(*worst);
    return text;
}

}  // namespace dca::verify
