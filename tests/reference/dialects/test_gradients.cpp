// Gradients of the dialects against central differences: of the forward pass where the gradient is true, of the parts
// weighted with constants where the merge is detached. In f64 no activation is rounded, so both are smooth.
#include <cmath>

#include "reference/backward.hpp"
#include "reference/forward.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

namespace {

double dot(const Tensor4& a, const Tensor4& b) {
    long double sum = 0;
    for (std::size_t n = 0; n < a.values().size(); ++n) sum += static_cast<long double>(a.values()[n]) * b.values()[n];
    return static_cast<double>(sum);
}

/// <dout, sum_m w_m o_m> with weights w of another point: what automatic differentiation of a detached merge sees.
class DetachedLoss {
public:
    DetachedLoss(const Problem& problem, const Inputs& inputs, bool bf16_weights) : problem_(problem) {
        std::vector<Tensor3> lse;
        for (Mode mode : all_modes) lse.push_back(reference::partial(problem, inputs, mode).lse);
        // FlashAttention returns float32 LSE; megatron_pr4048 forms its own in the activation dtype.
        for (Tensor3& part : lse) {
            if (problem.dialect == "megatron_pr4048") break;
            for (double& value : part.values()) value = static_cast<float>(value);
        }
        weight_ = lse;
        for (std::size_t n = 0; n < lse[0].values().size(); ++n) {
            double sum = 0;
            for (const Tensor3& part : lse) sum += std::exp(part.values()[n]);
            for (std::size_t m = 0; m < lse.size(); ++m) {
                const double w = std::exp(lse[m].values()[n]) / sum;
                weight_[m].values()[n] = bf16_weights ? round_to(Dtype::bf16, w) : w;
            }
        }
    }
    double operator()(const Inputs& inputs) const {
        long double sum = 0;
        for (Mode mode : all_modes) {
            const Outputs part = reference::partial(problem_, inputs, mode);
            const Tensor3& weight = weight_[static_cast<std::size_t>(mode)];
            const Shape& s = problem_.shape;
            for (std::int64_t i = 0; i < s.seq_q; ++i) {
                for (std::int64_t h = 0; h < s.heads_q; ++h) {
                    for (std::int64_t c = 0; c < s.head_dim_v; ++c) {
                        sum += static_cast<long double>(weight(0, h, i)) * part.out(0, i, h, c) *
                               (*inputs.dout)(0, i, h, c);
                    }
                }
            }
        }
        return static_cast<double>(sum);
    }

private:
    Problem problem_;
    std::vector<Tensor3> weight_;
};

template <class Loss>
void check_slopes(const Inputs& inputs, const Gradients& gradients, const Loss& loss) {
    const auto check = [&](const char* which, Tensor4 Inputs::*field, const Tensor4& gradient) {
        CAPTURE(which);
        Tensor4 along(gradient.extents());
        for (std::size_t n = 0; n < along.values().size(); ++n)
            along.values()[n] = std::sin(1.0 + 1.7 * static_cast<double>(n));
        const auto slope = [&](double step) {
            Inputs plus = inputs, minus = inputs;
            for (std::size_t n = 0; n < along.values().size(); ++n) {
                (plus.*field).values()[n] += step * along.values()[n];
                (minus.*field).values()[n] -= step * along.values()[n];
            }
            return (loss(plus) - loss(minus)) / (2 * step);
        };
        // As in test_finite_differences: the finer slope is off by a third of its distance to the coarser one, and by
        // a few roundoffs of the loss, whose terms are of size 1, over the step.
        constexpr double h = 0x1p-14;
        const double exact = dot(gradient, along), coarse = slope(h), fine = slope(h / 2);
        const double bound = std::abs(coarse - fine) + 64 * 0x1p-53 * static_cast<double>(inputs.dout->size()) / h;
        CAPTURE(exact, coarse, fine, bound);
        CHECK(std::abs(fine - exact) <= bound);
        CHECK(std::abs(exact) > 1000 * bound);
    };
    check("dq", &Inputs::q, gradients.dq);
    check("dk", &Inputs::k, gradients.dk);
    check("dv", &Inputs::v, gradients.dv);
}

Problem dialect_problem(const std::string& dialect) {
    Problem problem = test::plain_problem(14, {6, 2}, 2, 2, 8);
    problem.dialect = dialect;
    problem.facts.max_position_embeddings = dialect == "vllm" || dialect == "sglang" || dialect == "vllm_fork" ? 64 : 5;
    problem.facts.original_max_position_embeddings = dialect == "zerollama" ? 0 : 5;
    return problem;
}

Problem as_decode(Problem problem) {
    problem.shape.seq_q = 9;
    problem.facts.phase = Phase::decode;
    problem.facts.prompt_length = {5};
    return problem;
}

}  // namespace

TEST_CASE("dialects with a true gradient: central differences of their forward pass") {
    std::vector<Problem> problems;
    for (const char* name : {"exact", "paper", "megatron_bridge_pr4185", "llama_cpp_dca", "zerollama"}) {
        problems.push_back(dialect_problem(name));
    }
    for (const char* name : {"chunkllama", "chunkqwen"}) problems.push_back(as_decode(dialect_problem(name)));
    for (const Problem& problem : problems) {
        CAPTURE(problem.dialect);
        const Inputs inputs = test::random_inputs(problem, 3, 0.7);
        const Gradients gradients = reference::backward(problem, inputs, reference::forward(problem, inputs));
        check_slopes(inputs, gradients,
                     [&](const Inputs& at) { return dot(reference::forward(problem, at).out, *at.dout); });
    }
}

TEST_CASE("dialects with a detached merge: central differences with the weights held") {
    std::vector<Problem> problems;
    for (const char* name :
         {"chunkllama", "chunkqwen", "chunkllama_flash_decoding", "vllm_fork", "vllm", "sglang", "megatron_pr4048"}) {
        problems.push_back(dialect_problem(name));
    }
    for (const char* name : {"chunkllama_flash_decoding", "vllm", "sglang"}) {
        problems.push_back(as_decode(dialect_problem(name)));
    }
    for (const Problem& problem : problems) {
        CAPTURE(problem.dialect);
        const Inputs inputs = test::random_inputs(problem, 4, 0.7);
        reference::Parts parts;
        const Outputs outputs = reference::forward(problem, inputs, parts);
        const Gradients gradients = reference::backward(problem, inputs, outputs);
        const Gradients from_parts = reference::backward(problem, inputs, outputs, std::nullopt, &parts);
        CHECK(gradients.dq == from_parts.dq);
        CHECK(gradients.dk == from_parts.dk);
        CHECK(reference::backward_needs_parts(problem));
        const bool bf16 = problem.dialect.starts_with("chunkllama");
        check_slopes(inputs, gradients, DetachedLoss(problem, inputs, bf16));
    }
}
