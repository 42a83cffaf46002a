// The acceptance rule as compare applies it, over healthy kernels of every style, dtype and mixture of dtypes: none may
// be rejected. Case n is a function of n alone.
#include <map>
#include <random>

#include "golden/store.hpp"
#include "reference/backward.hpp"
#include "reference/error_scale.hpp"
#include "reference/forward.hpp"
#include "reference/math/chunk_positions.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/honest_kernel.hpp"
#include "tests/support/random_problem.hpp"
#include "verify/compare/compare.hpp"
#include "verify/peer/peer.hpp"

namespace dca::test {
namespace {

constexpr std::uint64_t first_seed = 20000;
constexpr int cases = 2400;

struct Types {
    Dtype dtype;
    WorkTypes work;
};
using enum Dtype;
const Types type_table[] = {
    {f64, {}},
    {f32, {}},
    {tf32, {}},
    {f16, {}},
    {bf16, {}},
    {e4m3, {}},
    {e5m2, {}},
    {bf16, {{}, {}, f32}},
    {f16, {{}, f16, {}}},
    {bf16, {e4m3, {}, {}}},
    {bf16, {e5m2, {}, f32}},
    {bf16, {f16, f16, {}}},
    {e4m3, {bf16, {}, {}}},
    {e4m3, {e5m2, {}, f16}},
    {e5m2, {f16, f16, f16}},
    {f16, {f32, {}, f32}},
    {bf16, {bf16, bf16, {}}},
    {f32, {tf32, f64, {}}},
    {tf32, {bf16, {}, bf16}},
};

golden::Results results_of(Outputs outputs, std::optional<Gradients> gradients) {
    golden::Results results{std::move(outputs.out), std::move(outputs.lse), {}, {}, {}};
    if (gradients) {
        results.dq = std::move(gradients->dq);
        results.dk = std::move(gradients->dk);
        results.dv = std::move(gradients->dv);
    }
    return results;
}

golden::CaseData golden_of(const Problem& problem, const Inputs& inputs) {
    golden::CaseData data;
    data.problem = problem;
    data.inputs = inputs;
    Outputs outputs = reference::forward(problem, inputs);
    data.judge = golden::JudgeData{reference::error_scales(problem, inputs, outputs), reference::row_regions(problem),
                                   reference::error_model_version};
    Gradients gradients = reference::backward(problem, inputs, outputs);
    data.results = results_of(std::move(outputs), std::move(gradients));
    return data;
}

struct Candidate {
    std::string name;
    golden::Results results;
};

/// Style 0 is the peer; the others are those of honest_kernel, which knows no rope scaling.
constexpr std::uint64_t styles = 7;
Candidate run_style(std::uint64_t style, const Problem& problem, const Inputs& inputs) {
    if (style == 0) {
        peer::PeerResult result = peer::run_peer(problem, inputs);
        return {"peer", results_of(std::move(result.outputs), std::move(result.gradients))};
    }
    const KernelStyle kernel{style % 2 == 0 ? KernelStyle::Rotation::wide : KernelStyle::Rotation::in_dtype,
                             static_cast<KernelStyle::Softmax>((style - 1) / 2), 0};
    KernelResult result = run_kernel(problem, inputs, kernel);
    return {describe(kernel), results_of(std::move(result.outputs), std::move(result.gradients))};
}

}  // namespace

TEST_CASE("2400 healthy kernels raise no alarm", "[calibration]") {
    int judged = 0;
    std::map<std::string, int> of_style;
    for (int n = 0; n < cases; ++n) {
        const std::uint64_t seed = first_seed + static_cast<std::uint64_t>(n);
        std::mt19937_64 engine(seed);
        Problem problem = random_problem(seed);
        const Types& types = type_table[engine() % std::size(type_table)];
        problem.dtype = types.dtype;
        problem.work = types.work;
        const bool narrow = problem.resolved_accumulator() == f16 || problem.resolved_accumulator() == bf16;
        const std::uint64_t style = narrow ? 0 : engine() % styles;
        if (style != 0) problem.rope.scaling = RopeScaling::none;
        // Where 8-bit q~ and k~ move logits by more than 2 no digit is left to judge (docs/error_model.md, limits).
        const double scales[] = {0.3, 1, 3};
        const bool coarse = traits(problem.dtype).storage_bits == 8;
        const double scale = scales[engine() % (coarse ? 2 : 3)];
        Inputs inputs = random_inputs(problem, seed, scale);
        for (Tensor4* tensor : {&inputs.q, &inputs.k, &inputs.v, &*inputs.dout}) {
            for (double& x : tensor->values()) x = round_to(problem.dtype, x);
        }
        const golden::CaseData golden = golden_of(problem, inputs);
        const Candidate candidate = run_style(style, problem, inputs);
        const verify::CaseReport report = verify::compare_case(golden, candidate.results);
        INFO("seed " << seed << ": " << candidate.name << ", dtype " << name(problem.dtype) << " p "
                     << name(problem.resolved_p_dtype()) << " accumulator " << name(problem.resolved_accumulator())
                     << " output " << name(problem.resolved_output_dtype()) << ", q and k times " << scale << "; "
                     << describe(problem) << "; " << report.reason);
        // Marginal: passed, above half a line. Mistrusted: nothing wrong was found, where zeros would have passed too.
        CHECK((report.verdict == verify::Verdict::passed || report.verdict == verify::Verdict::marginal ||
               report.verdict == verify::Verdict::mistrusted));
        CHECK(report.tensors.size() == 5);
        ++judged;
        ++of_style[candidate.name];
    }
    CHECK(judged == cases);
    CHECK(of_style.size() == styles);
}

}  // namespace dca::test
