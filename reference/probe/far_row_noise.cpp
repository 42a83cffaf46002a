#include "reference/probe/far_row_noise.hpp"

#include <algorithm>

#include "reference/math/parallel.hpp"

namespace dca::reference::probe {
namespace {

double squared_norm(const double* row, int n) {
    double sum = 0;
    for (int e = 0; e < n; ++e) sum += row[e] * row[e];
    return sum;
}

void add(double* target, const double* source, std::size_t size) {
    for (std::size_t e = 0; e < size; ++e) target[e] += source[e];
}

}  // namespace

FarRowNoise::FarRowNoise(const NoiseHead& noise, double u, bool matrices)
    : first_(noise.head.geometry.first_chunk()),
      last_(noise.head.geometry.last_chunk()),
      dim_v_(noise.head.context.head_dim_v) {
    const auto dv = static_cast<std::size_t>(dim_v_);
    const std::size_t matrix =
        static_cast<std::size_t>(padded_left(dim_v_)) * static_cast<std::size_t>(padded_right(dim_v_));
    const std::size_t size =
        RowMoments::scalars + RowMoments::vectors * dv + (matrices ? RowMoments::matrices * matrix : 0);
    const std::int64_t chunks = last_ - first_ + 1;
    next_ = Moments(chunks + 1, size);
    from_ = Moments(chunks + 1, size);
    const double rows = static_cast<double>(noise.head.facts.size());
    parallel_for(chunks, rows * dim_v_ * (matrices ? 3 * dim_v_ : 10),
                 [&](std::int64_t n) { sum_chunk(noise, u, n, matrices); });
    for (std::int64_t n = chunks - 1; n >= 0; --n) add(from_.of(n), from_.of(n + 1), size);
    // In place: chunk n of next_ becomes what the keys of the chunk before it are seen by.
    for (std::int64_t n = 0; n < chunks; ++n) add(next_.of(n), from_.of(n + 1), size);
}

void FarRowNoise::sum_chunk(const NoiseHead& noise, double u, std::int64_t n, bool matrices) {
    const Head& head = noise.head;
    const Geometry& g = head.geometry;
    const std::int64_t start = (first_ + n) * g.chunk_len;
    const std::int64_t begin = std::max(start, g.first_index), end = std::min(start + g.chunk_len, g.end_index);
    const auto rows = static_cast<std::size_t>(end - begin);
    // Weights of the three matrices for all rows, and for those that are not near.
    std::vector<double> all(3 * rows), far(3 * rows);
    for (std::int64_t i = begin; i < end; ++i) {
        const RowFact& row = head.fact(i);
        const double* dout = head.dout(i, 1).data;
        // Rows of chunk 1 have no keys in mode inter, and rows of chunk 0 no far keys at all.
        for (const bool next : {false, true}) {
            const bool meets = next ? first_ + n > 0 && !g.near(i - start) : first_ + n > 1;
            if (!meets) continue;
            const double scale = row.scale[next ? 1 : 2], z = scale * scale, l = row.lse,
                         b = u * l * l + row.lse_variance;
            const double delta = row.true_delta, delta2 = delta * delta, norm = squared_norm(dout, dim_v_),
                         y = z * norm * z * norm;
            const double scalars[RowMoments::scalars] = {1,
                                                         norm,
                                                         delta2,
                                                         z * delta2,
                                                         z * l * delta2,
                                                         z * b * delta2,
                                                         z * row.delta_variance,
                                                         z * norm,
                                                         z * l * norm,
                                                         z * b * norm,
                                                         y,
                                                         y * l,
                                                         y * b,
                                                         y * l * l,
                                                         y * b * b,
                                                         y * b * l};
            double* sums = next ? next_.of(n) : from_.of(n);
            add(sums, scalars, RowMoments::scalars);
            double* vectors = sums + RowMoments::scalars;
            for (const double weight : {1.0, z, z * l, z * b}) {
                for (int c = 0; c < dim_v_; ++c) vectors[c] += weight * dout[c] * dout[c];
                vectors += dim_v_;
            }
            for (const double weight : {z, z * l, z * b}) {
                for (int c = 0; c < dim_v_; ++c) vectors[c] += weight * delta * dout[c];
                vectors += dim_v_;
            }
            std::vector<double>& weights = next ? far : all;
            const auto place = static_cast<std::size_t>(i - begin);
            weights[place] = z;
            weights[rows + place] = z * l;
            weights[2 * rows + place] = z * b;
        }
    }
    if (!matrices) return;
    const noise::Rows dout = head.dout(begin, static_cast<int>(rows));
    const std::ptrdiff_t matrix = static_cast<std::ptrdiff_t>(padded_left(dim_v_)) * padded_right(dim_v_);
    const std::ptrdiff_t first = RowMoments::scalars + RowMoments::vectors * dim_v_;
    // Rows that are not near have one scale for all far keys: their products serve both sums.
    std::vector<double> near = all;
    for (std::size_t e = 0; e < near.size(); ++e) near[e] = far[e] == 0 ? all[e] : 0;
    for (int m = 0; m < RowMoments::matrices; ++m) {
        const std::size_t place = static_cast<std::size_t>(m) * rows;
        double *next = next_.of(n) + first + m * matrix, *from = from_.of(n) + first + m * matrix;
        add_weighted_product(dout, &far[place], dout, next);
        if (first_ + n < 2) continue;
        std::copy(next, next + matrix, from);
        add_weighted_product(dout, &near[place], dout, from);
    }
}

RowMoments FarRowNoise::of(std::int64_t key_chunk) const {
    const std::int64_t next = key_chunk + 1 - first_;
    if (next < 0) return {from_.of(0), dim_v_};
    return {next_.of(std::min(next, next_.chunks() - 1)), dim_v_};
}

}  // namespace dca::reference::probe
