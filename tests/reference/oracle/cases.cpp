#include "tests/reference/oracle/cases.hpp"

#include <algorithm>

namespace dca::oracle {
namespace {

Problem base_problem(std::int64_t seq, ChunkConfig chunk, std::int64_t head_dim) {
    Problem p;
    p.shape = {.seq_q = seq, .seq_k = seq, .head_dim = head_dim, .head_dim_v = head_dim};
    p.chunk = chunk;
    return p;
}

Problem changed(Problem p, const auto& change) {
    change(p);
    validate(p);
    return p;
}

Problem pack(Problem p, std::vector<std::int32_t> cu_seqlens) {
    p.shape.seq_q = p.shape.seq_k = cu_seqlens.back();
    p.cu_seqlens = std::move(cu_seqlens);
    return p;
}

}  // namespace

std::vector<NamedProblem> feature_problems() {
    const Problem plain = base_problem(12, {6, 2}, 4);
    const Problem wide = base_problem(11, {6, 2}, 8);
    return {
        {"plain", plain},
        {"batch 2, interleaved", changed(plain,
                                         [](Problem& p) {
                                             p.shape.batch = 2;
                                             p.rope.layout = RopeLayout::interleaved;
                                         })},
        {"GQA 4:2, head_dim_v 3", changed(plain,
                                          [](Problem& p) {
                                              p.shape.heads_q = 4;
                                              p.shape.heads_kv = 2;
                                              p.shape.head_dim_v = 3;
                                          })},
        {"MQA 3:1, partial rotary, mscale, softmax_scale", changed(plain,
                                                                   [](Problem& p) {
                                                                       p.shape.heads_q = 3;
                                                                       p.shape.head_dim = 7;
                                                                       p.rope.rotary_dim = 4;
                                                                       p.rope.mscale = 1.25;
                                                                       p.softmax_scale = 0.75;
                                                                   })},
        {"partial rotary interleaved, negative mscale", changed(plain,
                                                                [](Problem& p) {
                                                                    p.shape.head_dim = 6;
                                                                    p.rope.layout = RopeLayout::interleaved;
                                                                    p.rope.rotary_dim = 4;
                                                                    p.rope.mscale = -0.75;
                                                                })},
        {"rope none", changed(plain, [](Problem& p) { p.rope.layout = RopeLayout::none; })},
        {"linear", changed(plain,
                           [](Problem& p) {
                               p.rope.scaling = RopeScaling::linear;
                               p.rope.factor = 2.5;
                           })},
        {"ntk", changed(plain,
                        [](Problem& p) {
                            p.rope.scaling = RopeScaling::ntk;
                            p.rope.factor = 3;
                        })},
        {"yarn", changed(wide,
                         [](Problem& p) {
                             p.rope.scaling = RopeScaling::yarn;
                             p.rope.factor = 4;
                             p.rope.original_max_position = 512;
                         })},
        {"llama3", changed(wide,
                           [](Problem& p) {
                               p.rope.scaling = RopeScaling::llama3;
                               p.rope.factor = 8;
                               p.rope.original_max_position = 100;
                           })},
        {"packed, zero-length sequences, dynamic, GQA", changed(pack(plain, {0, 5, 5, 6, 6, 15}),
                                                                [](Problem& p) {
                                                                    p.shape.heads_q = 2;
                                                                    p.rope.scaling = RopeScaling::dynamic;
                                                                    p.rope.factor = 2;
                                                                    p.rope.original_max_position = 4;
                                                                })},
        {"inv_freq given", changed(plain,
                                   [](Problem& p) {
                                       p.rope.inv_freq = {0.7, 0.0625};
                                   })},
        {"decode", changed(plain, [](Problem& p) { p.shape.seq_q = 1; })},
        {"chunked prefill", changed(plain,
                                    [](Problem& p) {
                                        p.shape.seq_q = 4;
                                        p.query_offset = 6;
                                    })},
        {"rows without keys", changed(plain,
                                      [](Problem& p) {
                                          p.shape.seq_k = 7;
                                          p.query_offset = -4;
                                      })},
        {"queries beyond the last key", changed(plain,
                                                [](Problem& p) {
                                                    p.shape.seq_q = 5;
                                                    p.shape.seq_k = 6;
                                                    p.query_offset = 9;
                                                })},
        {"no row with keys", changed(plain,
                                     [](Problem& p) {
                                         p.shape.seq_q = 2;
                                         p.query_offset = -2;
                                     })},
        {"stride 1", changed(plain,
                             [](Problem& p) {
                                 p.chunk = {2, 1};
                             })},
        {"local_size beyond the stride", changed(plain,
                                                 [](Problem& p) {
                                                     p.chunk = {5, 3};
                                                 })},
        {"local_size 0", changed(plain,
                                 [](Problem& p) {
                                     p.chunk = {4, 0};
                                 })},
        {"one chunk", changed(plain,
                              [](Problem& p) {
                                  p.chunk = {40, 8};
                              })},
        {"one key", changed(plain, [](Problem& p) { p.shape.seq_q = p.shape.seq_k = 1; })},
    };
}

NamedProblem random_problem(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto pick = [&](std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(high - low + 1));
    };
    Problem p;
    const std::int64_t chunk_len = pick(1, 5);
    const std::int64_t local_size = pick(0, 6);
    p.chunk = {chunk_len + local_size, local_size};
    const std::int64_t group = pick(1, 3);
    p.shape.heads_kv = pick(1, 2);
    p.shape.heads_q = group * p.shape.heads_kv;
    p.shape.head_dim = pick(4, 7);
    p.shape.head_dim_v = pick(1, 6);
    p.rope.layout = static_cast<RopeLayout>(pick(0, 2));
    if (p.rope.layout != RopeLayout::none) p.rope.rotary_dim = 4;
    p.rope.base = 10;  // high frequencies, so that a wrong distance shows at small positions
    p.rope.scaling = static_cast<RopeScaling>(pick(0, 5));
    p.rope.factor = 1.5;
    p.rope.original_max_position = 6;
    p.rope.beta_fast = 0.5;
    p.rope.beta_slow = 0.1;
    if (pick(0, 1)) p.rope.mscale = 1.125;
    if (pick(0, 2) == 0) {
        p.cu_seqlens = {0};
        for (int s = 0; s < 3; ++s) p.cu_seqlens.push_back(p.cu_seqlens.back() + static_cast<int>(pick(s ? 0 : 1, 7)));
        p.shape.seq_q = p.shape.seq_k = p.cu_seqlens.back();
    } else {
        p.shape.batch = pick(1, 2);
        p.shape.seq_q = pick(1, 12);
        p.shape.seq_k = pick(1, 12);
        p.query_offset = pick(-2, 8);
    }
    validate(p);
    return {"random problem of seed " + std::to_string(seed), p};
}

std::vector<NamedProblem> many_problems(int count) {
    std::vector<NamedProblem> problems = feature_problems();
    for (int seed = 1; seed <= count; ++seed) problems.push_back(random_problem(static_cast<std::uint64_t>(seed)));
    return problems;
}

void fill(std::span<double> values, std::mt19937_64& random) {
    for (double& value : values) {
        value = static_cast<double>(static_cast<std::int64_t>(random() >> 40)) * 0x1p-23 - 1;
    }
}

Inputs random_inputs(const Problem& problem, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    Inputs inputs{Tensor4(q_extents(problem.shape)), Tensor4(k_extents(problem.shape)),
                  Tensor4(v_extents(problem.shape)), Tensor4(out_extents(problem.shape))};
    for (Tensor4* tensor : {&inputs.q, &inputs.k, &inputs.v, &*inputs.dout}) fill(tensor->values(), random);
    return inputs;
}

}  // namespace dca::oracle
