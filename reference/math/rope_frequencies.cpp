#include "reference/math/rope_frequencies.hpp"

#include <quadmath.h>

#include <algorithm>

#include "reference/math/chunk_positions.hpp"
#include "reference/spec/error.hpp"

namespace dca::reference {
namespace {

using Quad = __float128;

const Quad two_pi = 8 * atanq(Quad(1));

/// base^(-2k/rd), k = 0 .. rd/2 - 1.
std::vector<Quad> geometric(Quad base, std::int64_t rotary_dim) {
    std::vector<Quad> theta(static_cast<std::size_t>(rotary_dim / 2));
    for (std::size_t k = 0; k < theta.size(); ++k) {
        theta[k] = powq(base, -Quad(2 * static_cast<std::int64_t>(k)) / Quad(rotary_dim));
    }
    return theta;
}

/// rd / (rd - 2), the exponent that makes the lowest frequency exactly `factor` times slower in the ntk schemes.
Quad ntk_base(Quad base, Quad factor, std::int64_t rotary_dim) {
    return base * powq(factor, Quad(rotary_dim) / Quad(rotary_dim - 2));
}

void scale_yarn(const RopeConfig& rope, std::int64_t rotary_dim, std::vector<Quad>& theta) {
    const Quad original = *rope.resolved_original_max_position();
    const auto dimension_of = [&](Quad rotations) {
        return Quad(rotary_dim) * logq(original / (two_pi * rotations)) / (2 * logq(Quad(rope.base)));
    };
    const auto clamped = [&](Quad x) { return std::clamp(x, Quad(0), Quad(rotary_dim - 1)); };
    const Quad low = clamped(floorq(dimension_of(rope.beta_fast)));
    Quad high = clamped(ceilq(dimension_of(rope.beta_slow)));
    if (low == high) high += Quad(1) / 1000;
    for (std::size_t k = 0; k < theta.size(); ++k) {
        const Quad ramp = std::clamp((Quad(k) - low) / (high - low), Quad(0), Quad(1));
        theta[k] = theta[k] / Quad(*rope.factor) * ramp + theta[k] * (1 - ramp);
    }
}

void scale_llama3(const RopeConfig& rope, std::vector<Quad>& theta) {
    const Quad original = *rope.resolved_original_max_position();
    const Quad low = rope.low_freq_factor, high = rope.high_freq_factor, factor = *rope.factor;
    for (Quad& frequency : theta) {
        const Quad wave = two_pi / frequency;
        if (wave < original / high) continue;
        if (wave > original / low) {
            frequency /= factor;
            continue;
        }
        const Quad blend = (original / wave - low) / (high - low);
        frequency *= (1 - blend) / factor + blend;
    }
}

std::vector<Quad> frequencies(const RopeConfig& rope, std::int64_t rotary_dim, std::int64_t key_count) {
    switch (rope.scaling) {
        case RopeScaling::none: return geometric(rope.base, rotary_dim);
        case RopeScaling::linear: {
            auto theta = geometric(rope.base, rotary_dim);
            for (Quad& frequency : theta) frequency /= Quad(*rope.factor);
            return theta;
        }
        case RopeScaling::ntk: return geometric(ntk_base(rope.base, *rope.factor, rotary_dim), rotary_dim);
        case RopeScaling::dynamic: {
            const Quad original = *rope.original_max_position, factor = *rope.factor;
            const Quad length = std::max(original, Quad(key_count));
            return geometric(ntk_base(rope.base, factor * length / original - (factor - 1), rotary_dim), rotary_dim);
        }
        case RopeScaling::yarn: {
            auto theta = geometric(rope.base, rotary_dim);
            scale_yarn(rope, rotary_dim, theta);
            return theta;
        }
        case RopeScaling::llama3: {
            auto theta = geometric(rope.base, rotary_dim);
            scale_llama3(rope, theta);
            return theta;
        }
    }
    throw ContractError("rope_scaling without a rule");
}

}  // namespace

RopeConfig effective_rope(const Problem& problem) {
    const Dialect& dialect = dialect_of(problem);
    RopeConfig rope = problem.rope;
    const bool divides_positions = dialect.linear != LinearScaling::frequencies && rope.scaling == RopeScaling::linear;
    if (dialect.scaling == ScalingSupport::ignored || divides_positions) {
        rope.scaling = RopeScaling::none;
        rope.factor.reset();
        rope.original_max_position.reset();
    }
    return rope;
}

std::vector<double> inv_freq(const Problem& problem, std::int64_t key_count) {
    if (problem.rope.layout == RopeLayout::none) return {};
    if (!problem.rope.inv_freq.empty()) return problem.rope.inv_freq;
    const auto exact = frequencies(effective_rope(problem), problem.resolved_rotary_dim(), key_count);
    return {exact.begin(), exact.end()};
}

double mscale(const RopeConfig& rope) {
    if (rope.mscale) return *rope.mscale;
    if (rope.scaling != RopeScaling::yarn || !(*rope.factor > 1)) return 1.0;
    return static_cast<double>(logq(Quad(*rope.factor)) / 10 + 1);
}

}  // namespace dca::reference
