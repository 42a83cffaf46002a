#include "verify/hazards/show.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "reference/math/temperature.hpp"
#include "reference/refusals.hpp"
#include "verify/hazards/case_words.hpp"
#include "verify/hazards/computed.hpp"
#include "verify/hazards/relative_positions.hpp"

namespace dca::hazards {
namespace {

Measured number(double value) {
    return {.number = value, .words = {}};
}
Measured number(std::int64_t value) {
    return number(static_cast<double>(value));
}
Measured number(const std::optional<std::int64_t>& value) {
    return value ? number(*value) : Measured{.number = std::nullopt, .words = "none"};
}

bool names(const std::string& message, std::string_view id) {
    const std::size_t at = message.find(id);
    return at != std::string::npos &&
           (at + id.size() == message.size() || message[at + id.size()] < '0' || message[at + id.size()] > '9');
}

/// One overload for each kind of measure.
struct Measuring {
    const Hazard& hazard;

    [[nodiscard]] golden::CaseSpec with(std::string_view words) const {
        return changed_case(hazard.minimal_case, words);
    }

    Measured operator()(const RelativePosition& m) const {
        return number(relative_position(with(m.words).problem, m.i, m.j));
    }
    Measured operator()(const FirstDifferentQuery& m) const {
        return number(first_different_query(with(m.a).problem, with(m.b).problem));
    }
    Measured operator()(const FirstWrongDistance& m) const {
        return number(first_wrong_distance(with(m.words).problem));
    }
    Measured operator()(const WrongPairs& m) const { return number(wrong_pairs(with(m.words).problem)); }
    Measured operator()(const VisiblePairs& m) const { return number(visible_pairs(with(m.words).problem)); }
    Measured operator()(const LogitFactor& m) const {
        const Problem problem = with(m.words).problem;
        const reference::TemperatureLaw law(problem, reference::sequences(problem).front());
        return number(law.query(QueryIndex(m.i)) * law.key(KeyIndex(m.j)));
    }
    Measured operator()(const OutputDifference& m) const {
        return number(output_difference(with(m.a), with(m.b), m.from, m.to));
    }
    Measured operator()(const GradientDifference& m) const {
        return number(gradient_difference(with(m.a), with(m.b), m.tensor));
    }
    Measured operator()(const GradientSize& m) const { return number(gradient_size(with(m.words), m.tensor)); }
    Measured operator()(const OutputOverValue& m) const { return number(output_over_value(with(m.words), m.i)); }
    Measured operator()(const Refusal& m) const {
        return {.number = std::nullopt, .words = refusal(with(m.words).problem)};
    }
    Measured operator()(const RefusedLengths& m) const {
        std::string ranges;
        std::int64_t begin = -1;
        golden::CaseSpec spec = with(m.words);
        for (std::int64_t n = m.from; n <= m.to + 1; ++n) {
            spec.problem.shape.seq_q = spec.problem.shape.seq_k = n;
            const bool refused = n <= m.to && refusal(spec.problem) == "refused";
            if (refused && begin < 0) begin = n;
            if (refused || begin < 0) continue;
            ranges += (ranges.empty() ? "" : ", ") + std::to_string(begin);
            if (begin < n - 1) ranges += "-" + std::to_string(n - 1);
            begin = -1;
        }
        return {.number = std::nullopt, .words = ranges.empty() ? "none" : ranges};
    }
    Measured operator()(const Arithmetic& m) const { return number(m.value()); }

private:
    [[nodiscard]] std::string refusal(const Problem& problem) const {
        try {
            validate(problem);
            reference::require_reproducible(problem);
        } catch (const Unsupported& refused) {
            const bool named = names(refused.what(), hazard.id);
            return named ? "refused" : "refused without naming " + std::string(hazard.id);
        } catch (const InvalidProblem&) {
            return "invalid";
        }
        return "accepted";
    }
};

double value_of(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    expects(error == std::errc{} && end == text.data() + text.size(), "a stated value that is no number");
    return value;
}

/// Half a unit of the last digit of "1.2170", "6.0e-1", "12".
double half_unit(std::string_view text) {
    const std::size_t e = std::min(text.find('e'), text.size());
    const std::size_t point = text.find('.');
    const auto decimals = point < e ? static_cast<double>(e - point - 1) : 0.0;
    const double exponent = e < text.size() ? value_of(text.substr(e + 1)) : 0.0;
    return 0.5 * std::pow(10.0, exponent - decimals);
}

}  // namespace

std::string Measured::text() const {
    if (!number) return words;
    if (std::isnan(*number)) return "NaN";
    char buffer[32];
    const bool whole = std::abs(*number) < 1e9 && *number == std::floor(*number);
    std::snprintf(buffer, sizeof buffer, whole ? "%.0f" : std::abs(*number - 1) < 0.01 ? "%.6f" : "%.5g", *number);
    return buffer;
}

Measured measure(const Hazard& hazard, const Measure& what) {
    return std::visit(Measuring{hazard}, what);
}

bool holds(const Stated& stated, const Measured& measured) {
    if (!measured.number) return stated.is == Stated::Is::equal && measured.words == stated.value;
    const double value = *measured.number;
    switch (stated.is) {
        case Stated::Is::nan: return std::isnan(value);
        case Stated::Is::at_most: return std::abs(value) <= value_of(stated.value);
        case Stated::Is::equal: return stated.value != "none" && value == value_of(stated.value);
        // 1e-9 of it for the decimal text, which is not exact in binary.
        case Stated::Is::rounds_to:
            return std::abs(value - value_of(stated.value)) <= half_unit(stated.value) * (1 + 1e-9);
    }
    throw ContractError("stated without a kind");
}

std::string text(const Stated& stated) {
    switch (stated.is) {
        case Stated::Is::nan: return "NaN";
        case Stated::Is::at_most: return "at most " + std::string(stated.value);
        case Stated::Is::equal:
        case Stated::Is::rounds_to: return std::string(stated.value);
    }
    throw ContractError("stated without a kind");
}

bool Shown::holds() const {
    return !figures.empty() &&
           std::all_of(figures.begin(), figures.end(), [](const ShownFigure& one) { return one.holds; });
}

Shown show(const Hazard& hazard) {
    Shown shown;
    for (const Figure& figure : hazard.demonstration.figures) {
        const Measured measured = measure(hazard, figure.measure);
        shown.figures.push_back({&figure, measured, holds(figure.stated, measured)});
    }
    return shown;
}

}  // namespace dca::hazards
