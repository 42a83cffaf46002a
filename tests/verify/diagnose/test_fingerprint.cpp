// Peers that work in other types than a case declares are seen by the size of their noise, honest ones are not accused.
#include <algorithm>

#include "tests/support/catch.hpp"
#include "tests/support/honest_kernel.hpp"
#include "tests/support/random_problem.hpp"
#include "tests/verify/diagnose/mistaken.hpp"
#include "tests/verify/diagnose/planted.hpp"
#include "verify/diagnose/fingerprint.hpp"
#include "verify/peer/peer.hpp"

namespace {

using namespace dca::test;
using namespace dca::verify;
using dca::Dtype;
using dca::golden::CaseData;
using dca::golden::Results;

Results results_of(const dca::peer::PeerResult& got) {
    return {got.outputs.out, got.outputs.lse, got.gradients->dq, got.gradients->dk, got.gradients->dv};
}

Fingerprint print_of(const CaseData& golden, const Results& got, const std::string& tensor) {
    for (Fingerprint& one : fingerprints(golden, got, compare_case(golden, got))) {
        if (one.tensor == tensor) return one;
    }
    FAIL("no fingerprint of " << tensor);
    return {};
}

TEST_CASE("a narrower type than declared is named") {
    struct Line {
        const char* declared;
        dca::peer::PeerTypes types;
        const char *out, *dq;
    };
    const std::vector<Line> lines{
        {"bf16", {Dtype::bf16, Dtype::e4m3, Dtype::f32, Dtype::bf16}, "P in e4m3", "P in e4m3"},
        {"f16", {Dtype::f16, Dtype::e5m2, Dtype::f32, Dtype::f16}, "P in e5m2", "P in e5m2"},
        {"f32", {Dtype::f32, Dtype::bf16, Dtype::f32, Dtype::f32}, "P in bf16", "P in bf16"},
        {"f16",
         {Dtype::f16, Dtype::f16, Dtype::bf16, Dtype::f16},
         "the accumulator in bf16",
         "the accumulator in bf16"},
    };
    for (const Line& line : lines) {
        const CaseData golden =
            planted_golden("seq_q=120 heads_q=2 heads_kv=1 head_dim=32 C=48 w=16 gradient=1 seed=4 dtype=" +
                           std::string(line.declared));
        const Results got = results_of(dca::peer::run_peer(golden.problem, golden.inputs, line.types));
        for (const char* tensor : {"out", "dq"}) {
            const Fingerprint one = print_of(golden, got, tensor);
            INFO(line.declared << " " << tensor << " " << one.rms_ratio << " " << one.best << " " << one.text);
            CHECK(one.worse_than_declared);
            CHECK(one.best == (std::string(tensor) == "out" ? line.out : line.dq));
            CHECK(one.text.find(one.best + " would explain it") != std::string::npos);
            CHECK(one.rms_ratio / one.best_ratio > 0.5);
            CHECK(one.rms_ratio / one.best_ratio < 2);
        }
    }
}

TEST_CASE("more precision than declared is said, and is no warning") {
    const CaseData golden = planted_golden("seq_q=120 head_dim=32 C=48 w=16 gradient=1 seed=4 dtype=bf16");
    const Fingerprint exact = print_of(golden, rounded(golden.results, Dtype::f32), "out");
    INFO(exact.text);
    CHECK_FALSE(exact.worse_than_declared);
    CHECK(exact.best != "as declared");
}

TEST_CASE("honest kernels are not accused") {
    int checked = 0;
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
        for (const Dtype dtype : {Dtype::f32, Dtype::tf32, Dtype::f16, Dtype::bf16}) {
            dca::Problem problem = random_problem(seed);
            problem.dtype = dtype;
            dca::golden::CaseSpec spec;
            spec.id = "case";
            spec.problem = problem;
            spec.recipe.seed = seed + 1;
            const CaseData golden = make_case(spec);
            if (!golden.inputs.dout) continue;
            const Results got = results_of(dca::peer::run_peer(golden.problem, golden.inputs));
            for (const Fingerprint& one : fingerprints(golden, got, compare_case(golden, got))) {
                INFO("seed " << seed << " " << name(dtype) << " " << one.tensor << " " << one.rms_ratio << " "
                             << one.text);
                CHECK_FALSE(one.worse_than_declared);
                ++checked;
            }
        }
    }
    CHECK(checked > 100);
}

TEST_CASE("honest kernels of other styles are not accused either") {
    for (const char* dtype : {"f32", "tf32", "f16", "bf16", "e4m3"}) {
        const CaseData golden =
            planted_golden(std::string("seq_q=150 heads_q=2 heads_kv=1 head_dim=32 C=48 w=16 seed=4 dtype=") + dtype +
                           " gradient=" + (std::string(dtype) == "e4m3" ? "0" : "1"));
        for (const auto softmax :
             {KernelStyle::Softmax::online, KernelStyle::Softmax::unfused, KernelStyle::Softmax::merged}) {
            for (const auto rotation : {KernelStyle::Rotation::wide, KernelStyle::Rotation::in_dtype}) {
                if (rotation == KernelStyle::Rotation::in_dtype && std::string(dtype) == "e4m3") continue;
                const KernelStyle style{rotation, softmax};
                auto got = run_kernel(golden.problem, golden.inputs, style);
                Results results{got.outputs.out, got.outputs.lse, {}, {}, {}};
                if (got.gradients) {
                    results.dq = got.gradients->dq;
                    results.dk = got.gradients->dk;
                    results.dv = got.gradients->dv;
                }
                for (const Fingerprint& one : fingerprints(golden, results, compare_case(golden, results))) {
                    INFO(dtype << " " << describe(style) << " " << one.tensor << " " << one.rms_ratio << one.text);
                    CHECK_FALSE(one.worse_than_declared);
                }
            }
        }
    }
}

TEST_CASE("a wrong kernel's error is not taken for rounding") {
    const CaseData golden = golden_for("plain-rope", Dtype::f32);
    Results got = golden.results;
    for (double& x : got.out->values()) x *= 1.001;
    for (const Fingerprint& one : fingerprints(golden, got, compare_case(golden, got))) CHECK(one.tensor != "out");
}

}  // namespace
