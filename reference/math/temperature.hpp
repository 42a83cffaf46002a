// The length temperature of the published dialects (docs/dialects.md): the logit of row i and key j is multiplied by
// a_i b_j, on the rotary dims or on all of them. 1 everywhere for `exact`.
#pragma once

#include <cstdint>

#include "reference/math/chunk_positions.hpp"

namespace dca::reference {

/// The law of one sequence. max(1, coefficient ln(length / reference) + 1) is the factor of a length; the reference
/// length is max_position_embeddings (chunkllama family) or original_max_position_embeddings (vllm family, llama.cpp);
/// without it, or where it is 0, every factor is 1.
class TemperatureLaw {
public:
    TemperatureLaw(const Problem& problem, const Sequence& sequence);

    [[nodiscard]] double query(QueryIndex i) const;  ///< a_i
    [[nodiscard]] double key(KeyIndex j) const;      ///< b_j
    /// Whether every factor of this sequence is 1 by rule (not by value).
    [[nodiscard]] bool off() const { return reference_ <= 0; }
    [[nodiscard]] TemperaturePlace place() const { return off() ? TemperaturePlace::nowhere : rule_.place; }
    /// The factor of a length, at least 1.
    [[nodiscard]] double factor(std::int64_t length) const;

private:
    Temperature rule_;
    bool decode_;
    double reference_ = 0;
    std::int64_t prompt_ = 0;  ///< length of the final prompt, or of what prefill saw
    std::int64_t seen_ = 0;    ///< longest key sequence of earlier calls
};

}  // namespace dca::reference
