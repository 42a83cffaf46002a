#include "reference/certified/angles.hpp"

#include <algorithm>
#include <bit>

#include "reference/certified/kernels/choose.hpp"
#include "reference/math/parallel.hpp"
#include "reference/numbers/exact.hpp"
#include "reference/spec/error.hpp"

namespace dca::certified {
namespace {

constexpr mpfr_prec_t bits = 160;

}  // namespace

Angles::Angles(const std::vector<double>& inv_freq, double mscale, const std::vector<std::int64_t>& positions)
    : padded_pairs_((inv_freq.size() + 7) / 8 * 8) {
    if (inv_freq.empty()) return;
    // Two tables of about equally many entries.
    low_bits_ = (std::bit_width(positions.size()) + 1) / 2;
    for (const std::int64_t position : positions) {
        expects(position >= 0, "Angles: positions are not negative");
        high_.entry.try_emplace(position >> low_bits_, high_.entry.size());
        low_.entry.try_emplace(position & ((std::int64_t{1} << low_bits_) - 1), low_.entry.size());
    }
    fill(high_, inv_freq, mscale, low_bits_);
    fill(low_, inv_freq, 1, 0);
}

void Angles::fill(Digits& digits, const std::vector<double>& inv_freq, double factor, int shift) const {
    const std::size_t count = digits.entry.size();
    digits.hi = reference::AlignedBuffer(count * size());
    digits.lo = reference::AlignedBuffer(count * size());
    std::vector<std::pair<std::int64_t, std::size_t>> entries(digits.entry.begin(), digits.entry.end());
    // One pair takes some 5 microseconds, as long as 10^5 multiply-adds.
    const double work = 1e5 * static_cast<double>(count * inv_freq.size());
    reference::parallel_for(static_cast<std::int64_t>(count), work, [&](std::int64_t n) {
        const auto [digit, entry] = entries[static_cast<std::size_t>(n)];
        double* hi = digits.hi.data() + entry * size();
        double* lo = digits.lo.data() + entry * size();
        numbers::BigFloat cos(bits), sin(bits);
        for (std::size_t k = 0; k < inv_freq.size(); ++k) {
            const numbers::BigFloat angle = numbers::exact_angle(digit << shift, inv_freq[k]);
            mpfr_sin_cos(sin.get(), cos.get(), angle.get(), MPFR_RNDN);
            mpfr_mul_d(cos.get(), cos.get(), factor, MPFR_RNDN);
            mpfr_mul_d(sin.get(), sin.get(), factor, MPFR_RNDN);
            const std::size_t at = k / 8 * 16 + k % 8;
            const auto cos_parts = numbers::to_two_doubles(cos), sin_parts = numbers::to_two_doubles(sin);
            hi[at] = cos_parts.hi;
            lo[at] = cos_parts.lo;
            hi[at + 8] = sin_parts.hi;
            lo[at + 8] = sin_parts.lo;
        }
        mpfr_free_cache2(MPFR_FREE_LOCAL_CACHE);
    });
}

void Angles::at(std::int64_t position, double* hi, double* lo) const {
    if (padded_pairs_ == 0) return;
    const std::size_t high = high_.entry.at(position >> low_bits_) * size();
    const std::size_t low = low_.entry.at(position & ((std::int64_t{1} << low_bits_) - 1)) * size();
    kernels().multiply_complex(high_.hi.data() + high, high_.lo.data() + high, low_.hi.data() + low,
                               low_.lo.data() + low, padded_pairs(), hi, lo);
}

}  // namespace dca::certified
