// Ladders of the planted candidates of measure_double.cpp.
#pragma once

#include <string>
#include <vector>

#include "verify/measure/run_ladder.hpp"

namespace dca::test {

inline measure::Workshop workshop(double timeout = 60) {
    measure::Workshop made;
    made.program = DCA_MEASURE_DOUBLE;
    made.timeout = timeout;
    return made;
}

inline measure::Contender planted(const std::string& name) {
    measure::Setting setting;
    setting.head_dim = setting.head_dim_v = 8;
    setting.threads = 1;
    return {name, "", setting};
}

inline std::vector<measure::Size> sizes(const std::vector<std::int64_t>& lengths) {
    std::vector<measure::Size> all;
    for (const std::int64_t n : lengths) all.push_back({n, 64, 8});
    return all;
}

/// Memory alone unless `timed`.
inline std::vector<measure::Ladder> ladders(const std::vector<std::string>& names,
                                            const std::vector<std::int64_t>& lengths, bool timed = false,
                                            double timeout = 60) {
    measure::LadderOptions options;
    for (const std::string& name : names) options.contenders.push_back(planted(name));
    options.sizes = sizes(lengths);
    options.timed = timed;
    options.most_repeats = 6;
    measure::Workshop shop = workshop(timeout);
    return measure::run_ladders(options, shop);
}

}  // namespace dca::test
