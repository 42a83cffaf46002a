// The exponent of a series: value = offset + factor x^exponent, with its interval (docs/measure.md).
#pragma once

#include <cstdint>

#include "verify/measure/replicas.hpp"
#include "verify/measure/series.hpp"

namespace dca::measure {

/// Which size the exponent is of; the other must not vary, or vary with it.
enum class Axis : std::uint8_t { n, chunk_size };

/// A law with three parameters, and one point to see how well it fits.
inline constexpr std::size_t least_points = 4;

/// Fits the medians of the series along the axis. Where no offset can be told from zero, `exponent` is that without an
/// offset and its interval holds both. `log_power`: the values are divided by log^log_power of the size before. Throws
/// InvalidProblem for fewer than least_points sizes with values or two of the same size.
[[nodiscard]] PowerFit fit_power(const Series& series, Axis axis = Axis::n, int log_power = 0,
                                 int replicates = replicate_count);

/// The same with repeats drawn again alone, without the misfit: what more repeats could narrow.
[[nodiscard]] Estimate exponent_by_repeats(const Series& series, Axis axis = Axis::n, int log_power = 0,
                                           int replicates = replicate_count);

/// Growth between the last two sizes: ln(y'/y) / ln(x'/x) with its interval from the repeats.
[[nodiscard]] Estimate last_exponent(const Series& series, Axis axis = Axis::n, int log_power = 0,
                                     int replicates = replicate_count);

}  // namespace dca::measure
