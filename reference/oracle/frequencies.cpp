#include "reference/oracle/frequencies.hpp"

#include <algorithm>

#include "reference/oracle/scalar.hpp"

namespace dca::oracle {
namespace {

/// The attributes the schemes read, widened once. Names as in Def.5.
struct Parameters {
    Quad rd, base, f = 1, T = 1, l = 1;
    Quad two_pi = 2 * acosq(-1);
    const RopeConfig& rope;

    Parameters(const Problem& problem, std::int64_t keys)
        : rd(problem.resolved_rotary_dim()), base(problem.rope.base), rope(problem.rope) {
        if (rope.factor) f = *rope.factor;
        if (const auto original = rope.resolved_original_max_position()) T = *original;
        l = std::max(T, Quad(keys));
    }

    /// (base exp(log_stretch))^(-2k/rd)
    [[nodiscard]] Quad theta(int k, Quad log_stretch = 0) const { return exp(-2 * k * (log(base) + log_stretch) / rd); }

    /// log of the factor that enlarges the base so that the lowest frequency is divided by `stretch`.
    [[nodiscard]] Quad log_base_stretch(Quad stretch) const { return rd / (rd - 2) * log(stretch); }
};

/// The pair whose wave length fits `rotations` times into the original context.
Quad yarn_dimension(const Parameters& p, Quad rotations) {
    return p.rd * log(p.T / (p.two_pi * rotations)) / (2 * log(p.base));
}

/// How far pair k is interpolated: 0 not at all, 1 fully.
Quad yarn_ramp(const Parameters& p, int k) {
    const Quad low = std::clamp(floorq(yarn_dimension(p, p.rope.beta_fast)), Quad(0), p.rd - 1);
    const Quad high = std::clamp(ceilq(yarn_dimension(p, p.rope.beta_slow)), Quad(0), p.rd - 1);
    const Quad width = high == low ? Quad(1) / 1000 : high - low;
    return std::clamp((k - low) / width, Quad(0), Quad(1));
}

Quad llama3_frequency(const Parameters& p, int k) {
    const Quad theta = p.theta(k);
    const Quad rotations = p.T * theta / p.two_pi;  // T / wave length
    const Quad low = p.rope.low_freq_factor, high = p.rope.high_freq_factor;
    const Quad kept = std::clamp((rotations - low) / (high - low), Quad(0), Quad(1));
    return theta * ((1 - kept) / p.f + kept);
}

Quad frequency(const Parameters& p, int k) {
    switch (p.rope.scaling) {
        case RopeScaling::none: return p.theta(k);
        case RopeScaling::linear: return p.theta(k) / p.f;
        case RopeScaling::ntk: return p.theta(k, p.log_base_stretch(p.f));
        case RopeScaling::dynamic: return p.theta(k, p.log_base_stretch(p.f * p.l / p.T - (p.f - 1)));
        case RopeScaling::yarn: {
            const Quad ramp = yarn_ramp(p, k);
            return p.theta(k) * (ramp / p.f + (1 - ramp));
        }
        case RopeScaling::llama3: return llama3_frequency(p, k);
    }
    throw ContractError("unknown rope_scaling");
}

}  // namespace

std::vector<double> inverse_frequencies(const Problem& problem, std::int64_t keys) {
    if (!problem.rope.inv_freq.empty()) return problem.rope.inv_freq;
    const Parameters parameters(problem, keys);
    std::vector<double> found;
    for (int k = 0; k < problem.resolved_rotary_dim() / 2; ++k) {
        found.push_back(static_cast<double>(frequency(parameters, k)));
    }
    return found;
}

double mscale(const RopeConfig& rope) {
    if (rope.mscale) return *rope.mscale;
    const Quad f = rope.factor.value_or(1);
    return rope.scaling == RopeScaling::yarn && f > 1 ? static_cast<double>(log(f) / 10 + 1) : 1;
}

}  // namespace dca::oracle
