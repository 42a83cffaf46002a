// cos and sin of rotary angles that are formed in float32, as the published codes form them (H13): float32 inverse
// frequencies, position and product. The float32 angle itself is then taken exactly, and cos and sin are its correctly
// rounded float32 values but for ties within 2^-25 of their spacing, where a C library may return the neighbour.
#pragma once

#include <vector>

#include "reference/spec/dialect.hpp"
#include "reference/spec/problem.hpp"

namespace dca::reference {

/// sin and cos of a double, |angle| <= 2^33: absolute error below 2^-50, the same bits on every machine.
void sin_cos(double angle, double& sin, double& cos);

class Float32Angles {
public:
    /// rope: as the dialect sees it (effective_rope); exact: its frequencies, in double.
    Float32Angles(AngleArithmetic arithmetic, const RopeConfig& rope, const std::vector<double>& exact);

    /// (cos, sin) of every pair at a position, float32 values.
    void angles(double position, float* cos_sin) const;
    [[nodiscard]] std::size_t pairs() const { return inv_freq_.size(); }

private:
    std::vector<float> inv_freq_;
    bool chain_;            ///< each angle is the one before times ratio_
    float ratio_ = 1;       ///< base^(-2/rd)
    float freq_scale_ = 1;  ///< 1 / factor of rope_scaling linear, applied to the finished angle
};

}  // namespace dca::reference
