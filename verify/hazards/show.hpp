// Runs the demonstration of a hazard: every figure is measured anew and held against what is stated about it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "verify/hazards/hazard.hpp"

namespace dca::hazards {

/// A number, or words where there is none.
struct Measured {
    std::optional<double> number;
    std::string words;
    /// Words, an integer as such, or four significant digits.
    [[nodiscard]] std::string text() const;
};

/// Throws the errors of the case (InvalidProblem, Unsupported).
[[nodiscard]] Measured measure(const Hazard& hazard, const Measure& what);

/// Whether the measured value is what is stated. A NaN is only what is stated as nan.
[[nodiscard]] bool holds(const Stated& stated, const Measured& measured);

/// "10", "0.60 (to the digits given)", "at most 1e-5".
[[nodiscard]] std::string text(const Stated& stated);

struct ShownFigure {
    const Figure* figure;
    Measured measured;
    bool holds;
};

struct Shown {
    std::vector<ShownFigure> figures;
    /// True where something was measured and all of it is what was stated.
    [[nodiscard]] bool holds() const;
};

/// Empty where the hazard's demonstration has no figures.
[[nodiscard]] Shown show(const Hazard& hazard);

/// The commands that show the same, at most one for each figure, repetitions left out.
[[nodiscard]] std::vector<std::string> commands(const Hazard& hazard);

}  // namespace dca::hazards
