#include "reference/sampled/slices.hpp"

#include <algorithm>

#include "reference/math/parallel.hpp"

namespace dca::reference::sampled {
std::vector<Slice> slices(const Problem& problem, std::int64_t row_doubles, const Memory& memory) {
    const Shape& shape = problem.shape;
    const std::int64_t per_key = shape.heads_kv * (shape.head_dim + shape.head_dim_v);
    const std::int64_t most_keys = std::max(unit_keys, memory.keys / per_key);
    const auto most_units = static_cast<std::size_t>(std::max<std::int64_t>(1, memory.kept / row_doubles));
    std::vector<Slice> all;
    for (std::int64_t begin = 0; begin < shape.seq_k;) {
        const std::int64_t chunk_end = (begin / problem.chunk.chunk_len() + 1) * problem.chunk.chunk_len();
        const Unit unit{begin, std::min({begin + unit_keys, chunk_end, shape.seq_k})};
        if (all.empty() || all.back().units.size() == most_units || unit.end - all.back().begin() > most_keys) {
            all.emplace_back();
        }
        all.back().units.push_back(unit);
        begin = unit.end;
    }
    return all;
}

void load(const Slice& slice, const Source& source, std::int64_t batch, const Shape& shape, Inputs& inputs) {
    const std::int64_t keys = slice.end() - slice.begin();
    if (inputs.k.size() == 0 || inputs.k.extent(1) != keys) {
        inputs.k = Tensor4({1, keys, shape.heads_kv, shape.head_dim});
        inputs.v = Tensor4({1, keys, shape.heads_kv, shape.head_dim_v});
    }
    const auto piece = [&](InputKind kind, Tensor4& tensor, const Unit& unit) {
        const std::int64_t width = tensor.extent(2) * tensor.extent(3);
        source.fill(kind, batch, unit.begin, unit.end,
                    tensor.values().subspan(static_cast<std::size_t>((unit.begin - slice.begin()) * width),
                                            static_cast<std::size_t>(unit.keys() * width)));
    };
    // Making an element takes about as long as twenty multiply-adds.
    const double work = 20.0 * static_cast<double>(inputs.k.size() + inputs.v.size());
    parallel_for(static_cast<std::int64_t>(slice.units.size()), work, [&](std::int64_t n) {
        const Unit& unit = slice.units[static_cast<std::size_t>(n)];
        piece(InputKind::k, inputs.k, unit);
        piece(InputKind::v, inputs.v, unit);
    });
}

}  // namespace dca::reference::sampled
