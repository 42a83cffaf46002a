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

FarRowNoise::FarRowNoise(const NoiseHead& noise, const FarKeyNoise& keys, bool matrices)
    : first_(noise.head.geometry.first_chunk()),
      last_(noise.head.geometry.last_chunk()),
      dim_v_(noise.head.context.head_dim_v) {
    const auto dv = static_cast<std::size_t>(dim_v_);
    if (keys.u == 0) {  // nothing is read of the matrix with l
        places_[RowMoments::zb_matrix] = 1;
        matrices_ = 2;
    }
    const std::size_t matrix =
        static_cast<std::size_t>(padded_left(dim_v_)) * static_cast<std::size_t>(padded_right(dim_v_));
    const std::size_t size =
        RowMoments::scalars + RowMoments::vectors * dv + (matrices ? static_cast<std::size_t>(matrices_) * matrix : 0);
    const std::int64_t chunks = last_ - first_ + 1;
    largest_b_.resize(static_cast<std::size_t>(chunks + 1));
    next_ = Moments(chunks + 1, size);
    from_ = Moments(chunks + 1, size);
    const double rows = static_cast<double>(noise.head.facts.size());
    parallel_for(chunks, rows * dim_v_ * (matrices ? matrices_ * dim_v_ : 10),
                 [&](std::int64_t n) { sum_chunk(noise, keys, n, matrices); });
    for (std::int64_t n = chunks - 1; n >= 0; --n) {
        add(from_.of(n), from_.of(n + 1), size);
        const auto at = static_cast<std::size_t>(n);
        largest_b_[at] = std::max(largest_b_[at], largest_b_[at + 1]);
    }
    // In place: chunk n of next_ becomes what the keys of the chunk before it are seen by.
    for (std::int64_t n = 0; n < chunks; ++n) add(next_.of(n), from_.of(n + 1), size);
}

void FarRowNoise::sum_chunk(const NoiseHead& noise, const FarKeyNoise& keys, std::int64_t n, bool matrices) {
    const Head& head = noise.head;
    const Geometry& g = head.geometry;
    const std::int64_t start = (first_ + n) * g.chunk_len;
    const std::int64_t begin = std::max(start, g.first_index), end = std::min(start + g.chunk_len, g.end_index);
    const auto rows = static_cast<std::size_t>(end - begin);
    const double u = keys.u;
    std::vector<double> with_lse(rows);
    for (std::int64_t i = begin; i < end; ++i) {
        const RowFact& row = head.fact(i);
        with_lse[static_cast<std::size_t>(i - begin)] = u * row.lse * row.lse + row.lse_variance;
    }
    const auto [least_b, most_b] = std::minmax_element(with_lse.begin(), with_lse.end());
    const double largest_b = *most_b;
    largest_b_[static_cast<std::size_t>(n)] = largest_b;
    // Beside var_S, one b for all rows of the chunk is as good where they hardly differ.
    const bool one_b = u == 0 && largest_b - *least_b <= far_bound * keys.least_a;
    if (one_b) std::fill(with_lse.begin(), with_lse.end(), largest_b);
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
                         b = with_lse[static_cast<std::size_t>(i - begin)];
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
        if (m == RowMoments::zl_matrix && u == 0) continue;
        const std::size_t place = static_cast<std::size_t>(m) * rows;
        const std::ptrdiff_t target = first + places_[m] * matrix;
        double *next = next_.of(n) + target, *from = from_.of(n) + target;
        if (m == RowMoments::zb_matrix && one_b) {
            for (std::ptrdiff_t e = 0; e < matrix; ++e) {
                next[e] = largest_b * next_.of(n)[first + e];
                from[e] = largest_b * from_.of(n)[first + e];
            }
            continue;
        }
        add_weighted_gram(dout, &far[place], next);
        if (first_ + n < 2) continue;
        std::copy(next, next + matrix, from);
        add_weighted_gram(dout, &near[place], from);
    }
}

RowMoments FarRowNoise::of(std::int64_t key_chunk) const {
    const std::int64_t next = key_chunk + 1 - first_;
    const std::int64_t n = std::clamp<std::int64_t>(next, 0, next_.chunks() - 1);
    return {next < 0 ? from_.of(0) : next_.of(n), dim_v_, largest_b_[static_cast<std::size_t>(n)], places_};
}

}  // namespace dca::reference::probe
