// Ladders with a law planted in them: what a candidate would have measured that grows so, with noise from a seed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "verify/measure/draws.hpp"
#include "verify/measure/elementary.hpp"
#include "verify/measure/series.hpp"

namespace planted {

using namespace dca::measure;
using Law = std::function<double(double n, double c)>;

struct Plan {
    std::vector<std::int64_t> sizes = {512, 1024, 2048, 4096, 8192, 16384};
    std::int64_t chunk_size = 256;
    double noise = 0.01;  ///< standard deviation of ln of each repeat
    int repeats = 7;
    std::uint32_t seed = 1;
    double stolen = 0;  ///< Repeat::stolen of every repeat
    std::string candidate = "candidate";
};

/// Sizes that grow by the square root of two.
inline std::vector<std::int64_t> fine_sizes() {
    return {512, 724, 1024, 1448, 2048, 2896, 4096, 5793, 8192, 11585, 16384};
}

inline Point point(const Plan& plan, std::int64_t n, std::int64_t chunk_size, const Law& time, const Law& bytes,
                   Draws& draws) {
    Point made;
    made.n = n;
    made.chunk_size = chunk_size;
    made.memory_source = MemorySource::allocation_hook;
    made.input_bytes = 3 * 8 * 128 * n;
    const double x = static_cast<double>(n), c = static_cast<double>(chunk_size);
    for (int i = 0; i < plan.repeats; ++i) {
        Repeat repeat;
        repeat.round = i;
        repeat.wall_seconds = repeat.cpu_seconds = time(x, c) * exp_of(plan.noise * draws.normal());
        repeat.peak_bytes = static_cast<std::int64_t>(bytes(x, c) * exp_of(plan.noise * draws.normal()));
        if (plan.stolen > 0) repeat.stolen = plan.stolen;
        made.repeats.push_back(repeat);
    }
    return made;
}

/// A size that could not be measured.
inline Point failed(std::int64_t n, const std::string& why) {
    Point made;
    made.n = n;
    made.chunk_size = 256;
    made.failure = why;
    return made;
}

inline double quadratic_time(double n, double) {
    return 1e-9 * n * n;
}
inline double linear_bytes(double n, double) {
    return 2048 * n;
}

inline Ladder ladder(const Plan& plan, const Law& time, const Law& bytes = linear_bytes) {
    Draws draws(1000, plan.seed);
    Ladder made;
    made.candidate = plan.candidate;
    for (const std::int64_t n : plan.sizes) made.points.push_back(point(plan, n, plan.chunk_size, time, bytes, draws));
    return made;
}

/// A ladder of memory alone.
inline Ladder memory(const Plan& plan, const Law& bytes) {
    return ladder(plan, quadratic_time, bytes);
}

/// How many of `trials` may err if each does with probability p: more happens once in a thousand at most.
inline int allowed(int trials, double p) {
    double probability = 1, cumulated = 0;
    for (int i = 0; i < trials; ++i) probability *= 1 - p;
    for (int count = 0; count < trials; ++count) {
        cumulated += probability;
        if (1 - cumulated <= 1e-3) return count;
        probability *= static_cast<double>(trials - count) / (count + 1) * p / (1 - p);
    }
    return trials;
}

}  // namespace planted
