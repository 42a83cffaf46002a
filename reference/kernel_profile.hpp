// Which implementation's rounding error is wanted: where a kernel rounds, and how its roundings are counted
// (docs/error_model.md section 2). Data alone.
#pragma once

#include "reference/spec/problem.hpp"

namespace dca::reference {

/// What happens to q~ and k~ before they are multiplied.
enum class RotatedRounding : std::uint8_t {
    none,        ///< rotated in the accumulator's type and used as they are
    once,        ///< rotated in a wider type, then rounded
    every_step,  ///< table entry, products and sum are each rounded
};

/// How partial sums grow, which decides what a long sum adds: sum_k S_k^2 of n terms that end at S, X the sum of their
/// squares, is taken to be n (drift S^2 + bridge X).
struct SumLaw {
    double drift;   ///< 1/3 where all terms weigh the same, up to 1 where the first dominate
    double bridge;  ///< 1/6 on average over the orders (a pinned random walk), 7/6 in one order of 1000
};

struct KernelProfile {
    Dtype input;        ///< of q, k, v, dout, q~ and k~
    Dtype p, ds;        ///< of P and dS as the second products read them
    double p_scale;     ///< what P is multiplied by before it is rounded (8-bit types)
    Dtype accumulator;  ///< of the matrix products
    Dtype statistics;   ///< of exp, row sums, lse as written, and D
    Dtype output;       ///< of out and the gradients
    Dtype angles;       ///< of the rotary angles; f64: made in double or better, which counts as exact
    RotatedRounding rotation;
    bool delta_from_rounded_out;  ///< D = dout . out reads the written out
    bool modes_apart;             ///< the modes run one after the other, are rounded, and are merged

    int key_tile;  ///< keys between two updates of the running maximum; expectations only
    SumLaw sums;
    /// Whether it is the expectation for the kernel described (true), or what every kernel of a family stays within
    /// (false): terms that cancel on average and roundings known not to happen are then counted in full.
    bool expectation;
    bool margins;  ///< section 6: widened where a row has few independent errors
    friend bool operator==(const KernelProfile&, const KernelProfile&) = default;
};
inline bool operator==(const SumLaw& a, const SumLaw& b) {
    return a.drift == b.drift && a.bridge == b.bridge;
}

/// What the judge uses: any honest kernel that works in the problem's types. Three roundings of a rotation in f16, bf16
/// and the wider types, modes run apart, and sums in the worst order of 1000.
[[nodiscard]] KernelProfile family_profile(const Problem& problem);

/// The kernel of verify/peer: one pass over all modes with a running maximum, rotation rounded once, expectations.
[[nodiscard]] KernelProfile flash_profile(const Problem& problem);

}  // namespace dca::reference
