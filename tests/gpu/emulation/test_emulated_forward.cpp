// Every feature of the definition through the kernels, fused and in three calls; and that a run is a function of its
// inputs, not of threads or of the order in which fibers run.
#include <cstring>
#include <set>
#include <string>

#include "golden/catalogue.hpp"
#include "gpu/emulation/buffer.hpp"
#include "gpu/emulation/run_plan.hpp"
#include "reference/error_scale.hpp"
#include "reference/forward.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"
#include "verify/compare/compare.hpp"
#include "verify/run/results.hpp"

using namespace dca;
using namespace dca::gpu;

namespace {

constexpr Dtype dtypes[] = {Dtype::bf16, Dtype::f16, Dtype::f64};

Inputs inputs_of(const Problem& problem, std::uint64_t seed) {
    Inputs inputs = test::random_inputs(problem, seed);
    inputs.dout.reset();
    for (Tensor4* tensor : {&inputs.q, &inputs.k, &inputs.v}) {
        for (double& x : tensor->values()) x = round_to(problem.dtype, x);
    }
    return inputs;
}

verify::CaseReport judged(const Problem& problem, const Inputs& inputs, Outputs got) {
    golden::CaseData golden;
    golden.problem = problem;
    golden.inputs = inputs;
    Outputs outputs = reference::forward(problem, inputs);
    golden.judge = golden::JudgeData{reference::error_scales(problem, inputs, outputs), reference::row_regions(problem),
                                     reference::error_model_version};
    golden.results = verify::results_of(std::move(outputs), std::nullopt);
    return verify::compare_case(golden, verify::results_of(std::move(got), std::nullopt));
}

bool same_bits(const Outputs& a, const Outputs& b) {
    const auto equal = [](std::span<const double> x, std::span<const double> y) {
        return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size_bytes()) == 0;
    };
    return equal(a.out.values(), b.out.values()) && equal(a.lse.values(), b.lse.values());
}

Problem two_tiles(Dtype dtype) {
    Problem problem = test::plain_problem(200, {100, 10}, 4, 2, 64);
    problem.dtype = dtype;
    return problem;
}

}  // namespace

TEST_CASE("random problems over every feature are accepted, fused and in three calls") {
    for (std::uint64_t seed = 1; seed <= 72; ++seed) {
        Problem problem = test::random_problem(seed);
        problem.dtype = dtypes[seed % 3];
        const Inputs inputs = inputs_of(problem, seed);
        EmulationOptions options;
        options.three_calls = seed % 2 == 0;
        const verify::CaseReport report = judged(problem, inputs, emulated_forward(problem, inputs, options));
        INFO("seed " << seed << (options.three_calls ? ", three calls, " : ", ") << name(problem.dtype) << ": "
                     << test::describe(problem) << "; " << report.reason);
        // Marginal: passed, above half a line. Mistrusted: nothing wrong was found, where zeros would have passed too.
        CHECK((report.verdict == verify::Verdict::passed || report.verdict == verify::Verdict::marginal ||
               report.verdict == verify::Verdict::mistrusted));
        CHECK(report.tensors.size() == 2);
    }
}

TEST_CASE("neither host threads nor the order of fibers changes a bit") {
    for (const Dtype dtype : dtypes) {
        const Problem problem = two_tiles(dtype);
        const Inputs inputs = inputs_of(problem, 5);
        for (const bool three_calls : {false, true}) {
            EmulationStats first;
            const Outputs once = emulated_forward(problem, inputs, {1, 1, three_calls}, &first);
            for (const int threads : {2, 3}) {
                EmulationStats stats;
                CHECK(same_bits(once, emulated_forward(problem, inputs, {1, threads, three_calls}, &stats)));
                CHECK(stats.blocks == first.blocks);
                CHECK(stats.collectives == first.collectives);
                CHECK(stats.bank_conflicts == first.bank_conflicts);
            }
            for (const std::uint64_t seed : {2, 3}) {
                CHECK(same_bits(once, emulated_forward(problem, inputs, {seed, 0, three_calls})));
            }
        }
    }
}

