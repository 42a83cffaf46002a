#include "tests/reference/sampled/whole_tensors.hpp"

#include <algorithm>
#include <numeric>
#include <random>

namespace dca::test {

void WholeTensors::fill(reference::sampled::InputKind kind, std::int64_t batch, std::int64_t begin, std::int64_t end,
                        std::span<double> out) const {
    const Tensor4* tensors[] = {&inputs_.q, &inputs_.k, &inputs_.v, inputs_.dout ? &*inputs_.dout : nullptr};
    const Tensor4& tensor = *tensors[static_cast<std::size_t>(kind)];
    const std::int64_t width = tensor.extent(2) * tensor.extent(3);
    expects(static_cast<std::int64_t>(out.size()) == (end - begin) * width, "WholeTensors: wrong size");
    const auto first = tensor.values().begin() + (batch * tensor.extent(1) + begin) * width;
    std::copy(first, first + (end - begin) * width, out.begin());
}

SampledRun run_sampled(const Problem& problem, const Inputs& inputs, const std::vector<std::int64_t>& rows,
                       const reference::sampled::Memory& memory) {
    SampledRun run;
    const auto append = [](auto& to, auto values) { to.insert(to.end(), values.begin(), values.end()); };
    const reference::sampled::KeySink sink{[&](auto dk, auto dv) {
                                               append(run.dk, dk);
                                               append(run.dv, dv);
                                           },
                                           [&](auto dk, auto dv) {
                                               append(run.dk_scale, dk);
                                               append(run.dv_scale, dv);
                                           }};
    run.rows =
        reference::sampled::compute(problem, rows, inputs.dout.has_value(), WholeTensors(inputs), sink, {}, memory);
    return run;
}

void mask_dout(Inputs& inputs, const std::vector<std::int64_t>& rows) {
    Tensor4& dout = *inputs.dout;
    const std::int64_t width = dout.extent(2) * dout.extent(3);
    for (std::int64_t b = 0; b < dout.extent(0); ++b) {
        for (std::int64_t row = 0; row < dout.extent(1); ++row) {
            if (!std::binary_search(rows.begin(), rows.end(), row)) std::fill_n(&dout(b, row, 0, 0), width, 0.0);
        }
    }
}

std::vector<std::int64_t> some_rows(std::int64_t seq_q, std::int64_t count, std::uint64_t seed) {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(seq_q));
    std::iota(rows.begin(), rows.end(), 0);
    std::mt19937_64 random(seed);
    for (std::size_t n = rows.size(); n > 1; --n) std::swap(rows[n - 1], rows[random() % n]);
    rows.resize(static_cast<std::size_t>(std::min(count, seq_q)));
    std::sort(rows.begin(), rows.end());
    return rows;
}

}  // namespace dca::test
