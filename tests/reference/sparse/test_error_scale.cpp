// The scales of a sparse prefill (V.10): those of the error model over the attended pairs, infinite where a kernel may
// pick other keys.
#include "reference/error_scale.hpp"

#include <algorithm>
#include <cmath>

#include "reference/forward.hpp"
#include "reference/math/parallel.hpp"
#include "reference/sparse/error_scale.hpp"
#include "reference/sparse/forward.hpp"
#include "tests/reference/sparse/sparse_cases.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;
using namespace dca::sparse_test;

namespace {

ErrorScales scales_of(const SparseCase& given, const Outputs& outputs) {
    return sparse::sparse_error_scales(given.problem, given.inputs, outputs, given.config,
                                       sparse::plans(given.problem, given.inputs, given.config));
}

/// Small enough tiles for many of them, heads that choose, and nothing that the published code fails on.
SparseCase small_case(std::uint64_t seed, Dtype dtype) {
    SparseCase given = plain_sparse_case(90, 20, 12, 9, seed, 2);
    given.config.forced_verticals = 2;
    given.config.forced_slashes = 3;
    given.config.block = 4;
    given.config.rules = sparse::sglang_later_rules;
    given.inputs.dout.reset();
    given.problem.dtype = dtype;
    for (Tensor4* tensor : {&given.inputs.q, &given.inputs.k, &given.inputs.v}) {
        for (double& x : tensor->values()) x = round_to(dtype, x);
    }
    return given;
}

template <class A, class B>
double largest_relative_difference(const A& a, const B& b) {
    double largest = 0;
    for (std::size_t n = 0; n < a.size(); ++n) {
        largest = std::max(largest, std::abs(double{a[n]} - double{b[n]}) / double{b[n]});
    }
    return largest;
}

// Scales are stored in float32; sums in another order differ far less.
constexpr double same_scale = 4 * 0x1p-24;

}  // namespace

TEST_CASE("keys that are not attended do not matter: the scales are those of the problem without them") {
    for (Dtype dtype : {Dtype::f64, Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::e4m3}) {
        for (std::uint64_t seed : {1, 2, 3}) {
            CAPTURE(name(dtype), seed);
            // One query after 200 keys, no rotation, one chunk: then positions and modes do not tell keys apart.
            Problem reduced = test::plain_problem(70, {400, 0}, 2, 1);
            reduced.rope.layout = RopeLayout::none;
            reduced.dtype = dtype;
            reduced.shape.seq_q = 1;
            Problem full = reduced;
            full.shape.seq_k = 200;
            Inputs few = test::random_inputs(reduced, seed), many = test::random_inputs(full, seed + 100);
            few.dout.reset();
            many.dout.reset();
            many.q = few.q;
            // The others are 0, so that the concentration of the channels, which is measured over all keys, is the
            // same.
            std::ranges::fill(many.k.values(), 0.0);
            std::ranges::fill(many.v.values(), 0.0);
            const auto place = [](std::int64_t key) { return key * 20 / 7; };
            for (std::int64_t key = 0; key < 70; ++key) {
                for (std::int64_t c = 0; c < 8; ++c) {
                    many.k(0, place(key), 0, c) = few.k(0, key, 0, c);
                    many.v(0, place(key), 0, c) = few.v(0, key, 0, c);
                }
            }
            const Outputs outputs = reference::forward(reduced, few);
            const ErrorScales expected = reference::error_scales(reduced, few, outputs);
            const ErrorScales got = reference::error_scales(
                full, many, outputs, [&](const reference::HeadRows&, std::span<std::uint8_t> flags) {
                    for (std::int64_t key = 0; key < 70; ++key) flags[static_cast<std::size_t>(place(key))] = 1;
                });
            CHECK(largest_relative_difference(got.out.values(), expected.out.values()) <= same_scale);
            CHECK(largest_relative_difference(got.lse.values(), expected.lse.values()) <= same_scale);
        }
    }
}

TEST_CASE("P22: with everything selected the scales are the dense ones") {
    for (Dtype dtype : {Dtype::f64, Dtype::f32, Dtype::bf16}) {
        SparseCase given = small_case(7, dtype);
        given.config.vertical_size = given.config.slash_size = {90};
        const Outputs outputs = sparse::sparse_forward(given.problem, given.inputs, given.config);
        const ErrorScales sparse = scales_of(given, outputs);
        const ErrorScales dense = reference::error_scales(given.problem, given.inputs, outputs);
        CHECK(largest_relative_difference(sparse.out.values(), dense.out.values()) <= same_scale);
        CHECK(largest_relative_difference(sparse.lse.values(), dense.lse.values()) <= same_scale);
    }
}

