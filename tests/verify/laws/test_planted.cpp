// Mistakes planted in healthy results: each is seen by the laws that can see it and by no other, and those that no law
// can see are stated.
#include "reference/backward.hpp"
#include "tests/reference/error_model/trial.hpp"
#include "tests/support/catch.hpp"
#include "tests/verify/laws/law_cases.hpp"

namespace dca::test {
namespace {

Problem plain_case(Dtype dtype) {
    Problem problem;
    problem.shape = {1, 256, 256, 2, 1, 32, 32};
    problem.chunk = {64, 16};
    problem.rope.layout = RopeLayout::none;
    problem.dtype = dtype;
    return problem;
}

TEST_CASE("planted mistakes are seen by the laws that can see them") {
    for (Dtype dtype : {Dtype::bf16, Dtype::f32}) {
        const Problem problem = plain_case(dtype);
        const Inputs inputs = trial_inputs(problem, 71, 1.0, true);
        const golden::CaseData healthy = run_case(problem, inputs, {});
        CHECK(broken_laws(verify::check_laws(healthy)).empty());
        for (const Mistake& mistake : mistakes()) {
            golden::CaseData data = healthy;
            mistake.make(data);
            const verify::LawsCase report = verify::check_laws(data);
            INFO(name(dtype) << ", " << mistake.name << ": " << describe(report));
            const bool too_small = mistake.needs_f32 && dtype != Dtype::f32;
            CHECK(broken_laws(report) == (too_small ? std::vector<std::string>{} : mistake.seen_by));
        }
    }
}

TEST_CASE("where every dim is rotated, no law sees a wrong D") {
    Problem problem = plain_case(Dtype::f32);
    problem.rope.layout = RopeLayout::neox;
    const Inputs inputs = trial_inputs(problem, 72, 1.0, true);
    golden::CaseData data = run_case(problem, inputs, {});
    const Outputs outputs{*data.results.out, *data.results.lse};
    Outputs enlarged = outputs;
    for (double& x : enlarged.out.values()) x *= 1.25;  // what D = <dout, out> is formed from
    const Gradients right = reference::backward(problem, inputs, outputs);
    const Gradients wrong = reference::backward(problem, inputs, enlarged);
    REQUIRE(right.dq != wrong.dq);
    data.results.dq = wrong.dq;
    data.results.dk = wrong.dk;
    CHECK(broken_laws(verify::check_laws(data)).empty());
}

}  // namespace
}  // namespace dca::test
