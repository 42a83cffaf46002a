#include "tests/reference/error_model/trial.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

#include "reference/backward.hpp"
#include "reference/error_scale.hpp"
#include "reference/forward.hpp"

namespace dca::test {
namespace {

/// The engine's output is fixed by the standard; the library's distributions are not.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
    }
    template <class T, std::size_t N>
    T pick(const T (&choices)[N]) {
        return choices[static_cast<std::size_t>(between(0, N - 1))];
    }
    double unit() { return (static_cast<double>(engine_() >> 11) + 0.5) * 0x1p-53; }
    double normal() { return std::sqrt(-2 * std::log(unit())) * std::cos(2 * std::numbers::pi * unit()); }

private:
    std::mt19937_64 engine_;
};

void fill_normal(Tensor4& tensor, Dice& dice, double factor) {
    for (double& x : tensor.values()) x = factor * dice.normal();
}

}  // namespace

Problem trial_problem(std::uint64_t seed, Dtype dtype) {
    Dice dice(seed);
    Problem p;
    p.dtype = dtype;
    Shape& s = p.shape;
    const std::int64_t n = dice.between(40, 300);
    s.seq_q = s.seq_k = n;
    s.heads_kv = dice.between(1, 2);
    s.heads_q = s.heads_kv * dice.between(1, 2);
    s.head_dim = dice.pick({16, 32, 64});
    s.head_dim_v = dice.pick({16, 32, 64});
    const std::int64_t length = dice.pick({1, 5, 16, 37, 64, 100, 200});
    const std::int64_t local = dice.pick({0, 1, 3, 16, 80});
    p.chunk = {length + local, local};
    p.rope.layout = dice.pick({RopeLayout::neox, RopeLayout::neox, RopeLayout::interleaved, RopeLayout::none});
    if (p.rope.layout != RopeLayout::none) {
        p.rope.base = dice.pick({1e4, 1e6});
        if (dice.between(0, 2) == 0) p.rope.rotary_dim = s.head_dim / 2;
        if (dice.between(0, 3) == 0) p.rope.mscale = 1.1386;
    }
    if (dice.between(0, 3) == 0) p.softmax_scale = 0.5 + dice.unit() / 2;
    switch (dice.between(0, 4)) {
        case 0: {
            const auto first = static_cast<std::int32_t>(dice.between(1, n - 1));
            p.cu_seqlens = {0, first, first, static_cast<std::int32_t>(n)};
            break;
        }
        case 1: s.seq_q = dice.between(1, n); break;           // chunked prefill, decode
        case 2: p.query_offset = -dice.between(1, 20); break;  // rows without keys
        default: s.batch = n < 120 ? 2 : 1; break;
    }
    return p;
}

Inputs trial_inputs(const Problem& problem, std::uint64_t seed, double qk_scale, bool gradients) {
    Dice dice(seed * 2654435761u + 1);
    const Shape& s = problem.shape;
    Inputs inputs{Tensor4(q_extents(s)), Tensor4(k_extents(s)), Tensor4(v_extents(s)), {}};
    fill_normal(inputs.q, dice, qk_scale);
    fill_normal(inputs.k, dice, qk_scale);
    fill_normal(inputs.v, dice, 1);
    if (gradients) {
        inputs.dout.emplace(out_extents(s));
        fill_normal(*inputs.dout, dice, 1);
    }
    round_inputs(inputs, problem.dtype);
    return inputs;
}

void round_inputs(Inputs& inputs, Dtype dtype) {
    for (Tensor4* tensor : {&inputs.q, &inputs.k, &inputs.v, inputs.dout ? &*inputs.dout : nullptr}) {
        if (tensor == nullptr) continue;
        for (double& x : tensor->values()) x = round_to(dtype, x);
    }
}

