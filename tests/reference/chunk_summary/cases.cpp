#include "tests/reference/chunk_summary/cases.hpp"

#include <cmath>
#include <random>

namespace dca::test {

using namespace chunk_summary;

Problem chunk_problem(Scope scope, std::int64_t seq_len, std::int64_t chunk_size, std::int64_t heads,
                      std::int64_t head_dim) {
    Problem p;
    p.scope = scope;
    p.seq_len = seq_len;
    p.chunk_size = chunk_size;
    p.heads = heads;
    p.hidden = p.embed = heads * head_dim;
    return p;
}

std::vector<Problem> chunk_problems() {
    using enum Scope;
    std::vector<Problem> all{chunk_problem(attention, 1, 1),
                             chunk_problem(attention, 4, 4),
                             chunk_problem(attention, 5, 1),
                             chunk_problem(attention, 12, 3, 1, 1),
                             chunk_problem(attention, 140, 70, 1, 2),
                             chunk_problem(attention, 70, 1, 1, 2),
                             chunk_problem(block, 8, 4),
                             chunk_problem(block, 6, 2, 3, 1),
                             chunk_problem(model, 6, 3),
                             chunk_problem(model, 4, 2, 1, 4)};
    for (const Pooling pooling : {Pooling::last_timestep, Pooling::all, Pooling::mean_pool}) {
        Problem p = chunk_problem(model, 6, 2);
        p.batch = 2;
        p.layers = 2;
        p.embed = 4;
        p.pooling = pooling;
        all.push_back(p);
    }
    Problem batch = chunk_problem(attention, 6, 3);
    batch.batch = 3;
    all.push_back(batch);
    return all;
}

Inputs chunk_inputs(const Problem& p, std::uint64_t seed, double logit_scale) {
    std::mt19937_64 generator(seed);
    std::normal_distribution<double> normal;
    Inputs inputs;
    for (const TensorId id : all_tensors) {
        if (!has(p, id)) continue;
        const Sizes sizes = extents(p, id);
        const bool weight = name(id).substr(0, 2) == "w_";
        const bool norm_scale = name(id).find("norm_scale") != std::string_view::npos;
        const bool projection = id == TensorId::w_qkv || id == TensorId::b_qkv;
        const double root = weight ? std::sqrt(static_cast<double>(sizes[sizes.size() - 2])) : 1;
        for (std::int64_t n = 0; n < element_count(sizes); ++n) {
            const bool query_or_key = projection && n % (3 * p.hidden) < 2 * p.hidden;
            const double unit = normal(generator) / root * (query_or_key ? logit_scale : 1);
            inputs.tensors[id].push_back(norm_scale ? 1 + unit / 4 : unit);
        }
    }
    for (std::int64_t n = 0; n < element_count(out_extents(p)); ++n) inputs.dout.push_back(normal(generator));
    return inputs;
}

Inputs identity_inputs(const std::vector<double>& x, std::int64_t dim) {
    const auto size = static_cast<std::size_t>(dim);
    Inputs inputs;
    auto& t = inputs.tensors;
    t[TensorId::x] = x;
    t[TensorId::w_qkv].resize(size * 3 * size);
    t[TensorId::b_qkv].resize(3 * size);
    t[TensorId::gamma].resize(size);
    t[TensorId::w_out].resize(size * size);
    t[TensorId::b_out].resize(size);
    for (std::size_t i = 0; i < size; ++i) {
        for (std::size_t third = 0; third < 3; ++third) t[TensorId::w_qkv][i * 3 * size + third * size + i] = 1;
        t[TensorId::w_out][i * size + i] = 1;
    }
    return inputs;
}

std::string describe(const Problem& p) {
    return std::string(name(p.scope)) + " batch " + std::to_string(p.batch) + " seq_len " + std::to_string(p.seq_len) +
           " chunk_size " + std::to_string(p.chunk_size) + " heads " + std::to_string(p.heads) + " hidden " +
           std::to_string(p.hidden) + " embed " + std::to_string(p.embed) + " layers " + std::to_string(p.layers) +
           " pooling " + std::string(name(p.pooling)) + " dtype " + std::string(name(p.dtype));
}

}  // namespace dca::test