TEST_CASE("a prompt in pieces has the bits of the whole prompt") {
    for (const Dtype dtype : dtypes) {
        const Problem whole = two_tiles(dtype);
        const Inputs inputs = inputs_of(whole, 6);
        const Outputs expected = emulated_forward(whole, inputs);
        for (const std::int64_t begin : {37, 90, 100}) {
            Problem piece = whole;
            piece.shape.seq_q = whole.shape.seq_q - begin;
            Inputs some{Tensor4(q_extents(piece.shape)), inputs.k, inputs.v, {}};
            const auto all = inputs.q.values();
            std::copy(all.end() - some.q.size(), all.end(), some.q.values().begin());
            host::Plan plan = host::make_plan(piece);
            REQUIRE(plan.shape.queries == host::make_plan(whole).shape.queries);
            const Outputs got = emulation::run_plan(piece, some, plan, {}, nullptr);
            CAPTURE(name(dtype), begin);
            CHECK(std::equal(got.out.values().begin(), got.out.values().end(),
                             expected.out.values().end() - got.out.size()));
        }
    }
}

TEST_CASE("the machine counts the products of the tiles that are walked") {
    const Problem problem = two_tiles(Dtype::bf16);
    EmulationStats stats;
    (void)emulated_forward(problem, inputs_of(problem, 7), {}, &stats);
    // Chunks of 90, 90 and 20 rows: a tile of 128 rows each, which walks 2, 2 + 2 and 1 + 2 + 2 tiles of 64 keys, and
    // two products of 2 * 128 * 64 * 64 operations for each, in four heads.
    CHECK(stats.mma_flops == 4 * (2 + 4 + 5) * 2 * std::int64_t{2 * 128 * 64 * 64});
    // And the pre-pass: 2 + 2 + 1 tiles of 64 rows of k, two heads.
    CHECK(stats.blocks == 4 * 3 + 2 * 5);
    CHECK(stats.collectives > 0);
    CHECK(stats.shared_accesses > 0);
}

TEST_CASE("there is a kernel for the cases of the suites in bf16, f16 and f64 with heads of up to 128 channels") {
    for (const char* suite : {"smoke", "ci"}) {
        int with = 0;
        for (const golden::CaseSpec& spec : golden::suite(suite)) {
            const Problem& problem = spec.problem;
            if (spec.expectation == golden::Expectation::must_reject) continue;
            const bool types =
                problem.dtype == Dtype::bf16 || problem.dtype == Dtype::f16 || problem.dtype == Dtype::f64;
            CAPTURE(spec.id);
            CHECK(emulation_supports(problem).ok() ==
                  (types && problem.shape.head_dim <= 128 && problem.shape.head_dim_v <= 128));
            with += emulation_supports(problem).ok();
        }
        CHECK(with == (std::string(suite) == "ci" ? 44 : 12));
    }
}

TEST_CASE("what there is no kernel for is refused") {
    Problem problem = two_tiles(Dtype::f32);
    CHECK_THROWS_AS(emulated_forward(problem, inputs_of(problem, 8)), Unsupported);
    problem.shape.seq_q = 0;
    CHECK_THROWS_AS(emulated_forward(problem, {}), InvalidProblem);
}

TEST_CASE("memory of the emulated device is poisoned, and what stays so is told") {
    emulation::Buffer<std::uint16_t> buffer(5);
    for (std::int64_t i : {0, 1, 4}) buffer.data()[i] = 0;
    CHECK_THROWS_WITH(buffer.expect_complete("out"),
                      "the kernels never wrote 2 of 5 elements of out, the first is element 2");
    buffer.data()[2] = buffer.data()[3] = 0x7e00;  // a NaN that was computed
    CHECK_NOTHROW(buffer.expect_complete("out"));
    CHECK(buffer.read().size == 5);
}