void Tally::add(std::span<const double> expected, std::span<const double> got, std::span<const float> sigma,
                std::int64_t channels) {
    const auto row_length = static_cast<std::size_t>(channels);
    for (std::size_t begin = 0; begin < expected.size(); begin += row_length) {
        double row_error = 0, row_sigma = 0;
        for (std::size_t n = begin; n < begin + row_length; ++n) {
            if (expected[n] == got[n] && sigma[n] == 0) continue;
            const double error = std::abs(got[n] - expected[n]), scale = sigma[n];
            if (!(scale > 0) || !std::isfinite(error) || !std::isfinite(scale)) {
                broken = true;
                continue;
            }
            ++elements;
            worst_element = std::max(worst_element, error / scale);
            sum_of_squares += error / scale * (error / scale);
            row_error += error * error;
            row_sigma += scale * scale;
        }
        if (row_sigma > 0) worst_row = std::max(worst_row, std::sqrt(row_error / row_sigma));
    }
}

void Tally::add(const Tally& other) {
    elements += other.elements;
    worst_element = std::max(worst_element, other.worst_element);
    worst_row = std::max(worst_row, other.worst_row);
    sum_of_squares += other.sum_of_squares;
    broken = broken || other.broken;
}

double Tally::rms() const {
    return elements == 0 ? 0 : std::sqrt(sum_of_squares / static_cast<double>(elements));
}

void Tallies::add(const Tallies& other) {
    out.add(other.out);
    lse.add(other.lse);
    dq.add(other.dq);
    dk.add(other.dk);
    dv.add(other.dv);
}

bool Tallies::accepted() const {
    const auto good = [](const Tally& tally, double row_line) {
        return !tally.broken && tally.worst_element <= 6 && tally.worst_row <= row_line;
    };
    return good(out, 2) && good(lse, 6) && good(dq, 3) && good(dk, 3) && good(dv, 3);
}

std::string describe(const Problem& p) {
    const Shape& s = p.shape;
    std::string text(name(p.dtype));
    text += " batch " + std::to_string(s.batch) + " q " + std::to_string(s.seq_q) + " k " + std::to_string(s.seq_k) +
            " heads " + std::to_string(s.heads_q) + ":" + std::to_string(s.heads_kv) + " d " +
            std::to_string(s.head_dim) + "/" + std::to_string(s.head_dim_v) + " C " +
            std::to_string(p.chunk.chunk_size) + " w " + std::to_string(p.chunk.local_size) + " rope " +
            std::string(name(p.rope.layout)) + " " + std::to_string(p.resolved_rotary_dim()) +
            (p.packed() ? " packed" : " offset " + std::to_string(p.resolved_query_offset()));
    return text;
}

std::string describe(const Tallies& tallies) {
    std::string text;
    const auto add = [&](const char* tensor, const Tally& tally) {
        text += std::string(tensor) + " " + std::to_string(tally.worst_element) + " / " +
                std::to_string(tally.worst_row) + (tally.broken ? " broken; " : "; ");
    };
    add("out", tallies.out);
    add("lse", tallies.lse);
    add("dq", tallies.dq);
    add("dk", tallies.dk);
    add("dv", tallies.dv);
    return text;
}

Truth::Truth(const Problem& problem, const Inputs& inputs) : outputs(reference::forward(problem, inputs)) {
    if (inputs.dout) gradients = reference::backward(problem, inputs, outputs);
    scales = reference::error_scales(problem, inputs, outputs);
}

Tallies judge(const Truth& truth, const KernelResult& result) {
    Tallies tallies;
    const auto add = [](Tally& tally, const Tensor4& expected, const Tensor4& got, const Tensor<float, 4>& sigma) {
        tally.add(expected.values(), got.values(), sigma.values(), expected.extent(3));
    };
    add(tallies.out, truth.outputs.out, result.outputs.out, truth.scales.out);
    tallies.lse.add(truth.outputs.lse.values(), result.outputs.lse.values(), truth.scales.lse.values(), 1);
    if (truth.gradients && result.gradients) {
        add(tallies.dq, truth.gradients->dq, result.gradients->dq, *truth.scales.dq);
        add(tallies.dk, truth.gradients->dk, result.gradients->dk, *truth.scales.dk);
        add(tallies.dv, truth.gradients->dv, result.gradients->dv, *truth.scales.dv);
    }
    return tallies;
}

}  // namespace dca::test
