#include "verify/peer/geometry.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace dca::peer {
namespace {

constexpr long double two_pi = 2 * std::numbers::pi_v<long double>;

long double base_of(const RopeConfig& rope, std::int64_t dim, std::int64_t keys) {
    const long double base = rope.base, exponent = static_cast<long double>(dim) / static_cast<long double>(dim - 2);
    if (rope.scaling == RopeScaling::ntk) return base * std::pow(static_cast<long double>(*rope.factor), exponent);
    if (rope.scaling != RopeScaling::dynamic) return base;
    const long double trained = *rope.original_max_position, factor = *rope.factor;
    const long double length = std::max(trained, static_cast<long double>(keys));
    return base * std::pow(factor * length / trained - (factor - 1), exponent);
}

/// The share of the interpolated frequency in pair k.
long double yarn_ramp(const RopeConfig& rope, std::int64_t dim, std::int64_t k) {
    const long double trained = *rope.resolved_original_max_position();
    const auto pair_turning = [&](long double turns) {
        return static_cast<long double>(dim) * std::log(trained / (two_pi * turns)) /
               (2 * std::log(static_cast<long double>(rope.base)));
    };
    const long double last = static_cast<long double>(dim) - 1;
    const long double low = std::clamp(std::floor(pair_turning(rope.beta_fast)), 0.0L, last);
    long double high = std::clamp(std::ceil(pair_turning(rope.beta_slow)), 0.0L, last);
    if (low == high) high += 0.001L;
    return std::clamp((static_cast<long double>(k) - low) / (high - low), 0.0L, 1.0L);
}

long double llama3_factor(const RopeConfig& rope, long double theta) {
    const long double trained = *rope.resolved_original_max_position(), wave = two_pi / theta;
    const long double low = rope.low_freq_factor, high = rope.high_freq_factor, factor = *rope.factor;
    if (wave < trained / high) return 1;
    if (wave > trained / low) return 1 / factor;
    const long double t = (trained / wave - low) / (high - low);
    return (1 - t) / factor + t;
}

}  // namespace

std::vector<Part> parts_of(const Problem& problem) {
    std::vector<Part> parts;
    for (std::size_t s = 1; s < problem.cu_seqlens.size(); ++s) {
        const std::int64_t begin = problem.cu_seqlens[s - 1], end = problem.cu_seqlens[s];
        if (begin < end) parts.push_back({0, begin, end, begin, end, 0});
    }
    for (std::int64_t b = 0; !problem.packed() && b < problem.shape.batch; ++b) {
        parts.push_back({b, 0, problem.shape.seq_q, 0, problem.shape.seq_k, problem.resolved_query_offset()});
    }
    return parts;
}

std::array<Reach, mode_count> reaches(const ChunkConfig& chunk, std::int64_t i, std::int64_t keys) {
    const std::int64_t visible = std::min(i + 1, keys);
    const std::int64_t own = std::min(i / chunk.chunk_len() * chunk.chunk_len(), visible);
    const std::int64_t before = std::min(std::max<std::int64_t>(0, i / chunk.chunk_len() - 1) * chunk.chunk_len(), own);
    return {Reach{own, visible}, Reach{before, own}, Reach{0, before}};
}

std::int64_t query_position(const ChunkConfig& chunk, std::int64_t i, int mode) {
    const std::int64_t length = chunk.chunk_len(), limit = chunk.chunk_size;
    if (mode == 0) return i % length;
    return mode == 1 ? std::min(i % length + length, limit) : std::min(2 * length - 1, limit);
}

std::vector<double> frequencies(const Problem& problem, std::int64_t keys) {
    const RopeConfig& rope = problem.rope;
    if (!rope.inv_freq.empty()) return rope.inv_freq;
    std::vector<double> out;
    const std::int64_t dim = problem.resolved_rotary_dim();
    if (dim == 0) return out;
    const long double base = base_of(rope, dim, keys);
    for (std::int64_t k = 0; k < dim / 2; ++k) {
        long double theta = std::pow(base, -2 * static_cast<long double>(k) / static_cast<long double>(dim));
        if (rope.scaling == RopeScaling::linear) theta /= *rope.factor;
        if (rope.scaling == RopeScaling::llama3) theta *= llama3_factor(rope, theta);
        if (rope.scaling == RopeScaling::yarn) {
            const long double ramp = yarn_ramp(rope, dim, k);
            theta = theta / *rope.factor * ramp + theta * (1 - ramp);
        }
        out.push_back(static_cast<double>(theta));
    }
    return out;
}

double table_factor(const RopeConfig& rope) {
    if (rope.mscale) return *rope.mscale;
    const double factor = rope.factor.value_or(1);
    return rope.scaling == RopeScaling::yarn && factor > 1 ? 0.1 * std::log(factor) + 1 : 1;
}

}  // namespace dca::peer
