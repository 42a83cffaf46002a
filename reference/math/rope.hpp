// Rotation of one row by an integer position, and its transpose (Def.4).
#pragma once

#include <cstdint>
#include <vector>

#include "reference/spec/index.hpp"
#include "reference/spec/problem.hpp"

namespace dca::reference {

/// The two dims that the k-th of `pairs` frequencies turns.
struct RotaryPair {
    std::int64_t first, second;
};
[[nodiscard]] RotaryPair rotary_pair(RopeLayout layout, std::int64_t k, std::int64_t pairs);

/// cos and sin of position * inv_freq_k, from the exact product: e^(i P f) is the product of a few table entries
/// e^(i digit 2^s f), one per digit of P, tabulated from binary128 and multiplied in extended precision. Absolute error
/// below 2^-61 before the one rounding to double, whatever the position. Up to 2^20 angles are worked out once and kept
/// (16 MiB); beyond that memory grows like the square or cube root of the largest position.
class RotaryTable {
public:
    /// inv_freq has rotary_dim / 2 values (none: nothing is rotated). Positions up to max_position can be asked for.
    RotaryTable(std::vector<double> inv_freq, double mscale, RopeLayout layout, std::int64_t max_position);

    /// rotary_dim / 2 pairs (cos, sin), each times mscale and rounded to double once.
    void angles(RotaryPosition position, double* cos_sin) const;

    /// out = R(position) row: dims [0, rotary_dim) rotated and multiplied by mscale, the rest copied. head_dim values;
    /// out may not be row. cos_sin as from angles().
    void rotate(const double* cos_sin, const double* row, double* out, std::int64_t head_dim) const;
    /// out += R(position)^T row: rotates back and multiplies by mscale (not by 1 / mscale), adds the rest unchanged.
    void add_transposed(const double* cos_sin, const double* row, double* out, std::int64_t head_dim) const;

    [[nodiscard]] std::int64_t pairs() const { return pairs_; }
    [[nodiscard]] std::int64_t rotary_dim() const { return 2 * pairs_; }
    /// Doubles that angles() writes.
    [[nodiscard]] std::size_t angles_size() const { return static_cast<std::size_t>(2 * pairs_); }

private:
    struct Complex {
        long double re, im;
    };
    void compute_angles(std::int64_t position, double* cos_sin) const;

    /// Powers of e^(i 2^shift f): entry (digit, k).
    struct Level {
        int shift;
        std::vector<Complex> powers;
    };

    std::int64_t pairs_;
    RopeLayout layout_;
    long double mscale_;
    int digit_bits_ = 0;
    std::vector<Level> levels_;
    std::vector<double> cached_;  ///< angles() of every position, where that is small; else empty
};

}  // namespace dca::reference
