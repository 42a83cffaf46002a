// The bootstrap of a series: what else could have been measured. Repeats are drawn again within each point, and the
// misfit of the law over the points is drawn as well (docs/measure.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "verify/measure/combination.hpp"
#include "verify/measure/series.hpp"

namespace dca::measure {

/// Of B = 399 replicates the 20th and the 380th in order are the 5 % and 95 % points exactly: 0.05 (B + 1) = 20. A
/// verdict is one-sided, so each is wrong at most once in twenty.
inline constexpr int replicate_count = 399, low_rank = 20, high_rank = 380;
inline constexpr double tail = 0.05;

[[nodiscard]] double median(std::vector<double> values);

/// Medians of a series ready to be fitted. Values below `resolution` count as it.
struct Medians {
    std::vector<const Sample*> samples;  ///< those with values, in order
    Column y;
};

/// The smallest amount by which resident memory can differ is a page.
[[nodiscard]] double resolution(Quantity quantity);

[[nodiscard]] Medians medians(const Series& series);

class Replicas {
public:
    /// `stream` tells the uses of one series apart; `count` is replicate_count but in tests of coverage.
    Replicas(const Series& series, std::uint32_t stream, int count = replicate_count);

    /// Standard deviation of ln y of each median over the redrawn repeats.
    [[nodiscard]] const Column& spread() const { return spread_; }

    /// Takes the residuals ln(y / fitted) of a law with `parameters` parameters: what they exceed the spread of repeats
    /// by is misfit of the law. Returns its standard deviation.
    double set_misfit(const Column& fitted, int parameters);

    /// Calls `each` with the values of every replicate in turn. With `only_repeats` misfit is left out.
    void for_each(const std::function<void(const Column&)>& each, bool only_repeats = false) const;

    [[nodiscard]] const Medians& base() const { return base_; }

private:
    Medians base_;
    std::uint32_t stream_;
    int count_;
    std::vector<Column> repeats_;  ///< per replicate: medians of redrawn repeats
    Column spread_;
    double misfit_squares_ = 0;  ///< sum over the points, what repeats explain taken off
    int degrees_ = 0;
};

/// The 5 % and 95 % points of replicates, around a value.
[[nodiscard]] Estimate central(double value, std::vector<double> replicates);

}  // namespace dca::measure
