#include "gpu/host/frequencies.hpp"

#include <quadmath.h>

#include <cmath>

#include "reference/spec/error.hpp"

namespace dca::gpu::host {
namespace {

using Quad = __float128;

const Quad two_pi = 2 * acosq(Quad(-1));

/// The settings of one problem, widened once.
struct Rope {
    Quad base, factor, original;
    Quad beta_fast, beta_slow, low_freq, high_freq;
    std::int64_t dim;
    std::int64_t keys;
};

Quad power(const Rope& r, Quad base, std::int64_t pair) {
    return expq(logq(base) * Quad(-2 * pair) / Quad(r.dim));
}

/// b s^(rd / (rd - 2)).
Quad stretched_base(const Rope& r, Quad stretch) {
    return r.base * powq(stretch, Quad(r.dim) / Quad(r.dim - 2));
}

/// The channel pair that turns `turns` times over the original length, as a real number.
Quad pair_that_turns(const Rope& r, Quad turns) {
    return Quad(r.dim) * logq(r.original / (two_pi * turns)) / (2 * logq(r.base));
}

/// 0: keep theta, 1: divide it by the factor.
Quad yarn_ramp(const Rope& r, std::int64_t pair) {
    const Quad last = Quad(r.dim - 1);
    const Quad low = fminq(fmaxq(floorq(pair_that_turns(r, r.beta_fast)), Quad(0)), last);
    Quad high = fminq(fmaxq(ceilq(pair_that_turns(r, r.beta_slow)), Quad(0)), last);
    if (low == high) high += Quad(1) / Quad(1000);
    return fminq(fmaxq((Quad(pair) - low) / (high - low), Quad(0)), Quad(1));
}

Quad llama3(const Rope& r, Quad theta) {
    const Quad turns = r.original * theta / two_pi;  // T / wave
    if (turns > r.high_freq) return theta;
    if (turns < r.low_freq) return theta / r.factor;
    const Quad t = (turns - r.low_freq) / (r.high_freq - r.low_freq);
    return theta * ((Quad(1) - t) / r.factor + t);
}

Quad frequency(const Rope& r, RopeScaling scaling, std::int64_t pair) {
    switch (scaling) {
        case RopeScaling::none: return power(r, r.base, pair);
        case RopeScaling::linear: return power(r, r.base, pair) / r.factor;
        case RopeScaling::ntk: return power(r, stretched_base(r, r.factor), pair);
        case RopeScaling::dynamic: {
            const Quad length = fmaxq(r.original, Quad(r.keys));
            return power(r, stretched_base(r, r.factor * length / r.original - (r.factor - 1)), pair);
        }
        case RopeScaling::yarn: {
            const Quad theta = power(r, r.base, pair), ramp = yarn_ramp(r, pair);
            return theta / r.factor * ramp + theta * (1 - ramp);
        }
        case RopeScaling::llama3: return llama3(r, power(r, r.base, pair));
    }
    throw ContractError("rope_scaling without frequencies");
}

}  // namespace

std::vector<double> inverse_frequencies(const Problem& problem, std::int64_t keys) {
    const RopeConfig& rope = problem.rope;
    if (rope.layout == RopeLayout::none) return {};
    if (!rope.inv_freq.empty()) return rope.inv_freq;
    const Rope widened{rope.base,
                       rope.factor.value_or(1.0),
                       rope.resolved_original_max_position().value_or(1.0),
                       rope.beta_fast,
                       rope.beta_slow,
                       rope.low_freq_factor,
                       rope.high_freq_factor,
                       problem.resolved_rotary_dim(),
                       keys};
    std::vector<double> frequencies;
    for (std::int64_t pair = 0; pair < widened.dim / 2; ++pair) {
        frequencies.push_back(static_cast<double>(frequency(widened, rope.scaling, pair)));
    }
    return frequencies;
}

double length_factor(const RopeConfig& rope) {
    if (rope.mscale) return *rope.mscale;
    const double factor = rope.factor.value_or(1.0);
    if (rope.scaling != RopeScaling::yarn || !(factor > 1)) return 1;
    return static_cast<double>(Quad(1) + logq(Quad(factor)) / Quad(10));
}

}  // namespace dca::gpu::host
