// Candidates over a ladder of sizes: what is measured, in fresh processes, in alternation.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "verify/measure/session.hpp"

namespace dca::measure {

struct LadderOptions {
    std::vector<Contender> contenders;  ///< measured in turn at every size
    std::vector<Size> sizes;            ///< in the order they are run
    /// Times are wanted: repeats until they are settled. False: memory and counts alone, five runs of each size, which
    /// is what an interval takes.
    bool timed = true;
    int least_repeats = 6;  ///< below six no interval of the median has a level of 0.95
    int most_repeats = 30;
    double precision = 0.02;  ///< settled: the interval reaches from the median by at most this share of it
    double seconds = 10;      ///< of repeats at one size, of all contenders together; at least least_repeats are made
    /// A size at which one run is foreseen to take longer is left out, and the point says so.
    double longest_run = 120;
    /// done, total and what is being measured; may throw to stop.
    std::function<void(std::size_t, std::size_t, const std::string&)> progress;
};

/// One ladder per contender, in their order, points in the order of the sizes. In a round each contender runs once,
/// every other round in the reverse order, so that whatever changes slowly on the machine meets all alike. A candidate
/// that breaks at a size ends its own ladder there: this point and the later ones have a `failure`. Throws IoError, and
/// what `progress` and `workshop.waiting` throw.
[[nodiscard]] std::vector<Ladder> run_ladders(const LadderOptions& options, Workshop& workshop);

}  // namespace dca::measure
