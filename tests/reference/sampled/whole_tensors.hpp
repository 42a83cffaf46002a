// Sampled computation of a problem whose tensors are in memory, gathered back into whole tensors.
#pragma once

#include <vector>

#include "reference/sampled/sampled.hpp"

namespace dca::test {

/// Serves pieces of tensors that are in memory.
class WholeTensors final : public reference::sampled::Source {
public:
    explicit WholeTensors(const Inputs& inputs) : inputs_(inputs) {}
    void fill(reference::sampled::InputKind kind, std::int64_t batch, std::int64_t begin, std::int64_t end,
              std::span<double> out) const override;

private:
    const Inputs& inputs_;
};

struct SampledRun {
    reference::sampled::RowResults rows;
    std::vector<double> dk, dv;
    std::vector<float> dk_scale, dv_scale;
};

/// gradient follows inputs.dout.
[[nodiscard]] SampledRun run_sampled(const Problem& problem, const Inputs& inputs,
                                     const std::vector<std::int64_t>& rows,
                                     const reference::sampled::Memory& memory = {});

/// dout with zeros in every row that is not sampled.
void mask_dout(Inputs& inputs, const std::vector<std::int64_t>& rows);

/// `count` ascending rows of [0, seq_q), a function of the seed.
[[nodiscard]] std::vector<std::int64_t> some_rows(std::int64_t seq_q, std::int64_t count, std::uint64_t seed);

}  // namespace dca::test
