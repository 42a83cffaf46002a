#include "reference/probe/far_keys.hpp"

#include <algorithm>

#include "reference/math/parallel.hpp"
#include "reference/probe/head.hpp"

namespace dca::reference::probe {

FarKeys::FarKeys(const Geometry& g) : dim_v_(g.context.head_dim_v), dim_(g.context.head_dim) {
    exists_ = g.far_row().has_value();
    if (!exists_) return;
    chunks_ = std::min(g.key_chunks(), g.last_chunk());
    query.resize(static_cast<std::size_t>(dim_));
    angles.resize(g.context.rotations.angles_size());
    g.far_query(g.context.softmax_scale, query.data(), angles.data());
    const tiles::Kernels& kernels = tiles::best();
    logits.resize(static_cast<std::size_t>(g.columns));
    std::vector<double> workspace(tiles::workspace_size(1, 512, dim_));
    for (std::int64_t first = 0; first < g.columns; first += 512) {
        const int count = static_cast<int>(std::min<std::int64_t>(512, g.columns - first));
        kernels.multiply(tiles::Product::nt, 1, count, dim_, query.data(), dim_, g.key(first), dim_,
                         &logits[static_cast<std::size_t>(first)], count, false, workspace.data());
    }
    weights = logits;
    shift = kernels.row_max(logits.data(), static_cast<int>(g.columns));
    kernels.exp_minus(weights.data(), static_cast<int>(g.columns), shift);
}

void FarKeys::sum(const Head& head, bool gradients) {
    if (!exists_) return;
    const Geometry& g = head.geometry;
    const auto d = static_cast<std::size_t>(dim_), dv = static_cast<std::size_t>(dim_v_);
    const std::size_t matrix =
        gradients ? static_cast<std::size_t>(padded_left(dim_v_)) * static_cast<std::size_t>(padded_right(dim_)) : 0;
    own_ = Moments(chunks_, 1 + dv + d + matrix);
    before_ = Moments(chunks_ + 1, own_.size());
    const double work = static_cast<double>(chunks_) * static_cast<double>(g.columns) * dim_v_ * (gradients ? dim_ : 1);
    parallel_for(chunks_, work, [&](std::int64_t chunk) {
        const noise::Rows v = head.values(chunk);
        double *weight = own_.of(chunk), *value = weight + 1, *key = value + dv;
        for (int t = 0; t < v.rows; ++t) {
            const double w = weights[static_cast<std::size_t>(t)];
            *weight += w;
            const double *v_row = v.row(t), *k_row = g.key(t);
            for (std::size_t c = 0; c < dv; ++c) value[c] += w * v_row[c];
            for (std::size_t e = 0; e < d; ++e) key[e] += w * k_row[e];
        }
        if (gradients) add_weighted_product(v, weights.data(), {g.keys(), v.rows, dim_, dim_}, key + d);
    });
    CompensatedSum running(own_.size());
    for (std::int64_t chunk = 0; chunk < chunks_; ++chunk) {
        running.add(own_.of(chunk));
        running.read(before_.of(chunk + 1));
    }
}

namespace {

void add_product(const noise::Rows& a, const double* weights, const noise::Rows& b, bool upper_half, double* m) {
    constexpr int step = 256;
    const tiles::Kernels& kernels = tiles::best();
    AlignedBuffer left(tiles::left_size(a.columns, step)), right(tiles::right_size(b.columns, step));
    std::vector<double> scaled(static_cast<std::size_t>(step) * static_cast<std::size_t>(b.columns));
    int begin = 0, end = a.rows;
    while (weights != nullptr && begin < end && weights[begin] == 0) ++begin;
    while (weights != nullptr && begin < end && weights[end - 1] == 0) --end;
    const int rows = padded_left(a.columns), columns = padded_right(b.columns);
    const int strip = upper_half ? tiles::column_alignment : columns;
    for (int first = begin; first < end; first += step) {
        const int count = std::min(step, end - first);
        for (int r = 0; r < count; ++r) {
            const double w = weights == nullptr ? 1 : weights[first + r];
            std::transform(b.row(first + r), b.row(first + r) + b.columns,
                           &scaled[static_cast<std::size_t>(r * b.columns)], [w](double x) { return w * x; });
        }
        kernels.pack_left(true, a.columns, count, a.row(first), a.stride, left.data());
        const std::ptrdiff_t stride = static_cast<std::ptrdiff_t>(count) * kernels.right_panel;
        kernels.pack_right(false, b.columns, count, scaled.data(), b.columns, right.data(), stride);
        for (int column = 0; column < columns; column += strip) {
            const int seen = upper_half ? std::min(rows, padded_left(column + strip)) : rows;
            kernels.multiply_packed(seen, strip, count, left.data(),
                                    right.data() + column / kernels.right_panel * stride, stride, m + column, columns,
                                    true);
        }
    }
}

}  // namespace

void add_weighted_product(const noise::Rows& a, const double* weights, const noise::Rows& b, double* m) {
    add_product(a, weights, b, false, m);
}

void add_weighted_gram(const noise::Rows& a, const double* weights, double* m) {
    add_product(a, weights, a, true, m);
    const int columns = padded_right(a.columns);
    for (int r = 1; r < a.columns; ++r) {
        for (int c = 0; c < r; ++c) m[r * columns + c] = m[c * columns + r];
    }
}

}  // namespace dca::reference::probe
