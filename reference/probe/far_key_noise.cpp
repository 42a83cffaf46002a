#include "reference/probe/far_key_noise.hpp"

#include <algorithm>
#include <cmath>

#include "reference/math/natural_log.hpp"
#include "reference/math/parallel.hpp"
#include "reference/noise/score_gradient.hpp"

namespace dca::reference::probe {
namespace {

/// Turns chunk sums, which begin at block 1, into sums over the chunks before each.
void accumulate(Moments& moments) {
    for (std::int64_t chunk = 1; chunk < moments.chunks(); ++chunk) {
        const double* before = moments.of(chunk - 1);
        double* here = moments.of(chunk);
        for (std::size_t e = 0; e < moments.size(); ++e) here[e] += before[e];
    }
}

}  // namespace

FarKeyNoise::FarKeyNoise(const NoiseHead& noise, bool gradients) : dim_v_(noise.head.context.head_dim_v) {
    const Geometry& g = noise.head.geometry;
    all_squares_ = Moments(g.key_chunks() + 1, static_cast<std::size_t>(dim_v_));
    parallel_for(g.key_chunks(), 4.0 * static_cast<double>(noise.head.context.key_count) * dim_v_,
                 [&](std::int64_t chunk) {
                     const noise::Rows v = noise.head.values(chunk);
                     double* sums = all_squares_.of(chunk + 1);
                     for (int t = 0; t < v.rows; ++t) {
                         for (int c = 0; c < dim_v_; ++c) sums[c] += v.row(t)[c] * v.row(t)[c];
                     }
                 });
    accumulate(all_squares_);
    if (noise.head.far.exists()) sum_far(noise, gradients);
}

/// Replaces what hardly differs between far keys by its largest value, and leaves out the matrices it would take.
void FarKeyNoise::bound(const NoiseHead& noise) {
    const noise::Call& call = noise.call;
    const auto [least, largest] = std::minmax_element(a.begin(), a.end());
    if (u == 0 && *largest <= (1 + far_bound) * *least) {
        same_a = *largest;
        std::fill(a.begin(), a.end(), same_a);
    }
    least_a = *std::min_element(a.begin(), a.end());
    double turned = 0;
    for (const double f : call.frequency) turned = std::max(turned, noise::angle_variance(call, f).sum() * f * f);
    for (std::size_t t = 0; t < a.size(); ++t) {
        position2 = std::max(position2, noise.key_position[t] * noise.key_position[t]);
    }
    const double operand = call.operand_variance() + noise::rotated_operand_variance(call);
    const bool needed[KeyMoments::matrices] = {true, same_a<0, u> 0, !(turned * position2 <= far_bound * operand)};
    matrices_ = 0;
    for (int n = 0; n < KeyMoments::matrices; ++n) places_[n] = needed[n] ? matrices_++ : -1;
}

void FarKeyNoise::sum_far(const NoiseHead& noise, bool gradients) {
    const FarKeys& far = noise.head.far;
    const PairCoefficients coefficients = noise.coefficients(noise.head.geometry.far_position);
    double largest = 0;
    for (std::size_t t = 0; t < far.logits.size(); ++t) {
        a.push_back(coefficients.own(noise.key_position[t], far.logits[t]));
        largest = std::max(largest, a.back());
    }
    // |s| <= |q~| |k~| =: S, and lse <= S + ln n. Large errors are widened before (s - lse)^2 is added to them.
    const double s_bound = std::sqrt(noise.query_norm * noise.key_norm);
    const double beside = 2 * s_bound + natural_log(static_cast<double>(noise.head.context.key_count) + 1);
    u = coefficients.u * large_error_slope(largest + coefficients.u * beside * beside);
    const double least = *std::min_element(a.begin(), a.end()), most = u * beside * beside;
    const bool sum_logits = most > far_bound * least;
    for (std::size_t t = 0; t < far.logits.size(); ++t) {
        a[t] = noise::exponential_variance(a[t]) + (sum_logits ? u * far.logits[t] * far.logits[t] : most);
    }
    if (!sum_logits) u = 0;
    bound(noise);
    const std::size_t matrix =
        static_cast<std::size_t>(padded_left(dim_v_)) * static_cast<std::size_t>(padded_right(dim_v_));
    before_ = Moments(far.chunks() + 1, KeyMoments::scalars + KeyMoments::vectors * static_cast<std::size_t>(dim_v_) +
                                            (gradients ? static_cast<std::size_t>(matrices_) * matrix : 0));
    const double work = static_cast<double>(far.chunks()) * static_cast<double>(a.size()) * dim_v_ *
                        (gradients ? matrices_ * dim_v_ : 9);
    parallel_for(far.chunks(), work, [&](std::int64_t chunk) {
        const noise::Rows v = noise.head.values(chunk);
        double* sums = before_.of(chunk + 1);
        std::vector<double> weights(static_cast<std::size_t>(KeyMoments::matrices * v.rows));
        for (int t = 0; t < v.rows; ++t) {
            const auto at = static_cast<std::size_t>(t);
            const double w = far.weights[at], w2 = w * w, position = noise.key_position[at];
            const double g[4] = {w2, w2 * a[at], w2 * far.logits[at], w2 * position * position};
            for (int n = 0; n < 4; ++n) weights[static_cast<std::size_t>(n * v.rows + t)] = g[n];
            const double* row = v.row(t);
            double norm = 0;
            for (int c = 0; c < dim_v_; ++c) norm += row[c] * row[c];
            const double scalars[KeyMoments::scalars] = {w * far.logits[at], g[0], g[1], g[2], g[3],
                                                         w2 * norm,          norm, 1};
            for (int n = 0; n < KeyMoments::scalars; ++n) sums[n] += scalars[n];
            double* vectors = sums + KeyMoments::scalars;
            for (int n = 0; n < 3; ++n, vectors += dim_v_) {
                for (int c = 0; c < dim_v_; ++c) vectors[c] += g[n] * row[c] * row[c];
            }
            for (int n = 0; n < 4; ++n, vectors += dim_v_) {
                for (int c = 0; c < dim_v_; ++c) vectors[c] += g[n] * row[c];
            }
        }
        double* matrices = sums + KeyMoments::scalars + KeyMoments::vectors * dim_v_;
        for (int n = 0; gradients && n < KeyMoments::matrices; ++n) {
            if (places_[n] < 0) continue;
            add_weighted_gram(v, &weights[static_cast<std::size_t>(n * v.rows)], matrices);
            matrices += matrix;
        }
    });
    accumulate(before_);
}

}  // namespace dca::reference::probe
