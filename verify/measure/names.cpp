#include <array>
#include <cstddef>

#include "verify/measure/series.hpp"

namespace dca::measure {

namespace {

constexpr std::array<std::string_view, 6> quantities = {"time", "cpu", "memory", "peak", "flops", "elements"};
constexpr std::array<std::string_view, 6> sources = {"none", "getrusage", "cgroup", "allocation hook", "gpu", "VmHWM"};
constexpr std::array<std::string_view, 2> passes = {"forward", "backward"};
constexpr std::array<std::string_view, 2> steps = {"staircase", "late term"};
constexpr std::array<std::string_view, 3> outcomes = {"PASS", "FAIL", "INCONCLUSIVE"};

}  // namespace

std::string_view name(Quantity quantity) {
    return quantities.at(static_cast<std::size_t>(quantity));
}
std::string_view name(MemorySource source) {
    return sources.at(static_cast<std::size_t>(source));
}
std::string_view name(Pass pass) {
    return passes.at(static_cast<std::size_t>(pass));
}
std::string_view name(Step step) {
    return steps.at(static_cast<std::size_t>(step));
}
std::string_view name(ClaimOutcome outcome) {
    return outcomes.at(static_cast<std::size_t>(outcome));
}

std::optional<Quantity> parse_quantity(std::string_view text) {
    for (std::size_t i = 0; i < quantities.size(); ++i) {
        if (quantities[i] == text) return static_cast<Quantity>(i);
    }
    return std::nullopt;
}

}  // namespace dca::measure
