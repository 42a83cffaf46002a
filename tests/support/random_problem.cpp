#include "tests/support/random_problem.hpp"

#include <random>
#include <string>

namespace dca::test {
namespace {

/// Draws from an engine whose output the standard fixes; the library's distributions differ between implementations.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
    }
    bool one_in(std::int64_t n) { return between(1, n) == 1; }
    double unit() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
    double normal() {
        double sum = -6;
        for (int n = 0; n < 12; ++n) sum += unit();
        return sum;
    }

private:
    std::mt19937_64 engine_;
};

void roll_rope(Dice& dice, Problem& problem) {
    RopeConfig& rope = problem.rope;
    constexpr RopeLayout layouts[] = {RopeLayout::neox, RopeLayout::neox, RopeLayout::interleaved, RopeLayout::none};
    rope.layout = layouts[dice.between(0, 3)];
    if (rope.layout == RopeLayout::none) return;
    if (dice.one_in(2)) rope.rotary_dim = 2 * dice.between(1, problem.shape.head_dim / 2);
    rope.base = dice.one_in(3) ? 5e5 : 1e4;
    const std::int64_t rotary_dim = problem.resolved_rotary_dim();
    rope.scaling = static_cast<RopeScaling>(dice.between(0, 5));
    const bool needs_exponent = rope.scaling == RopeScaling::ntk || rope.scaling == RopeScaling::dynamic;
    if (needs_exponent && rotary_dim <= 2) rope.scaling = RopeScaling::linear;
    if (rope.scaling != RopeScaling::none) {
        rope.factor = 1 + 7 * dice.unit();
        rope.original_max_position = static_cast<double>(dice.between(4, 64));
    }
    if (dice.one_in(4)) rope.mscale = 0.8 + 0.5 * dice.unit();
    if (dice.one_in(5)) {
        for (std::int64_t k = 0; k < rotary_dim / 2; ++k) rope.inv_freq.push_back(2 * dice.unit());
    }
}

void roll_layout(Dice& dice, Problem& problem) {
    Shape& s = problem.shape;
    switch (dice.between(0, 3)) {
        case 0: {  // packed, with empty and one-token sequences
            problem.cu_seqlens = {0};
            const std::int64_t count = dice.between(1, 5);
            for (std::int64_t n = 0; n < count; ++n) {
                const std::int64_t length = dice.one_in(4) ? dice.between(0, 1) : dice.between(2, 24);
                problem.cu_seqlens.push_back(problem.cu_seqlens.back() + static_cast<std::int32_t>(length));
            }
            if (problem.cu_seqlens.back() == 0) problem.cu_seqlens.push_back(3);
            s.batch = 1;
            s.seq_q = s.seq_k = problem.cu_seqlens.back();
            return;
        }
        case 1:  // decode or chunked prefill
            s.seq_k = dice.between(1, 60);
            s.seq_q = dice.one_in(2) ? 1 : dice.between(1, s.seq_k);
            if (dice.one_in(2)) problem.query_offset = dice.between(0, 70);
            return;
        case 2:  // more rows than keys, or rows before every key
            s.seq_k = dice.between(1, 30);
            s.seq_q = s.seq_k + dice.between(1, 10);
            if (dice.one_in(2)) problem.query_offset = dice.between(-5, 5);
            return;
        default: s.seq_q = s.seq_k = dice.between(1, 60); return;
    }
}

}  // namespace

Problem random_problem(std::uint64_t seed) {
    Dice dice(seed);
    Problem problem;
    Shape& s = problem.shape;
    s.batch = dice.between(1, 2);
    s.heads_kv = dice.between(1, 2);
    s.heads_q = s.heads_kv * dice.between(1, 3);
    s.head_dim = 2 * dice.between(1, 12);
    s.head_dim_v = dice.one_in(2) ? s.head_dim : dice.between(1, 20);
    const std::int64_t chunk_len = dice.one_in(6) ? 1 : dice.one_in(6) ? 200 : dice.between(2, 17);
    problem.chunk.local_size = dice.one_in(4) ? 0 : dice.between(1, chunk_len + 4);
    problem.chunk.chunk_size = chunk_len + problem.chunk.local_size;
    roll_rope(dice, problem);
    roll_layout(dice, problem);
    if (dice.one_in(3)) problem.softmax_scale = 0.1 + dice.unit();
    return problem;
}

Problem plain_problem(std::int64_t n, ChunkConfig chunk, std::int64_t heads_q, std::int64_t heads_kv,
                      std::int64_t head_dim) {
    Problem problem;
    problem.shape = {1, n, n, heads_q, heads_kv, head_dim, head_dim};
    problem.chunk = chunk;
    return problem;
}

Inputs random_inputs(const Problem& problem, std::uint64_t seed, double logit_scale) {
    Dice dice(seed ^ 0x9e3779b97f4a7c15u);
    Inputs inputs{Tensor4(q_extents(problem.shape)), Tensor4(k_extents(problem.shape)),
                  Tensor4(v_extents(problem.shape)), Tensor4(out_extents(problem.shape))};
    for (double& x : inputs.q.values()) x = logit_scale * dice.normal();
    for (double& x : inputs.k.values()) x = logit_scale * dice.normal();
    for (double& x : inputs.v.values()) x = dice.normal();
    for (double& x : inputs.dout->values()) x = dice.normal();
    return inputs;
}

std::string describe(const Problem& p) {
    std::string text = "b" + std::to_string(p.shape.batch) + " q" + std::to_string(p.shape.seq_q) + " k" +
                       std::to_string(p.shape.seq_k) + " h" + std::to_string(p.shape.heads_q) + "/" +
                       std::to_string(p.shape.heads_kv) + " d" + std::to_string(p.shape.head_dim) + "/" +
                       std::to_string(p.shape.head_dim_v) + " C" + std::to_string(p.chunk.chunk_size) + " w" +
                       std::to_string(p.chunk.local_size) + " rope " + std::string(name(p.rope.layout)) + " rd" +
                       std::to_string(p.resolved_rotary_dim()) + " scaling " + std::string(name(p.rope.scaling)) +
                       " offset " + std::to_string(p.resolved_query_offset()) + " cu";
    for (auto value : p.cu_seqlens) text += " " + std::to_string(value);
    return text;
}

}  // namespace dca::test
