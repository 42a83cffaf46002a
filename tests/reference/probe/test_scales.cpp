// The error scales of a probe against those of the dense error model.
#include <cstdio>

#include "reference/error_scale.hpp"
#include "reference/forward.hpp"
#include "reference/noise/tie_noise.hpp"
#include "tests/reference/probe/probe_problem.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

namespace {

struct Band {
    double low = HUGE_VAL, high = 0;
    template <int Rank>
    void add(const Tensor<float, Rank>& got, const Tensor<float, Rank>& dense) {
        for (std::size_t e = 0; e < got.values().size(); ++e) {
            const double a = got.values()[e], b = dense.values()[e];
            if (a == b) continue;
            low = std::min(low, a / b);
            high = std::max(high, a / b);
        }
    }
};

}  // namespace

TEST_CASE("scales of probes are those of the error model", "[ratios]") {
    for (const Dialect& dialect : dialects()) {
        Band out, lse, dq, dk, dv;
        for (std::uint64_t seed = 1; seed <= 60; ++seed) {
            auto probe = test::random_probe(std::string(dialect.name), seed);
            if (!probe) continue;
            if (dialect.name == "exact") {
                constexpr Dtype dtypes[] = {Dtype::f64, Dtype::f32, Dtype::bf16, Dtype::f16, Dtype::tf32, Dtype::e4m3};
                probe->problem.dtype = dtypes[seed % 6];
                probe = test::make_probe(probe->problem, seed, seed % 3 == 0 ? 2 : 1);
            }
            const auto got = reference::probe::probe(probe->problem, probe->inputs, {});
            const Outputs dense = reference::forward(probe->problem, probe->dense);
            ErrorScales scales = reference::error_scales(probe->problem, probe->dense, dense);
            reference::Parts parts;
            (void)reference::forward(probe->problem, probe->dense, parts);
            const Gradients gradients = reference::backward(probe->problem, probe->dense, dense, std::nullopt, &parts);
            reference::add_tie_noise(probe->problem, probe->dense, dense, parts, &gradients, scales);
            Band o, l, q, k, v;
            o.add(*got.sigma_out, scales.out);
            out.add(*got.sigma_out, scales.out);
            l.add(*got.sigma_lse, scales.lse);
            lse.add(*got.sigma_lse, scales.lse);
            q.add(*got.sigma_dq, *scales.dq);
            dq.add(*got.sigma_dq, *scales.dq);
            k.add(*got.sigma_dk, *scales.dk);
            dk.add(*got.sigma_dk, *scales.dk);
            v.add(*got.sigma_dv, *scales.dv);
            dv.add(*got.sigma_dv, *scales.dv);
            if (std::min({o.low, l.low, q.low, k.low, v.low}) < 0.9999 ||
                std::max({o.high, l.high, q.high, k.high, v.high}) > 1.02)
                std::printf(
                    "%s seed %d %s n%d L%d: out %.4f %.4f lse %.4f %.4f dq %.4f %.4f dk %.4f %.4f dv %.4f %.4f\n",
                    dialect.name.data(), (int)seed, name(probe->problem.dtype).data(), (int)probe->problem.shape.seq_k,
                    (int)probe->problem.chunk.chunk_len(), o.low, o.high, l.low, l.high, q.low, q.high, k.low, k.high,
                    v.low, v.high);
        }
        std::printf("%s: out %.4f %.4f lse %.4f %.4f dq %.4f %.4f dk %.4f %.4f dv %.4f %.4f\n", dialect.name.data(),
                    out.low, out.high, lse.low, lse.high, dq.low, dq.high, dk.low, dk.high, dv.low, dv.high);
    }
}
