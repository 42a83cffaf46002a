// A made-up tensor with expected values, error scales and an honest candidate: unit normal values, sigma 2^-10, errors
// of 0.7 sigma.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "verify/compare/compare.hpp"

namespace dca::test {

inline bool near(double a, double b, double relative) {
    return std::abs(a - b) <= relative * std::abs(b);
}

struct Synthetic {
    std::string tensor;
    std::vector<std::int64_t> extents;
    std::vector<double> expected, got;
    std::vector<float> sigma;
    std::vector<Region> regions;

    Synthetic(std::string name, std::vector<std::int64_t> shape, std::uint64_t seed = 1)
        : tensor(std::move(name)), extents(std::move(shape)) {
        std::size_t count = 1;
        for (std::int64_t extent : extents) count *= static_cast<std::size_t>(extent);
        std::mt19937_64 random(seed);
        std::normal_distribution<double> normal;
        expected.resize(count);
        sigma.assign(count, 0x1p-10f);
        for (double& x : expected) x = normal(random);
        for (double x : expected) got.push_back(x + 0.7 * 0x1p-10 * std::min(4.0, std::max(-4.0, normal(random))));
        const std::int64_t rows = extents[extents.size() == 4 ? 1 : 2];
        // Thirds of the rows: intra, + succ, + inter.
        for (std::int64_t r = 0; r < rows; ++r) regions.push_back(static_cast<Region>(1 + 3 * r / rows));
    }

    /// Flat index of (batch, row, head, channel) or (batch, head, row).
    [[nodiscard]] std::size_t at(std::initializer_list<std::int64_t> index) const {
        std::int64_t flat = 0;
        std::size_t axis = 0;
        for (std::int64_t i : index) flat = flat * extents[axis++] + i;
        return static_cast<std::size_t>(flat);
    }

    [[nodiscard]] verify::TensorReport compare(double natural_size = 0) const {
        return verify::compare_tensor(tensor, extents, expected, got, sigma, regions, natural_size);
    }
};

}  // namespace dca::test
