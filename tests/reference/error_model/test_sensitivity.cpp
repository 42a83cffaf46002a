// Known mistakes, made by otherwise honest kernels, break the lines at unit scale.
#include "reference/backward.hpp"
#include "tests/reference/error_model/trial.hpp"
#include "tests/support/catch.hpp"

namespace dca::test {
namespace {

constexpr double element_line = 6, out_row_line = 2, gradient_row_line = 3;

struct Trial {
    explicit Trial(Dtype dtype, std::uint64_t seed = 7) {
        problem.dtype = dtype;
        problem.shape = {1, 256, 256, 2, 1, 64, 64};
        problem.chunk = {80, 16};
        inputs = trial_inputs(problem, seed, 1, true);
    }
    Tallies judged(const KernelResult& result) const { return judge(truth(), result); }
    Truth truth() const { return Truth(problem, inputs); }
    Problem problem;
    Inputs inputs;
};

void scale(Tensor4& tensor, double factor) {
    for (double& x : tensor.values()) x *= factor;
}

bool breaks(const Tally& tally, double row_line) {
    return tally.worst_element > element_line || tally.worst_row > row_line;
}

}  // namespace

TEST_CASE("a softmax scale 1 % too large is seen", "[sensitivity]") {
    for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
        const Trial trial(dtype);
        Problem wrong = trial.problem;
        wrong.softmax_scale = 1.01 * trial.problem.resolved_softmax_scale();
        const Tallies tallies = trial.judged(run_kernel(wrong, trial.inputs, {}));
        INFO("dtype " << name(dtype) << ": " << describe(tallies));
        CHECK(tallies.lse.worst_element > element_line);
        // In bf16 the rotation alone moves logits by 0.5 %: the output cannot tell, lse can (docs/error_model.md
        // section 8).
        if (dtype != Dtype::bf16) CHECK(breaks(tallies.out, out_row_line));
    }
}

TEST_CASE("an inter position off by one is seen", "[sensitivity]") {
    for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
        const Trial trial(dtype);
        KernelStyle style;
        style.inter_shift = 1;
        const Tallies tallies = trial.judged(run_kernel(trial.problem, trial.inputs, style));
        INFO("dtype " << name(dtype) << ": " << describe(tallies));
        CHECK(breaks(tallies.out, out_row_line));
        CHECK(breaks(tallies.lse, element_line));
        CHECK(breaks(tallies.dq, gradient_row_line));
        CHECK(breaks(tallies.dk, gradient_row_line));
    }
}

TEST_CASE("an output 2 % or gradients 4 % too large, and zeros, are seen", "[sensitivity]") {
    for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
        const Trial trial(dtype);
        const KernelResult honest = run_kernel(trial.problem, trial.inputs, {});
        for (const bool zeros : {false, true}) {
            KernelResult wrong = honest;
            scale(wrong.outputs.out, zeros ? 0 : 1.02);
            Gradients& g = *wrong.gradients;
            for (Tensor4* tensor : {&g.dq, &g.dk, &g.dv}) scale(*tensor, zeros ? 0 : 1.04);
            const Tallies tallies = trial.judged(wrong);
            INFO("dtype " << name(dtype) << (zeros ? ", zeros: " : ", too large: ") << describe(tallies));
            CHECK(breaks(tallies.out, out_row_line));
            CHECK(breaks(tallies.dq, gradient_row_line));
            CHECK(breaks(tallies.dk, gradient_row_line));
            CHECK(breaks(tallies.dv, gradient_row_line));
        }
    }
}

TEST_CASE("the detached merge is seen in dq and dk, and only there", "[sensitivity]") {
    for (const Dtype dtype : {Dtype::f32, Dtype::bf16}) {
        const Trial trial(dtype);
        KernelResult wrong = run_kernel(trial.problem, trial.inputs, {});
        const Truth truth = trial.truth();
        wrong.gradients =
            reference::backward(trial.problem, trial.inputs, truth.outputs, reference::GradientRule::detached_merge);
        const Tallies tallies = judge(truth, wrong);
        INFO("dtype " << name(dtype) << ": " << describe(tallies));
        CHECK(breaks(tallies.dq, gradient_row_line));
        CHECK(breaks(tallies.dk, gradient_row_line));
        CHECK_FALSE(breaks(tallies.dv, gradient_row_line));
    }
}

TEST_CASE("one lost key is seen in the rows that lost it", "[sensitivity]") {
    for (const Dtype dtype : {Dtype::f32, Dtype::bf16}) {
        const Trial trial(dtype);
        Inputs wrong = trial.inputs;
        // A key of logit 0 and value 0: the others keep their numerators.
        for (std::int64_t c = 0; c < 64; ++c) wrong.v(0, 100, 0, c) = 0;
        const Tallies tallies = trial.judged(run_kernel(trial.problem, wrong, {}));
        INFO("dtype " << name(dtype) << ": " << describe(tallies));
        CHECK(breaks(tallies.out, out_row_line));
    }
}

TEST_CASE("precision below the claimed one is seen", "[sensitivity]") {
    const std::pair<Dtype, Dtype> claims[] = {
        {Dtype::f64, Dtype::f32}, {Dtype::f32, Dtype::tf32}, {Dtype::f16, Dtype::bf16}};
    for (const auto& [claimed, used] : claims) {
        const Trial trial(used);  // inputs that both can represent
        Trial claim(claimed);
        claim.inputs = trial.inputs;
        round_inputs(claim.inputs, claimed);
        const Tallies tallies = claim.judged(run_kernel(trial.problem, trial.inputs, {}));
        INFO("claimed " << name(claimed) << ", used " << name(used) << ": " << describe(tallies));
        CHECK(breaks(tallies.out, out_row_line));
        CHECK(breaks(tallies.dq, gradient_row_line));
        CHECK(breaks(tallies.dk, gradient_row_line));
        CHECK(breaks(tallies.dv, gradient_row_line));
    }
}

}  // namespace dca::test
