// What one chunk-summary call is (docs/chunk_summary.md): how much of the network, its sizes, its number format. A
// plain value, shared by the reference, its oracle and the golden files. Not Dual Chunk Attention.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "reference/spec/dtype.hpp"

namespace dca::chunk_summary {

/// How much is computed: the attention layer with its two projections, the pre-norm transformer block around it, or the
/// whole model.
enum class Scope : std::uint8_t { attention, block, model };
/// What a model returns of its last sequence: the last row, every row, or their mean.
enum class Pooling : std::uint8_t { last_timestep, all, mean_pool };

[[nodiscard]] std::string_view name(Scope scope);
[[nodiscard]] std::string_view name(Pooling pooling);
[[nodiscard]] std::optional<Scope> parse_scope(std::string_view text);
[[nodiscard]] std::optional<Pooling> parse_pooling(std::string_view text);

struct Problem {
    Scope scope = Scope::attention;
    std::int64_t batch = 1;
    std::int64_t seq_len = 1;
    std::int64_t embed = 1;   ///< channels of x: of a model its own number, otherwise hidden
    std::int64_t hidden = 1;  ///< channels of everything behind the input projection
    std::int64_t heads = 1;
    std::int64_t chunk_size = 1;
    std::int64_t layers = 1;                   ///< blocks of a model, otherwise 1
    Pooling pooling = Pooling::last_timestep;  ///< of a model
    Dtype dtype = Dtype::f64;

    [[nodiscard]] std::int64_t head_dim() const { return hidden / heads; }
    /// Channels between the two layers of the feed-forward network.
    [[nodiscard]] std::int64_t ffn_hidden() const { return 4 * hidden; }
    [[nodiscard]] std::int64_t chunks() const { return seq_len / chunk_size; }
    /// Rows of the output: those of the sequence, or one.
    [[nodiscard]] std::int64_t out_rows() const {
        return scope == Scope::model && pooling != Pooling::all ? 1 : seq_len;
    }
    friend bool operator==(const Problem&, const Problem&) = default;
};

/// Throws InvalidProblem naming the first thing no implementation could run: a size below 1 or beyond its limit, hidden
/// not a multiple of heads, seq_len not a multiple of chunk_size (H60), embed other than hidden outside a model, layers
/// outside a model, an 8-bit dtype.
void validate(const Problem& problem);

}  // namespace dca::chunk_summary
