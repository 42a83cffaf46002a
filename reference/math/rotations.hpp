// How one sequence's queries and keys are turned (Def.4) as the problem's dialect does it: position map, precision of
// the angles, rounding of tables and products, length temperature.
#pragma once

#include <optional>
#include <vector>

#include "reference/math/chunk_positions.hpp"
#include "reference/math/float32_angles.hpp"
#include "reference/math/rope.hpp"
#include "reference/math/temperature.hpp"

namespace dca::reference {

/// The type a candidate of this dtype keeps activations in and writes: f32 for tf32, a format of operands only, and
/// bf16 for the 8-bit types.
[[nodiscard]] Dtype activation_dtype(Dtype dtype);

/// Rounds to the activation dtype, or not at all.
class ActivationRounding {
public:
    explicit ActivationRounding(std::optional<Dtype> dtype) : dtype_(dtype.value_or(Dtype::f64)) {}
    [[nodiscard]] double operator()(double x) const {
        if (dtype_ == Dtype::f64) return x;
        return dtype_ == Dtype::f32 ? static_cast<double>(static_cast<float>(x)) : round_to(dtype_, x);
    }
    void round(double* x, std::int64_t n) const {
        if (dtype_ == Dtype::f64) return;
        if (dtype_ == Dtype::f32) {
            for (std::int64_t e = 0; e < n; ++e) x[e] = static_cast<double>(static_cast<float>(x[e]));
        } else {
            for (std::int64_t e = 0; e < n; ++e) x[e] = round_to(dtype_, x[e]);
        }
    }

private:
    Dtype dtype_;
};

class Rotations {
public:
    /// largest_position: of angles_at; what the other functions ask for is always covered.
    Rotations(const Problem& problem, const Sequence& sequence, std::int64_t largest_position = 0);

    /// Doubles that the angle functions write: a (cos, sin) for each rotary pair, with mscale, the table's temperature
    /// and its rounding in it.
    [[nodiscard]] std::size_t angles_size() const { return static_cast<std::size_t>(2 * pairs_); }
    void query_angles(QueryIndex i, Mode mode, double* cos_sin) const;
    void key_angles(KeyIndex j, double* cos_sin) const;
    /// The angles of query i at a position that is not its own, for rotate_query: a whole number from 0 to
    /// largest_position.
    void angles_at(RotaryPosition position, QueryIndex i, double* cos_sin) const;
    /// True where query_angles of this mode does not depend on i.
    [[nodiscard]] bool same_for_all_queries(Mode mode) const;

    /// out = the turned row with the whole-head temperature in it; head_dim values; cos_sin of the same index. out may
    /// not be row.
    void rotate_query(const double* cos_sin, QueryIndex i, const double* row, double* out) const;
    void rotate_key(const double* cos_sin, KeyIndex j, const double* row, double* out) const;
    /// out += the transpose of the above. Roundings count as the identity.
    void add_transposed_query(const double* cos_sin, QueryIndex i, const double* row, double* out) const;
    void add_transposed_key(const double* cos_sin, KeyIndex j, const double* row, double* out) const;

    [[nodiscard]] const PositionMap& positions() const { return positions_; }
    [[nodiscard]] const TemperatureLaw& temperature() const { return temperature_; }

private:
    void fill_tables(const Problem& problem, const Sequence& sequence);
    void fill_factors(const Sequence& sequence);
    [[nodiscard]] double query_factor(QueryIndex i) const;
    [[nodiscard]] double key_factor(KeyIndex j) const;
    void finish_angles(const float* base, double factor, double* cos_sin) const;
    void turn(const double* cos_sin, const double* row, double* out) const;
    void add_turned_back(const double* cos_sin, double factor, const double* row, double* out) const;

    PositionMap positions_;
    TemperatureLaw temperature_;
    std::int64_t pairs_, head_dim_, chunk_len_;
    RopeLayout layout_;
    double mscale_;
    bool decode_, rounds_products_;
    ActivationRounding round_;
    std::optional<RotaryTable> exact_;
    std::optional<Float32Angles> float32_;
    std::int64_t offset_;
    std::vector<double> query_factors_, key_factors_;  ///< a_i of each row, b_j; empty where all are 1
    std::vector<float> intra_, succ_, inter_;  ///< float32 angles by i mod L; inter one row. Empty: computed when asked
};

}  // namespace dca::reference
