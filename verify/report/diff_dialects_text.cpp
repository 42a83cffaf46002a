#include <cstdio>
#include <ostream>
#include <utility>

#include "verify/report/diff_dialects.hpp"
#include "verify/report/format.hpp"

namespace dca::verify {
namespace {

std::string text(std::int64_t value) {
    return std::to_string(value);
}

std::string six_digits(double value) {
    std::array<char, 32> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%.6g", value);
    return buffer.data();
}

/// Positions and factors: up to six digits, as many as it takes to tell two of them apart.
std::string pair_text(const Both<double>& values) {
    if (values[0] == values[1]) return six_digits(values[0]);
    if (six_digits(values[0]) != six_digits(values[1])) return six_digits(values[0]) + " | " + six_digits(values[1]);
    const auto texts = distinct_numbers(values[0], values[1]);
    return texts[0] + " | " + texts[1];
}

std::string names_of(const DialectDifference& difference, Difference which) {
    std::string names;
    for (const TensorDifference& tensor : difference.tensors) {
        if (tensor.difference == which) names += (names.empty() ? "" : ", ") + tensor.numbers.tensor;
    }
    return names;
}

std::string headline(const DialectDifference& d) {
    const std::string both = d.dialects[0] + " | " + d.dialects[1] + " on case " + d.case_id + " (" + d.dtype + "): ";
    if (d.tensors.empty()) return both + "results not compared, as not both dialects can run it";
    const std::string above = names_of(d, Difference::above_noise), within = names_of(d, Difference::within_noise);
    if (above.empty() && within.empty()) return both + "the same, bit for bit";
    if (above.empty()) return both + "the same within rounding error";
    const TensorDifference& out = d.tensors.front();
    std::string line = both + above + " differ by more than rounding error";
    if (out.difference == Difference::above_noise && out.first_row) line += ", out from row " + text(*out.first_row);
    return line + (out.difference == Difference::above_noise ? " on" : "; out does not");
}

void write_positions(std::ostream& out, const DialectDifference& d) {
    const PositionDifference& positions = d.positions;
    std::int64_t pairs = 0, different = 0;
    std::string by_mode;
    for (const ModePairs& mode : positions.modes) {
        pairs += mode.pairs;
        different += mode.different;
        if (mode.pairs == 0) continue;
        by_mode += (by_mode.empty() ? "" : ", ") + std::string(name(mode.mode)) + " " + text(mode.different) + " of " +
                   text(mode.pairs);
    }
    out << "positions: ";
    if (!positions.first) {
        out << "the same for all " << pairs << " visible pairs\n";
        return;
    }
    const DifferentPair& first = *positions.first;
    out << different << " of " << pairs << " visible pairs have another relative position (" << by_mode << ")\n"
        << "  first: query " << first.query << ", key " << first.key << " (" << name(first.mode)
        << "): " << pair_text(first.relative);
    if (first.sequence > 0) out << ", in sequence " << first.sequence;
    out << '\n';
    for (const RuleDifference& rule : d.rules) {
        if (rule.rule != "rope_scaling") continue;
        out << "  rope_scaling acts differently, so other positions may still turn by the same angles\n";
    }
}

std::string fact_of(const Temperature& law) {
    return law.length == TemperatureLength::longest_seen ? "dialect_max_position_embeddings"
                                                         : "dialect_original_max_position_embeddings";
}

std::string law_text(const TemperatureEnds& ends) {
    const Temperature& law = ends.law;
    if (law.place == TemperaturePlace::nowhere) return "none";
    if (ends.reference == 0) return "1 everywhere, as " + fact_of(law) + " is 0";
    if (ends.off()) return "1 everywhere, as the case gives no " + fact_of(law);
    std::string words = "max(1, " + six_digits(law.coefficient) + " ln(x / " + text(*ends.reference) + ") + 1), x ";
    switch (law.length) {
        case TemperatureLength::longest_seen: words += "the longest key sequence seen"; break;
        case TemperatureLength::prompt: words += "the length of the final prompt"; break;
        case TemperatureLength::own_index: words += "i + 1 of each query, on queries only"; break;
    }
    switch (law.place) {
        case TemperaturePlace::nowhere: break;
        case TemperaturePlace::tables: words += "; in cos and sin"; break;
        case TemperaturePlace::whole_head: words += "; on the whole head"; break;
        case TemperaturePlace::undocumented: words += "; where it acts is not documented"; break;
    }
    if (law.generated_keys == GeneratedKeys::unscaled && law.length == TemperatureLength::prompt) {
        words += "; generated keys unscaled (H21)";
    }
    return words;
}

void write_temperature(std::ostream& out, const DialectDifference& d) {
    const TemperatureDifference& t = d.temperature;
    const auto& [a, b] = t.ends;
    const bool law = a.law.place != TemperaturePlace::nowhere || b.law.place != TemperaturePlace::nowhere;
    out << "temperature: ";
    if (!t.any()) {
        out << "the same" << (a.off() && b.off() ? ", 1 everywhere" : "") << '\n';
    } else {
        out << "differs";
        if (t.first_query) out << ", from query " << *t.first_query << " on";
        if (t.first_key) out << ", from key " << *t.first_key << " on";
        if (t.first_length) out << "; not on sequences of up to " << *t.first_length - 1 << " tokens";
        if (t.sequence > 0) out << "; shown for sequence " << t.sequence;
        out << "\n  first query " << pair_text({a.first_query, b.first_query}) << ", last query "
            << pair_text({a.last_query, b.last_query}) << ", first key " << pair_text({a.first_key, b.first_key})
            << ", last key " << pair_text({a.last_key, b.last_key}) << "\n  the logit of the last query and key "
            << t.first_key.value_or(0) << " times " << pair_text(t.logit) << '\n';
    }
    if (!law) return;
    for (std::size_t side = 0; side < 2; ++side) {
        out << "  " << d.dialects[side] << ": " << law_text(t.ends[side]) << '\n';
    }
}

void write_rules(std::ostream& out, const DialectDifference& d) {
    if (d.rules.empty()) {
        out << "rules: the same\n";
        return;
    }
    out << "rules that differ:\n";
    std::vector<std::vector<std::string>> table{{"", d.dialects[0], d.dialects[1]}};
    for (const RuleDifference& rule : d.rules) table.push_back({rule.rule, rule.value[0], rule.value[1]});
    for (const std::string& line : align(table, 3)) out << "  " << line << '\n';
}

const char* words(Difference difference) {
    switch (difference) {
        case Difference::identical: return "identical";
        case Difference::within_noise: return "within rounding error";
        case Difference::above_noise: return "above rounding error";
    }
    return "";
}

void write_results(std::ostream& out, const DialectDifference& d) {
    out << "results:\n";
    std::vector<std::vector<std::string>> table{
        {"", "", "from row", "region", "relative L2", "worst element", "worst row"}};
    for (const TensorDifference& tensor : d.tensors) {
        std::string label = tensor.numbers.tensor, verdict = words(tensor.difference);
        std::string row = tensor.first_row ? text(*tensor.first_row) : "-";
        if (tensor.difference == Difference::identical) {
            table.push_back({label, verdict});
            continue;
        }
        const bool rows = tensor.numbers.row_line > 0;
        for (const RegionReport& region : tensor.numbers.regions) {
            table.push_back({std::exchange(label, ""), std::exchange(verdict, ""), std::exchange(row, ""),
                             std::string(name(region.region)), short_number(region.relative_l2),
                             short_number(region.worst_element_ratio) + " sigma",
                             rows ? short_number(region.worst_row_ratio) + " sigma" : "-"});
        }
    }
    for (const std::string& line : align(table, 4)) out << "  " << line << '\n';
    for (const TensorDifference& tensor : d.tensors) {
        const ElementReport& worst = tensor.numbers.worst;
        if (tensor.difference != Difference::above_noise || worst.index.empty()) continue;
        const auto values = distinct_numbers(worst.expected, worst.got);
        out << "  " << tensor.numbers.tensor << " differs most at " << coordinates(worst) << " (" << name(worst.region)
            << "): " << values[0] << " | " << values[1] << '\n';
    }
    out << "  Relative L2 is that of the difference to " << d.dialects[0]
        << ". sigma is the rounding error expected of "
        << "a kernel in " << d.dtype << ";\n  dca compare passes elements up to 6 sigma and rows up to 2 (out) or 3 "
        << "(dq, dk, dv).\n";
}

}  // namespace

void write_difference_text(std::ostream& out, const DialectDifference& difference) {
    out << headline(difference) << "\n\n";
    for (const auto& refusal : difference.refusals) {
        if (refusal) out << *refusal << '\n';
    }
    write_positions(out, difference);
    write_temperature(out, difference);
    write_rules(out, difference);
    if (!difference.tensors.empty()) write_results(out, difference);
}

}  // namespace dca::verify
