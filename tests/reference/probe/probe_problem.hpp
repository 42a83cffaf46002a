// Small probes over every feature and dialect, and the same inputs written out for the dense reference.
#pragma once

#include <optional>
#include <string>

#include "reference/probe/probe.hpp"

namespace dca::test {

struct ProbeCase {
    Problem problem;
    reference::probe::ProbeInputs inputs;
    Inputs dense;  ///< the same, every row of q and k written out
};

/// A probe of this dialect, by seed; nothing where the seed's features are none of the dialect or of probes.
[[nodiscard]] std::optional<ProbeCase> random_probe(const std::string& dialect, std::uint64_t seed);

/// A probe of the problem, values rounded to its dtype.
[[nodiscard]] ProbeCase make_probe(const Problem& problem, std::uint64_t seed, double logit_scale);

}  // namespace dca::test
