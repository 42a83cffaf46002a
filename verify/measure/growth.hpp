// Growth laws: n^a c^b log^q n, with c the chunk_size.
#pragma once

#include <cstdint>
#include <string>

#include "verify/measure/combination.hpp"
#include "verify/measure/replicas.hpp"

namespace dca::measure {

struct Growth {
    double n_power = 0, c_power = 0;
    int log_power = 0;
    friend bool operator==(const Growth&, const Growth&) = default;
};

/// "1", "n", "n^2", "n*c", "(n/c)^2", "n*log n".
[[nodiscard]] std::string name(const Growth& growth);

[[nodiscard]] double value(const Growth& growth, std::int64_t n, std::int64_t chunk_size);

/// The values at the sizes of a series, divided by the largest of them.
[[nodiscard]] Column column(const Growth& growth, const Medians& at);

}  // namespace dca::measure
