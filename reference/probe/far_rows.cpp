#include "reference/probe/far_rows.hpp"

#include <algorithm>

#include "reference/math/parallel.hpp"

namespace dca::reference::probe {

FarRows::FarRows(const Head& head, GradientOf which)
    : first_(head.geometry.first_chunk()), last_(head.geometry.last_chunk()), dim_v_(head.context.head_dim_v) {
    const Geometry& g = head.geometry;
    const std::size_t size = 2 + static_cast<std::size_t>(dim_v_);
    const std::int64_t chunks = last_ - first_ + 1;
    next_ = Moments(chunks + 1, size);
    from_ = Moments(chunks + 1, size);
    if (!head.far.exists()) return;
    const auto add = [&](double* sums, const RowScale& row, const double* dout) {
        const auto [scale, delta] = row;
        sums[0] += scale * delta;
        sums[1] += scale;
        for (int c = 0; c < dim_v_; ++c) sums[2 + c] += scale * dout[c];
    };
    parallel_for(chunks, 4.0 * static_cast<double>(g.end_index - g.first_index) * dim_v_, [&](std::int64_t n) {
        const std::int64_t start = (first_ + n) * g.chunk_len;
        const std::int64_t begin = std::max(start, g.first_index), end = std::min(start + g.chunk_len, g.end_index);
        for (std::int64_t i = begin; i < end; ++i) {
            const RowFact& row = head.fact(i);
            const double* dout = head.dout(i, 1).data;
            add(from_.of(n), row_scale(row, Mode::inter, which), dout);
            if (first_ + n > 0 && !g.near(i - start)) add(next_.of(n), row_scale(row, Mode::succ, which), dout);
        }
    });
    CompensatedSum running(size);
    for (std::int64_t n = chunks - 1; n >= 0; --n) {
        running.add(from_.of(n));
        running.read(from_.of(n));
    }
}

RowSums FarRows::next(std::int64_t chunk) const {
    const std::int64_t n = chunk < first_ || chunk > last_ ? next_.chunks() - 1 : chunk - first_;
    return {next_.of(n), dim_v_};
}

RowSums FarRows::from(std::int64_t chunk) const {
    return {from_.of(std::clamp<std::int64_t>(chunk - first_, 0, from_.chunks() - 1)), dim_v_};
}

}  // namespace dca::reference::probe
