#include "reference/math/rope.hpp"

#include <quadmath.h>

#include <algorithm>
#include <bit>

#include "reference/math/parallel.hpp"
#include "reference/spec/error.hpp"

namespace dca::reference {
namespace {

/// Angles are kept up to this many (16 MiB), so that a position that many rows share is worked out once.
constexpr std::int64_t cached_angles = std::int64_t{1} << 20;
/// Positions that one thread works out in one go.
constexpr std::int64_t block = 64;

void rotate_pairs(std::int64_t pairs, std::int64_t step, const double* __restrict cos_sin, const double* __restrict a,
                  const double* __restrict b, double* __restrict turned_a, double* __restrict turned_b) {
    for (std::int64_t k = 0; k < pairs; ++k) {
        const double cos = cos_sin[2 * k], sin = cos_sin[2 * k + 1];
        turned_a[k * step] = a[k * step] * cos - b[k * step] * sin;
        turned_b[k * step] = b[k * step] * cos + a[k * step] * sin;
    }
}

}  // namespace

RotaryPair rotary_pair(RopeLayout layout, std::int64_t k, std::int64_t pairs) {
    return layout == RopeLayout::interleaved ? RotaryPair{2 * k, 2 * k + 1} : RotaryPair{k, k + pairs};
}

RotaryTable::RotaryTable(std::vector<double> inv_freq, double mscale, RopeLayout layout, std::int64_t max_position)
    : pairs_(static_cast<std::int64_t>(inv_freq.size())), layout_(layout), mscale_(mscale) {
    expects(max_position >= 0, "RotaryTable: positions are not negative");
    const int bits = std::bit_width(static_cast<std::uint64_t>(max_position));
    const int digits = bits <= 4 ? 1 : bits <= 20 ? 2 : 3;  // tables of at most 2^11 rows for positions up to 2^31
    digit_bits_ = (bits + digits - 1) / digits;
    for (int shift = 0; shift < std::max(bits, 1); shift += std::max(digit_bits_, 1)) {
        const std::int64_t rows = std::min(std::int64_t{1} << digit_bits_, (max_position >> shift) + 1);
        Level level{shift, std::vector<Complex>(static_cast<std::size_t>(rows * pairs_))};
        for (std::int64_t k = 0; k < pairs_; ++k) {
            // 2^shift * f is exact, and so is its product with a digit in binary128; the powers lose under 2^-100.
            const __float128 angle = static_cast<__float128>(inv_freq[static_cast<std::size_t>(k)]) *
                                     static_cast<__float128>(std::int64_t{1} << shift);
            __float128 step_im, step_re, re = 1, im = 0;
            sincosq(angle, &step_im, &step_re);
            for (std::int64_t digit = 0; digit < rows; ++digit) {
                level.powers[static_cast<std::size_t>(digit * pairs_ + k)] = {static_cast<long double>(re),
                                                                              static_cast<long double>(im)};
                const __float128 next_re = re * step_re - im * step_im;
                im = re * step_im + im * step_re;
                re = next_re;
            }
        }
        levels_.push_back(std::move(level));
    }
    const std::int64_t positions = max_position + 1;
    if (pairs_ == 0 || positions > cached_angles / pairs_) return;
    cached_.resize(static_cast<std::size_t>(positions) * angles_size());
    const double work = 30.0 * static_cast<double>(positions * pairs_);
    parallel_for((positions + block - 1) / block, work, [&](std::int64_t n) {
        for (std::int64_t p = n * block; p < std::min(positions, (n + 1) * block); ++p) {
            compute_angles(p, cached_.data() + static_cast<std::size_t>(p) * angles_size());
        }
    });
}

void RotaryTable::compute_angles(std::int64_t p, double* cos_sin) const {
    const std::int64_t mask = (std::int64_t{1} << digit_bits_) - 1;
    for (std::int64_t k = 0; k < pairs_; ++k) {
        long double re = mscale_, im = 0;
        for (const Level& level : levels_) {
            const Complex& factor = level.powers[static_cast<std::size_t>(((p >> level.shift) & mask) * pairs_ + k)];
            const long double next_re = re * factor.re - im * factor.im;
            im = re * factor.im + im * factor.re;
            re = next_re;
        }
        cos_sin[2 * k] = static_cast<double>(re);
        cos_sin[2 * k + 1] = static_cast<double>(im);
    }
}

void RotaryTable::angles(RotaryPosition position, double* cos_sin) const {
    if (cached_.empty()) return compute_angles(position.value(), cos_sin);
    const auto size = static_cast<std::ptrdiff_t>(angles_size());
    std::copy_n(cached_.begin() + position.value() * size, size, cos_sin);
}

void RotaryTable::rotate(const double* cos_sin, const double* row, double* out, std::int64_t head_dim) const {
    // The two layouts apart, each a loop of fixed strides: every row of q is rotated for up to three modes.
    if (layout_ == RopeLayout::interleaved) {
        rotate_pairs(pairs_, 2, cos_sin, row, row + 1, out, out + 1);
    } else {
        rotate_pairs(pairs_, 1, cos_sin, row, row + pairs_, out, out + pairs_);
    }
    std::copy(row + rotary_dim(), row + head_dim, out + rotary_dim());
}

void RotaryTable::add_transposed(const double* cos_sin, const double* row, double* out, std::int64_t head_dim) const {
    for (std::int64_t k = 0; k < pairs_; ++k) {
        const auto [first, second] = rotary_pair(layout_, k, pairs_);
        const double cos = cos_sin[2 * k], sin = cos_sin[2 * k + 1];
        out[first] += row[first] * cos + row[second] * sin;
        out[second] += row[second] * cos - row[first] * sin;
    }
    for (std::int64_t e = rotary_dim(); e < head_dim; ++e) out[e] += row[e];
}

}  // namespace dca::reference