TEST_CASE("rows that attend to nothing have scale 0, equal votes make every row unjudgeable") {
    SparseCase given = small_case(3, Dtype::f64);
    given.problem.rope.layout = RopeLayout::none;
    given.problem.shape.heads_q = 1;
    given.problem.chunk = {200, 0};
    given.inputs.q = Tensor4(q_extents(given.problem.shape));
    std::ranges::fill(given.inputs.q.values(), 1.0);
    std::ranges::fill(given.inputs.k.values(), 0.0);
    for (std::int64_t c = 0; c < 8; ++c) given.inputs.k(0, 50, 0, c) = 1.0;
    // Key 50 is liked best; the last row meets it on diagonal 50, of which the farthest blocks come first.
    given.config.vertical_size = given.config.slash_size = {1};
    given.config.forced_verticals = given.config.forced_slashes = 0;
    given.config.last_q = 1;
    const auto plans = sparse::plans(given.problem, given.inputs, given.config);
    REQUIRE(plans.size() == 1);
    CHECK(plans[0].picks.vertical == std::vector<std::int64_t>{50});
    CHECK(plans[0].settled());
    const Outputs outputs = sparse::sparse_forward(given.problem, given.inputs, given.config);
    const ErrorScales scales = scales_of(given, outputs);
    std::size_t empty = 0;
    for (std::int64_t row = 0; row < 90; ++row) {
        const bool nothing = std::isinf(outputs.lse(0, 0, row));
        empty += nothing ? 1 : 0;
        CHECK((scales.lse(0, 0, row) == 0) == nothing);
        CHECK((scales.out(0, row, 0, 0) == 0) == nothing);
        CHECK(std::isfinite(scales.out(0, row, 0, 0)));
    }
    CHECK(empty >= 10);

    std::ranges::fill(given.inputs.k.values(), 0.0);
    const Outputs tied = sparse::sparse_forward(given.problem, given.inputs, given.config);
    const ErrorScales unjudgeable = scales_of(given, tied);
    for (float sigma : unjudgeable.out.values()) CHECK(std::isinf(sigma));
    for (float sigma : unjudgeable.lse.values()) CHECK(std::isinf(sigma));
}

TEST_CASE("a float32 evaluation over the same keys is within the lines, and would be seen beyond them") {
    const int threads = reference::thread_count();
    reference::use_threads(1);
    double largest = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        const SparseCase given = small_case(seed, Dtype::f32);
        const Outputs outputs = sparse::sparse_forward(given.problem, given.inputs, given.config);
        const ErrorScales scales = scales_of(given, outputs);  // infinite, and ratio 0, where picks may differ
        sparse::for_each_plan(given.problem, given.inputs, given.config, [&](const sparse::PlannedSegment& planned) {
            const auto& plan = planned.plan;
            for (std::int64_t m = 0; m < plan.segment.rows(); ++m) {
                const std::int64_t row = plan.segment.row_begin + m;
                std::vector<std::pair<std::int64_t, float>> scores;
                float maximum = -INFINITY, sum = 0;
                std::vector<double> query(8);
                for (const auto& lists : plan.modes) {
                    planned.rows.query(row, plan.head, lists.mode, sparse::QueryKind::real, query.data());
                    for (std::int64_t key : sparse::tile_keys(plan, lists, m / 4 * 4, 4).keys()) {
                        if (key >= sparse::visible_keys(lists, m)) break;
                        float score = 0;
                        for (std::size_t c = 0; c < 8; ++c) {
                            const auto at = static_cast<std::size_t>(lists.key_begin + key) * 8 + c;
                            score += static_cast<float>(query[c]) * static_cast<float>(planned.keys[at]);
                        }
                        scores.emplace_back(lists.key_begin + key, score);
                        maximum = std::max(maximum, score);
                    }
                }
                std::vector<float> out(8);
                for (const auto& [key, score] : scores) {
                    const float p = std::exp(score - maximum);
                    sum += p;
                    for (std::size_t c = 0; c < 8; ++c) {
                        out[c] += p * static_cast<float>(given.inputs.v(0, key, 0, static_cast<std::int64_t>(c)));
                    }
                }
                for (std::size_t c = 0; c < 8; ++c) {
                    const auto channel = static_cast<std::int64_t>(c);
                    const double error = std::abs(out[c] / sum - outputs.out(0, row, plan.head, channel));
                    const double ratio = error / scales.out(0, row, plan.head, channel);
                    largest = std::max(largest, ratio);
                }
            }
        });
    }
    reference::use_threads(threads);
    CAPTURE(largest);
    CHECK(largest <= 6);
    CHECK(largest >= 0.5);  // scales far too wide would judge nothing
}
