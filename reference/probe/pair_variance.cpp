#include "reference/probe/pair_variance.hpp"

#include <algorithm>
#include <cmath>

#include "reference/math/parallel.hpp"

namespace dca::reference::probe {
namespace {

double squared_norm(const double* row, int n) {
    double sum = 0;
    for (int e = 0; e < n; ++e) sum += row[e] * row[e];
    return sum;
}

/// Raises the largest energies and norm by those of a row.
void raise(const noise::PairEnergy& energy, const double* row, int d, std::vector<double>& largest, double& norm) {
    std::vector<double> own(largest.size());
    energy.measure(row, own.data());
    for (std::size_t e = 0; e < own.size(); ++e) largest[e] = std::max(largest[e], own[e]);
    norm = std::max(norm, squared_norm(row, d));
}

}  // namespace

NoiseHead::NoiseHead(const Head& h, const noise::Call& c)
    : head(h),
      call(c),
      query_energy(static_cast<std::size_t>(c.energy.columns())),
      key_energy(static_cast<std::size_t>(c.energy.columns())) {
    const Geometry& g = h.geometry;
    const int d = h.context.head_dim;
    for (std::int64_t t = 0; t < g.columns; ++t) {
        raise(c.energy, g.key(t), d, key_energy, key_norm);
        key_position.push_back(h.context.rotations.positions().key(KeyIndex(t)));
    }
    std::vector<double> row(static_cast<std::size_t>(d)), angles(h.context.rotations.angles_size());
    for (const Block& block : g.blocks()) {
        for (std::int64_t r = block.first; r < block.first + block.rows; ++r) {
            for (const Mode mode : {Mode::intra, Mode::succ}) {
                g.query(mode, r, h.context.softmax_scale, row.data(), angles.data());
                raise(c.energy, row.data(), d, query_energy, query_norm);
            }
        }
    }
    if (h.far.exists()) raise(c.energy, h.far.query.data(), d, query_energy, query_norm);
    for (int k = 0; k < c.energy.pairs(); ++k) {
        const auto at = static_cast<std::size_t>(k);
        rotated_ += query_energy[at] * key_energy[at];
        turned_ += query_energy[at] * key_energy[at] * c.frequency[at] * c.frequency[at];
    }
}

PairCoefficients NoiseHead::coefficients(double position) const {
    const noise::AngleVariance angle = noise::angle_variance(call, 1);  // a family has one for all frequencies
    const double u = call.accumulator_variance();
    const int d = call.context.head_dim;
    return {4 * call.precision.rotated * rotated_ + 2 * turned_ * angle.sum() * position * position +
                u * (noise::sum_variance(call.profile, query_norm * key_norm, 0, d, false) + 4),
            -4 * turned_ * angle.frequency * position, 2 * turned_ * angle.sum(),
            call.common_logit_variance + u * (d / 2.0 + 2), u};
}

void pair_row(const PairCoefficients& c, int count, const double* position, const double* w, const double* s,
              double scale, double lse, double* p, double* variance) {
    for (int j = 0; j < count; ++j) {
        p[j] = scale * w[j];
        const double beside = s[j] - lse;
        variance[j] = c.own(position[j], s[j]) + c.u * beside * beside;
    }
    if (count == 0) return;
    const double largest = tiles::best().row_max(variance, count);
    if (noise::exponential_variance(largest) == largest) return;  // and so for every smaller one
    for (int j = 0; j < count; ++j) variance[j] = noise::exponential_variance(variance[j]);
}

double large_error_slope(double largest) {
    if (noise::exponential_variance(largest) == largest) return 1;
    // E(x) = ((e^z - 1) / 6)^2, z = 4.5 sqrt x, up to its cap of 4, is convex: E' = 3 r e^z / (4 sqrt x), r = (e^z - 1)
    // / 6 = sqrt E, is largest at the end. e^z = 6 r + 1.
    const double x = std::min(largest, 4.0), r = std::sqrt(noise::exponential_variance(x));
    return std::max(1.0, 1.5 * r * (6 * r + 1) / std::sqrt(x));
}

double concentration(const noise::Rows& rows) {
    constexpr int slab = 16384;
    const int slabs = (rows.rows + slab - 1) / slab, n = rows.columns, padded = padded_right(n);
    const std::size_t size = static_cast<std::size_t>(padded_left(n)) * static_cast<std::size_t>(padded);
    std::vector<double> grams(static_cast<std::size_t>(slabs) * size);
    parallel_for(slabs, static_cast<double>(rows.rows) * n * n, [&](std::int64_t item) {
        const int first = static_cast<int>(item) * slab;
        const noise::Rows part = rows.slice(first, std::min(slab, rows.rows - first));
        add_weighted_gram(part, nullptr, &grams[static_cast<std::size_t>(item) * size]);
    });
    for (std::size_t at = size; at < grams.size(); ++at) grams[at % size] += grams[at];
    double trace = 0, squares = 0;
    for (int c = 0; c < n; ++c) trace += grams[static_cast<std::size_t>(c * (padded + 1))];
    if (!(trace > 0)) return 1;
    for (int a = 0; a < n; ++a) {
        for (int b = 0; b < n; ++b) {
            const double x = grams[static_cast<std::size_t>(a * padded + b)] / trace;
            squares += x * x;
        }
    }
    return std::min(squares, 1.0);
}

}  // namespace dca::reference::probe
