// mscale (cos, sin) of the rotary positions of one sequence, as double-doubles (Def.4).
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "reference/math/aligned_buffer.hpp"

namespace dca::certified {

/// A position is split in two digits and e^(i P f) is the product of two table entries, each evaluated by MPFR from the
/// exact angle. As a complex number within 15 u^2 |mscale| (docs/certified.md).
class Angles {
public:
    /// positions: every one that will be asked for.
    Angles(const std::vector<double>& inv_freq, double mscale, const std::vector<std::int64_t>& positions);

    /// Doubles that at() writes to each of hi and lo: eight cosines, eight sines, and so on, padded with zeros.
    [[nodiscard]] std::size_t size() const { return 2 * padded_pairs_; }
    [[nodiscard]] int padded_pairs() const { return static_cast<int>(padded_pairs_); }
    void at(std::int64_t position, double* hi, double* lo) const;

private:
    struct Digits {
        std::unordered_map<std::int64_t, std::size_t> entry;
        reference::AlignedBuffer hi, lo;
    };
    void fill(Digits& digits, const std::vector<double>& inv_freq, double factor, int shift) const;

    std::size_t padded_pairs_;
    int low_bits_ = 0;
    Digits high_, low_;
};

}  // namespace dca::certified
