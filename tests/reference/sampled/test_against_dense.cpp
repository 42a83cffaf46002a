// Sampled rows against the dense reference with the same dout, which is 0 on all other rows.
#include "reference/backward.hpp"
#include "reference/error_scale.hpp"
#include "reference/forward.hpp"
#include "reference/math/rope_frequencies.hpp"
#include "tests/reference/sampled/whole_tensors.hpp"
#include "tests/support/agreement.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;
using namespace dca::test;

namespace {

/// The rows of a dense tensor that were sampled.
template <class T>
Tensor<T, 4> picked(const Tensor<T, 4>& whole, const std::vector<std::int64_t>& rows) {
    Tensor<T, 4> out({whole.extent(0), static_cast<std::int64_t>(rows.size()), whole.extent(2), whole.extent(3)});
    for (std::int64_t b = 0; b < out.extent(0); ++b) {
        for (std::int64_t r = 0; r < out.extent(1); ++r) {
            for (std::int64_t h = 0; h < out.extent(2); ++h) {
                for (std::int64_t c = 0; c < out.extent(3); ++c) {
                    out(b, r, h, c) = whole(b, rows[static_cast<std::size_t>(r)], h, c);
                }
            }
        }
    }
    return out;
}

/// lse as a tensor of one channel, rows second.
template <class T>
Tensor<T, 4> lse_rows(const Tensor<T, 3>& lse) {
    Tensor<T, 4> out({lse.extent(0), lse.extent(2), lse.extent(1), 1});
    for (std::int64_t b = 0; b < lse.extent(0); ++b) {
        for (std::int64_t h = 0; h < lse.extent(1); ++h) {
            for (std::int64_t r = 0; r < lse.extent(2); ++r) out(b, r, h, 0) = lse(b, h, r);
        }
    }
    return out;
}

/// The scales are computed from the same formulas in another order: float32 holds 24 bits, and the variances they are
/// roots of lose a few of their 53 where terms cancel (p v - O), which 2^-16 leaves room for.
void check_scales(const std::string& tensor, std::span<const float> got, std::span<const float> wanted) {
    REQUIRE(got.size() == wanted.size());
    double worst = 0;
    for (std::size_t n = 0; n < got.size(); ++n) {
        const double a = static_cast<double>(got[n]), b = static_cast<double>(wanted[n]);
        if (a != b) worst = std::max(worst, std::abs(a - b) / std::max(a, b));
    }
    INFO(tensor << ": worst relative difference of sigma " << worst);
    CHECK(worst <= 0x1p-16);
}

void check_against_dense(const Problem& problem, Inputs inputs, const std::vector<std::int64_t>& rows,
                         const reference::sampled::Memory& memory = {}) {
    mask_dout(inputs, rows);
    const Outputs outputs = reference::forward(problem, inputs);
    const Gradients gradients = reference::backward(problem, inputs, outputs);
    const ErrorScales scales = reference::error_scales(problem, inputs, outputs);
    const SampledRun run = run_sampled(problem, inputs, rows, memory);

    const Tensor4 lse = lse_rows(outputs.lse), got_lse = lse_rows(run.rows.outputs.lse);
    const Tensor4 wanted_lse = picked(lse, rows);
    for (std::size_t n = 0; n < wanted_lse.values().size(); ++n) {
        const double a = got_lse.values()[n], b = wanted_lse.values()[n];
        CHECK((a == b || std::abs(a - b) <= reference_agreement * std::max(1.0, std::abs(b))));
    }
    const TermNorms terms = term_norms(problem, inputs, reference::mscale(problem.rope));
    check_agreement("out", run.rows.outputs.out, picked(outputs.out, rows), 0);
    check_agreement("dq", *run.rows.dq, picked(gradients.dq, rows), terms.dq);
    Tensor4 dk(k_extents(problem.shape)), dv(v_extents(problem.shape));
    REQUIRE(run.dk.size() == dk.values().size());
    REQUIRE(run.dv.size() == dv.values().size());
    std::copy(run.dk.begin(), run.dk.end(), dk.values().begin());
    std::copy(run.dv.begin(), run.dv.end(), dv.values().begin());
    check_agreement("dk", dk, gradients.dk, terms.dk);
    check_agreement("dv", dv, gradients.dv, 0);

    check_scales("out", run.rows.scales.out.values(), picked(scales.out, rows).values());
    check_scales("lse", lse_rows(run.rows.scales.lse).values(), picked(lse_rows(scales.lse), rows).values());
    check_scales("dq", run.rows.scales.dq->values(), picked(*scales.dq, rows).values());
    check_scales("dk", run.dk_scale, scales.dk->values());
    check_scales("dv", run.dv_scale, scales.dv->values());
}

}  // namespace

TEST_CASE("sampled rows and every key agree with the dense reference on random problems") {
    int checked = 0;
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
        const Problem problem = random_problem(seed);
        if (problem.packed()) continue;
        const std::int64_t count = 1 + static_cast<std::int64_t>(seed % 13) * (problem.shape.seq_q / 8 + 1);
        CAPTURE(seed, count, describe(problem));
        check_against_dense(problem, random_inputs(problem, seed, seed % 3 == 0 ? 2.0 : 1.0),
                            some_rows(problem.shape.seq_q, count, seed));
        ++checked;
    }
    CHECK(checked >= 250);
}

TEST_CASE("sampled rows agree with the dense reference over many units and slices of keys") {
    const ChunkConfig chunks[] = {{700, 100}, {2000, 0}, {90, 20}, {131, 3}};
    for (const ChunkConfig& chunk : chunks) {
        Problem problem = plain_problem(1530, chunk, 4, 2, 20);
        problem.dtype = Dtype::bf16;
        problem.shape.head_dim_v = 12;
        CAPTURE(describe(problem));
        // One slice; then slices of one unit.
        check_against_dense(problem, random_inputs(problem, 5, 2.0), some_rows(1530, 100, 6));
        check_against_dense(problem, random_inputs(problem, 7, 1.0), some_rows(1530, 61, 8), {.keys = 1, .kept = 1});
    }
}
