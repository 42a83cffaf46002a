// Attention far beyond double precision with a proven bound of every error, rounded to double once (docs/certified.md):
// where the bound proves it, and almost everywhere it does, an element is the double nearest to the exact value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "reference/certified/unrounded.hpp"
#include "reference/spec/bundles.hpp"

namespace dca::certified {

struct Options {
    /// Every radius times this before the rounding test; at least 1. For tests: more elements are then recomputed, and
    /// no value may change.
    double radius_factor = 1;
    /// Multiply-adds in MPFR (some 0.2 microseconds each) spent on recomputing undecided elements; what does not fit
    /// stays undecided.
    double budget = 1e9;
};

/// What is proven of one tensor.
struct Proof {
    double error_radius = 0;         ///< |value - exact| <= error_radius for every element
    bool correctly_rounded = false;  ///< every element is the double nearest to the exact value, ties to even
    std::int64_t elements = 0;
    std::int64_t recomputed = 0;  ///< that the double-doubles alone left undecided
    std::int64_t undecided = 0;   ///< of these, still not known to be correctly rounded
    friend bool operator==(const Proof&, const Proof&) = default;
};

struct CertifiedResults {
    Outputs outputs;
    std::optional<Gradients> gradients;   ///< present if dout is
    std::map<std::string, Proof> proofs;  ///< by tensor: out, lse and, with gradients, dq, dk, dv
};

/// Throws Unsupported unless certified() can compute the problem: dense, a dialect without roundings on the way.
void require_certifiable(const Problem& problem);

/// The same bytes for any number of threads and on every machine. Throws InvalidProblem (validate) or Unsupported
/// (require_certifiable, logits beyond 2^19, magnitudes beyond 2^450).
[[nodiscard]] CertifiedResults certified(const Problem& problem, const Inputs& inputs, const Options& options = {});

/// Its first half: nothing rounded yet, nothing recomputed.
[[nodiscard]] Unrounded compute(const Problem& problem, const Inputs& inputs);

}  // namespace dca::certified
