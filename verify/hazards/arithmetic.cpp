#include "verify/hazards/arithmetic.hpp"

#include <algorithm>
#include <cmath>

#include "reference/spec/dtype.hpp"
#include "reference/spec/error.hpp"

namespace dca::hazards {

double merged_with_empty(MergeForm form, double empty_lse) {
    constexpr double out = 1, lse = 0, empty_out = 0;
    switch (form) {
        case MergeForm::max_subtracting: {
            const double top = std::max(lse, empty_lse);
            const double a = std::exp(lse - top), b = std::exp(empty_lse - top);
            return (a * out + b * empty_out) / (a + b);
        }
        case MergeForm::log1p: {
            const double both =
                std::max(lse, empty_lse) + std::log1p(std::exp(std::min(lse, empty_lse) - std::max(lse, empty_lse)));
            return std::exp(lse - both) * out + std::exp(empty_lse - both) * empty_out;
        }
        case MergeForm::sigmoid: {
            const double a = 1 / (1 + std::exp(empty_lse - lse));
            return a * out + (1 - a) * empty_out;
        }
    }
    throw ContractError("merge without a form");
}

double float32_angle_error(std::int64_t last_position, double base, std::int64_t rotary_dim) {
    double worst = 0;
    for (std::int64_t k = 0; k < rotary_dim / 2; ++k) {
        // 1 / base ** (2k / rotary_dim), each result rounded to float32; pow in double, the same on every machine.
        const float exponent = static_cast<float>(2 * k) / static_cast<float>(rotary_dim);
        const float inv_freq = 1 / static_cast<float>(std::pow(base, static_cast<double>(exponent)));
        const double exact = std::pow(base, -2.0 * static_cast<double>(k) / static_cast<double>(rotary_dim));
        for (std::int64_t position = std::max<std::int64_t>(last_position - 999, 0); position <= last_position;
             ++position) {
            const float angle = static_cast<float>(position) * inv_freq;
            worst = std::max(worst, std::abs(static_cast<double>(angle) - static_cast<double>(position) * exact));
        }
    }
    return worst;
}

double bf16_cosine_error() {
    double worst = 0;
    for (int step = 0; step < 6284; ++step) {
        const double cosine = std::cos(0.001 * step);
        worst = std::max(worst, std::abs(round_to(Dtype::bf16, cosine) - cosine));
    }
    return worst;
}

std::int64_t mixed_stride_relative(std::int64_t chunk_size, std::int64_t local_size, std::int64_t i, std::int64_t j) {
    const std::int64_t len = chunk_size - local_size;
    const std::int64_t chunks_apart = i / chunk_size - j / chunk_size;
    const std::int64_t query = chunks_apart == 0   ? i % len
                               : chunks_apart == 1 ? std::min(i % len + len, chunk_size)
                                                   : std::min(2 * len - 1, chunk_size);
    return query - j % len;
}

std::int64_t unclamped_decode_position(std::int64_t chunk_size, std::int64_t i) {
    return i % chunk_size + chunk_size;
}

std::int64_t padded_inter_position(std::int64_t chunk_size, std::int64_t local_size, std::int64_t padding) {
    const std::int64_t len = chunk_size - local_size;
    const std::int64_t in_column = std::max<std::int64_t>(len - 1 - padding, 0);
    return std::min(in_column + len, chunk_size);
}

std::int64_t misplaced_lse(std::int64_t heads, std::int64_t rows) {
    std::int64_t count = 0;
    for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t head = 0; head < heads; ++head) count += row * heads + head != head * rows + row;
    }
    return count;
}

}  // namespace dca::hazards
