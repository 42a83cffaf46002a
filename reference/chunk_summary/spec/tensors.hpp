// The tensors of a chunk-summary call: x and the parameters, each with a name, a shape, and the rows its gradient is
// judged by. One table, which golden files, candidates, oracle and reference all follow.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "reference/chunk_summary/spec/problem.hpp"

namespace dca::chunk_summary {

/// In the order they are used. Numbers are part of the input generator and never change.
enum class TensorId : std::uint8_t {
    x = 0,
    w_embed = 1,
    b_embed = 2,
    attn_norm_scale = 3,
    attn_norm_shift = 4,
    w_qkv = 5,
    b_qkv = 6,
    gamma = 7,
    w_out = 8,
    b_out = 9,
    ffn_norm_scale = 10,
    ffn_norm_shift = 11,
    w_up = 12,
    b_up = 13,
    w_down = 14,
    b_down = 15,
    final_norm_scale = 16,
    final_norm_shift = 17
};
inline constexpr std::size_t tensor_count = 18;
inline constexpr std::array<TensorId, tensor_count> all_tensors{TensorId::x,
                                                                TensorId::w_embed,
                                                                TensorId::b_embed,
                                                                TensorId::attn_norm_scale,
                                                                TensorId::attn_norm_shift,
                                                                TensorId::w_qkv,
                                                                TensorId::b_qkv,
                                                                TensorId::gamma,
                                                                TensorId::w_out,
                                                                TensorId::b_out,
                                                                TensorId::ffn_norm_scale,
                                                                TensorId::ffn_norm_shift,
                                                                TensorId::w_up,
                                                                TensorId::b_up,
                                                                TensorId::w_down,
                                                                TensorId::b_down,
                                                                TensorId::final_norm_scale,
                                                                TensorId::final_norm_shift};

using Sizes = std::vector<std::int64_t>;

[[nodiscard]] std::string_view name(TensorId id);
/// Name of the gradient: d and the name.
[[nodiscard]] std::string gradient_name(TensorId id);

/// Whether the problem has this tensor: by its scope, and the input projection only where embed is not hidden (S.10).
[[nodiscard]] bool has(const Problem& problem, TensorId id);
/// Whether every block has its own: in a model such tensors lie behind one another, with the axis `layers` in front.
[[nodiscard]] bool per_layer(TensorId id);

/// The axes of a tensor as they are stored, and their names ("batch, seq_len, hidden").
[[nodiscard]] Sizes extents(const Problem& problem, TensorId id);
[[nodiscard]] std::string axes_text(const Problem& problem, TensorId id);
[[nodiscard]] Sizes out_extents(const Problem& problem);
[[nodiscard]] std::string out_axes_text(const Problem& problem);
/// The same elements as (batch or layer, row, head or part, channel), for the row rule of the judge.
[[nodiscard]] Sizes judged_extents(const Problem& problem, TensorId id);
[[nodiscard]] Sizes judged_out_extents(const Problem& problem);

[[nodiscard]] std::int64_t element_count(const Sizes& extents);

/// One flat row-major vector per tensor, empty where the problem has none.
template <class S>
struct Bundle {
    std::array<std::vector<S>, tensor_count> of;
    [[nodiscard]] std::vector<S>& operator[](TensorId id) { return of[static_cast<std::size_t>(id)]; }
    [[nodiscard]] const std::vector<S>& operator[](TensorId id) const { return of[static_cast<std::size_t>(id)]; }
    friend bool operator==(const Bundle&, const Bundle&) = default;
};

/// x and the parameters; dout, shaped like the output, where gradients are wanted (else empty).
struct Inputs {
    Bundle<double> tensors;
    std::vector<double> dout;
    friend bool operator==(const Inputs&, const Inputs&) = default;
};

/// Throws InvalidProblem unless the problem is valid, every tensor it has fills its extents, it brings no others, and
/// every value is finite.
void validate(const Problem& problem, const Inputs& inputs);

}  // namespace dca::chunk_summary
