// The project's stated figure: on every case of suites smoke and ci, out, lse and all gradients of the reference agree
// with the oracle in binary128 within 1e-13 relative L2. In shards, so that ctest can run them side by side.
#include "golden/case_text.hpp"
#include "golden/catalogue.hpp"
#include "golden/make_inputs.hpp"
#include "reference/backward.hpp"
#include "reference/forward.hpp"
#include "reference/math/rope_frequencies.hpp"
#include "reference/oracle/attention.hpp"
#include "tests/support/agreement.hpp"

using namespace dca;

namespace {

void check_case(const golden::CaseSpec& spec) {
    INFO(golden::to_text(spec));
    const Inputs inputs = golden::make_inputs(spec);
    const Outputs got = reference::forward(spec.problem, inputs);
    const auto exact = oracle::forward<oracle::Quad>(spec.problem, inputs);
    CHECK(test::relative_l2(got.out, exact.out) <= test::reference_agreement);
    CHECK(test::relative_l2(got.lse, exact.lse) <= test::reference_agreement);
    if (!inputs.dout) return;
    const auto terms = test::term_norms(spec.problem, inputs, reference::mscale(spec.problem.rope));
    const Gradients gradients = reference::backward(spec.problem, inputs, got);
    const auto exact_gradients = oracle::backward<oracle::Quad>(spec.problem, inputs);
    test::check_agreement("dq", gradients.dq, exact_gradients.dq, terms.dq);
    test::check_agreement("dk", gradients.dk, exact_gradients.dk, terms.dk);
    CHECK(test::relative_l2(gradients.dv, exact_gradients.dv) <= test::reference_agreement);
}

void check_shard(const char* suite, std::size_t shard, std::size_t shards) {
    const auto cases = golden::suite(suite);
    std::size_t checked = 0;
    for (std::size_t n = shard; n < cases.size(); n += shards) {
        if (cases[n].expectation == golden::Expectation::must_reject) {
            INFO(golden::to_text(cases[n]));
            CHECK_THROWS_AS(validate(cases[n].problem), InvalidProblem);
        } else {
            check_case(cases[n]);
            ++checked;
        }
    }
    CHECK(checked > 0);
}

}  // namespace

TEST_CASE("suite smoke against the oracle") {
    check_shard("smoke", 0, 1);
}
TEST_CASE("suite ci against the oracle, shard 0 of 4") {
    check_shard("ci", 0, 4);
}
TEST_CASE("suite ci against the oracle, shard 1 of 4") {
    check_shard("ci", 1, 4);
}
TEST_CASE("suite ci against the oracle, shard 2 of 4") {
    check_shard("ci", 2, 4);
}
TEST_CASE("suite ci against the oracle, shard 3 of 4") {
    check_shard("ci", 3, 4);
}
