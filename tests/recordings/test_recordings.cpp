// Outside witnesses: what public code computed, against the reference, at the agreement the recordings' README states
// (expected_max_abs: four times the difference from an independent float64 program, per case).
#include "golden/store.hpp"
#include "reference/backward.hpp"
#include "reference/forward.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"

using namespace dca;

namespace {

double fact(const golden::CaseData& data, const char* name) {
    return std::get<double>(data.provenance.at(name));
}

/// Calls check(case, reference outputs) for every case of a recording and returns how many there were.
template <class Check>
int for_each_case(const char* file, Check check) {
    const golden::FileReader reader(std::string(DCA_SOURCE_DIR "/tests/recordings/") + file);
    int count = 0;
    for (const std::string& id : reader.case_ids()) {
        INFO(file << " " << id);
        golden::CaseData data = reader.read(id);
        data.problem.dialect = "exact";  // both codes compute the exact forward (docs/definition.md, Sources)
        check(data, reference::forward(data.problem, data.inputs));
        ++count;
    }
    return count;
}

void check_gradients(const golden::CaseData& data, const Gradients& gradients) {
    const double bound = fact(data, "expected_max_abs_grad");
    CHECK(test::max_abs_difference(*data.results.dq, gradients.dq) <= bound);
    CHECK(test::max_abs_difference(*data.results.dk, gradients.dk) <= bound);
    CHECK(test::max_abs_difference(*data.results.dv, gradients.dv) <= bound);
}

}  // namespace

TEST_CASE("Megatron-LM PR #4048: forward is exact, gradients are those of a detached merge") {
    const int cases = for_each_case("megatron_pr4048.h5", [](const golden::CaseData& data, const Outputs& outputs) {
        CHECK(test::max_abs_difference(*data.results.out, outputs.out) <= fact(data, "expected_max_abs"));
        check_gradients(
            data, reference::backward(data.problem, data.inputs, outputs, reference::GradientRule::detached_merge));
    });
    CHECK(cases == 23);
}

TEST_CASE("Megatron-Bridge PR #4185: forward and gradients are exact") {
    const int cases =
        for_each_case("megatron_bridge_pr4185.h5", [](const golden::CaseData& data, const Outputs& outputs) {
            CHECK(test::max_abs_difference(*data.results.out, outputs.out) <= fact(data, "expected_max_abs"));
            check_gradients(data, reference::backward(data.problem, data.inputs, outputs));
        });
    CHECK(cases == 20);
}
