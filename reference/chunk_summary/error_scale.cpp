#include "reference/chunk_summary/error_scale.hpp"

#include <algorithm>
#include <cmath>

#include "reference/chunk_summary/network.hpp"
#include "reference/chunk_summary/rounding.hpp"
#include "reference/math/parallel.hpp"

namespace dca::chunk_summary {
namespace {

/// A row of a weight's gradient may err in one direction only (one number, not as many as it has channels); 32 samples
/// know the size of one number within a third.
constexpr std::int64_t samples = 32;

/// Honest candidates measure 0.6 to 0.7 of the disturbances' own size, because a rounding is worst just above a power
/// of two. The margin leaves room for kernels that round in more places and for the uncertainty of the samples: they
/// measure 0.45 to 0.6 of the scale.
constexpr double margin = 1.25;

/// f64 is disturbed 2^20 times as much as it rounds, and the result divided by that: the samples are themselves
/// computed in f64, whose own rounding then does not matter, and an error stays proportional to so small a disturbance.
struct Disturbance {
    Units units;
    double inflation = 1;
};

Disturbance disturbance_of(Dtype dtype) {
    if (dtype == Dtype::f64) return {{0x1p-33, 0x1p-33, 0}, 0x1p20};
    return {{unit_roundoff(dtype), unit_roundoff(Dtype::f32), subnormal_spacing(dtype) / 2}, 1};
}

/// Mean squares of the deviations of the samples, turned into scales: half the element's own, half the mean of its row,
/// so that the samples make a stable scale and an element that differs from its row keeps its own size.
std::vector<float> scales_of(const std::vector<double>& squares, std::int64_t channels, double inflation) {
    std::vector<float> scales(squares.size());
    const auto length = static_cast<std::size_t>(channels);
    for (std::size_t begin = 0; begin < squares.size(); begin += length) {
        double row = 0;
        for (std::size_t c = 0; c < length; ++c) row += squares[begin + c];
        row /= static_cast<double>(length);
        for (std::size_t c = 0; c < length; ++c) {
            scales[begin + c] = static_cast<float>(margin * std::sqrt((squares[begin + c] + row) / 2) / inflation);
        }
    }
    return scales;
}

std::vector<double> deviations(std::vector<double> sample, const std::vector<double>& exact) {
    for (std::size_t n = 0; n < sample.size(); ++n) {
        sample[n] = (sample[n] - exact[n]) * (sample[n] - exact[n]) / static_cast<double>(samples);
    }
    return sample;
}

void add(std::vector<double>& sum, const std::vector<double>& term) {
    for (std::size_t n = 0; n < sum.size(); ++n) sum[n] += term[n];
}

struct Squares {
    std::vector<double> out;
    Bundle<double> gradients;
};

}  // namespace

Scales error_scales(const Problem& problem, const Inputs& inputs, const std::vector<double>& out,
                    const Bundle<double>& gradients) {
    const Disturbance disturbance = disturbance_of(problem.dtype);
    std::vector<Squares> of_sample(static_cast<std::size_t>(samples));
    // Each sample is computed on one thread, so several run at once; they are added up in their order.
    constexpr double always_share = 1e18;
    reference::parallel_for(samples, always_share, [&](std::int64_t s) {
        Squares& squares = of_sample[static_cast<std::size_t>(s)];
        Rounding rounding(disturbance.units, static_cast<std::uint64_t>(s + 1));
        squares.out = deviations(forward(problem, inputs, rounding), out);
        if (inputs.dout.empty()) return;
        squares.gradients = backward(problem, inputs, rounding);
        for (const TensorId id : all_tensors) {
            squares.gradients[id] = deviations(std::move(squares.gradients[id]), gradients[id]);
        }
    });
    Squares& total = of_sample.front();
    for (std::size_t s = 1; s < of_sample.size(); ++s) {
        add(total.out, of_sample[s].out);
        for (const TensorId id : all_tensors) add(total.gradients[id], of_sample[s].gradients[id]);
    }
    Scales scales;
    scales.out = scales_of(total.out, problem.hidden, disturbance.inflation);
    for (const TensorId id : all_tensors) {
        if (total.gradients[id].empty()) continue;
        scales.gradients[id] =
            scales_of(total.gradients[id], judged_extents(problem, id).back(), disturbance.inflation);
    }
    return scales;
}

}  // namespace dca::chunk_summary
