// P13-P15, P18: values, scales, heads.
#include <algorithm>

#include "reference/backward.hpp"
#include "reference/forward.hpp"
#include "tests/support/agreement.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

namespace {
constexpr double both_sides = 2 * test::reference_agreement;
}

TEST_CASE("P13: q = 0 gives the running mean, constant v comes back, and the output is linear in v") {
    const Problem problem = test::plain_problem(29, {6, 2});
    Inputs inputs = test::random_inputs(problem, 4);
    const Outputs base = reference::forward(problem, inputs);

    Inputs zero_q = inputs;
    std::ranges::fill(zero_q.q.values(), 0.0);
    Tensor4 mean(base.out.extents());
    for (std::int64_t c = 0; c < 8; ++c) {
        double sum = 0;
        for (std::int64_t i = 0; i < 29; ++i) {
            sum += inputs.v(0, i, 0, c);
            for (std::int64_t h = 0; h < 2; ++h) mean(0, i, h, c) = sum / static_cast<double>(i + 1);
        }
    }
    CHECK(test::relative_l2(reference::forward(problem, zero_q).out, mean) <= both_sides);

    Inputs constant = inputs;
    for (std::int64_t j = 0; j < 29; ++j) {
        for (std::int64_t c = 0; c < 8; ++c) constant.v(0, j, 0, c) = static_cast<double>(c) - 3.5;
    }
    const Outputs same = reference::forward(problem, constant);
    for (std::int64_t i = 0; i < 29; ++i) {
        // sum p v / sum p with one common v: each of the 29 steps of both sums rounds once.
        for (std::int64_t c = 0; c < 8; ++c) {
            CHECK(std::abs(same.out(0, i, 0, c) - (static_cast<double>(c) - 3.5)) <= 2 * 29 * 0x1p-53 * 4);
        }
    }

    Inputs doubled = inputs;
    for (double& x : doubled.v.values()) x *= -4.0;  // a power of two: exact
    Tensor4 scaled = base.out;
    for (double& x : scaled.values()) x *= -4.0;
    CHECK(reference::forward(problem, doubled).out == scaled);
}

TEST_CASE("P14: mscale on full rotary is a softmax scale of its square, on partial rotary it is not") {
    for (std::int64_t rotary_dim : {8, 4}) {
        Problem with_mscale = test::plain_problem(31, {9, 3});
        with_mscale.rope.rotary_dim = rotary_dim;
        Problem with_scale = with_mscale;
        with_mscale.rope.mscale = 1.25;
        with_scale.softmax_scale = with_scale.resolved_softmax_scale() * 1.25 * 1.25;
        const Inputs inputs = test::random_inputs(with_scale, 6);
        const double difference =
            test::relative_l2(reference::forward(with_mscale, inputs).out, reference::forward(with_scale, inputs).out);
        CAPTURE(rotary_dim, difference);
        if (rotary_dim == 8) {
            CHECK(difference <= both_sides);
        } else {
            CHECK(difference >= 1e-3);
        }
    }
}

TEST_CASE("P15: grouped heads equal repeated keys and values, their gradients equal group sums, heads permute") {
    const Problem grouped = test::plain_problem(26, {7, 3}, 6, 2);
    const Inputs inputs = test::random_inputs(grouped, 10);
    Problem repeated = grouped;
    repeated.shape.heads_kv = 6;
    Inputs wide{inputs.q, Tensor4(k_extents(repeated.shape)), Tensor4(v_extents(repeated.shape)), inputs.dout};
    for (std::int64_t j = 0; j < 26; ++j) {
        for (std::int64_t h = 0; h < 6; ++h) {
            for (std::int64_t c = 0; c < 8; ++c) {
                wide.k(0, j, h, c) = inputs.k(0, j, h / 3, c);
                wide.v(0, j, h, c) = inputs.v(0, j, h / 3, c);
            }
        }
    }
    const Outputs outputs = reference::forward(grouped, inputs), wide_outputs = reference::forward(repeated, wide);
    CHECK(outputs.out == wide_outputs.out);
    CHECK(outputs.lse == wide_outputs.lse);
    const Gradients gradients = reference::backward(grouped, inputs, outputs);
    const Gradients wide_gradients = reference::backward(repeated, wide, wide_outputs);
    CHECK(gradients.dq == wide_gradients.dq);
    Tensor4 dk(gradients.dk.extents()), dv(gradients.dv.extents());
    for (std::int64_t j = 0; j < 26; ++j) {
        for (std::int64_t h = 0; h < 6; ++h) {
            for (std::int64_t c = 0; c < 8; ++c) {
                dk(0, j, h / 3, c) += wide_gradients.dk(0, j, h, c);
                dv(0, j, h / 3, c) += wide_gradients.dv(0, j, h, c);
            }
        }
    }
    CHECK(test::relative_l2(gradients.dk, dk) <= both_sides);
    CHECK(test::relative_l2(gradients.dv, dv) <= both_sides);

    // Query heads 0 and 4 exchanged in q: their outputs would exchange only if they read the same kv head; 3 and 4 do.
    Inputs permuted = inputs;
    Tensor4 expected = outputs.out;
    for (std::int64_t i = 0; i < 26; ++i) {
        for (std::int64_t c = 0; c < 8; ++c) {
            std::swap(permuted.q(0, i, 3, c), permuted.q(0, i, 4, c));
            std::swap(expected(0, i, 3, c), expected(0, i, 4, c));
        }
    }
    CHECK(reference::forward(grouped, permuted).out == expected);
}

TEST_CASE("P15: batch entries are independent") {
    Problem two = test::plain_problem(18, {5, 1});
    two.shape.batch = 2;
    const Inputs inputs = test::random_inputs(two, 14);
    const Outputs outputs = reference::forward(two, inputs);
    const Problem one = test::plain_problem(18, {5, 1});
    const auto entry = [](const Tensor4& t, std::int64_t b) {
        Tensor4 out({1, t.extent(1), t.extent(2), t.extent(3)});
        const auto size = static_cast<std::size_t>(out.size());
        std::ranges::copy(t.values().subspan(static_cast<std::size_t>(b) * size, size), out.values().begin());
        return out;
    };
    for (std::int64_t b : {0, 1}) {
        const Inputs alone{entry(inputs.q, b), entry(inputs.k, b), entry(inputs.v, b), std::nullopt};
        CHECK(reference::forward(one, alone).out == entry(outputs.out, b));
    }
}

TEST_CASE("P18: a common rotation and the norm of a row do not change logits they should not") {
    // With one key, lse is the logit itself: |q~ . k~| at distance 0 is mscale^2 q . k whatever the position.
    Problem problem = test::plain_problem(1, {9, 2}, 1, 1);
    problem.rope.mscale = 1.5;
    const Inputs inputs = test::random_inputs(problem, 15);
    double dot = 0;
    for (std::int64_t c = 0; c < 8; ++c) dot += inputs.q(0, 0, 0, c) * inputs.k(0, 0, 0, c);
    const double expected = problem.resolved_softmax_scale() * 2.25 * dot;
    const Outputs outputs = reference::forward(problem, inputs);
    CHECK(std::abs(outputs.lse(0, 0, 0) - expected) <= test::reference_agreement * std::abs(expected));
}
