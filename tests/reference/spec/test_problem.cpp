// Values of a problem that follow from others, and the tensors' elementary promises.
#include "reference/spec/problem.hpp"

#include <quadmath.h>

#include "reference/spec/bundles.hpp"
#include "tests/support/catch.hpp"

using namespace dca;

TEST_CASE("the default softmax scale is the correctly rounded inverse root of head_dim") {
    int wrong = 0;
    for (int head_dim = 1; head_dim <= 4096; ++head_dim) {
        Problem problem;
        problem.shape.head_dim = head_dim;
        const auto exact = static_cast<double>(1 / sqrtq(static_cast<__float128>(head_dim)));
        wrong += problem.resolved_softmax_scale() == exact ? 0 : 1;
    }
    CHECK(wrong == 0);
    Problem given;
    given.softmax_scale = 0.4;
    CHECK(given.resolved_softmax_scale() == 0.4);
}

TEST_CASE("query_offset puts the last query on the last key unless given, and is 0 in packed problems") {
    Problem problem;
    problem.shape.seq_q = 3;
    problem.shape.seq_k = 10;
    CHECK(problem.resolved_query_offset() == 7);
    problem.query_offset = -2;
    CHECK(problem.resolved_query_offset() == -2);
    problem.query_offset.reset();
    problem.cu_seqlens = {0, 3};
    CHECK(problem.resolved_query_offset() == 0);
}

TEST_CASE("rotary_dim is head_dim unless given, and 0 without rotation") {
    Problem problem;
    problem.shape.head_dim = 16;
    CHECK(problem.resolved_rotary_dim() == 16);
    problem.rope.rotary_dim = 8;
    CHECK(problem.resolved_rotary_dim() == 8);
    problem.rope.layout = RopeLayout::none;
    CHECK(problem.resolved_rotary_dim() == 0);
}

TEST_CASE("original_max_position has the defaults of yarn and llama3 alone") {
    RopeConfig rope;
    CHECK_FALSE(rope.resolved_original_max_position());
    rope.scaling = RopeScaling::dynamic;
    CHECK_FALSE(rope.resolved_original_max_position());
    rope.scaling = RopeScaling::yarn;
    CHECK(rope.resolved_original_max_position() == 4096.0);
    rope.scaling = RopeScaling::llama3;
    CHECK(rope.resolved_original_max_position() == 8192.0);
    rope.original_max_position = 32;
    CHECK(rope.resolved_original_max_position() == 32.0);
}

TEST_CASE("names of rope layouts and scalings read back") {
    for (const RopeLayout layout : {RopeLayout::none, RopeLayout::neox, RopeLayout::interleaved}) {
        CHECK(parse_rope_layout(name(layout)) == layout);
    }
    for (const RopeScaling scaling : {RopeScaling::none, RopeScaling::linear, RopeScaling::ntk, RopeScaling::dynamic,
                                      RopeScaling::yarn, RopeScaling::llama3}) {
        CHECK(parse_rope_scaling(name(scaling)) == scaling);
    }
    CHECK_FALSE(parse_rope_layout("gptj"));
    CHECK_FALSE(parse_rope_scaling("su"));
}

TEST_CASE("tensors are row-major with the last axis contiguous, views may have strides") {
    Tensor<double, 3> tensor({2, 3, 4});
    CHECK(tensor.size() == 24);
    tensor(1, 2, 3) = 5;
    CHECK(tensor.values().back() == 5);
    tensor(0, 1, 0) = 7;
    CHECK(tensor.values()[4] == 7);
    const TensorView<double, 2> every_other_column(tensor.values().data(), {6, 2}, {4, 2});
    CHECK(every_other_column(1, 0) == 7);
    CHECK(every_other_column.stride(1) == 2);
}

TEST_CASE("inputs must have the shape of the problem and finite values") {
    Problem problem;
    problem.shape = {1, 2, 3, 2, 1, 4, 5};
    Inputs inputs{Tensor4(q_extents(problem.shape)), Tensor4(k_extents(problem.shape)),
                  Tensor4(v_extents(problem.shape)), Tensor4(out_extents(problem.shape))};
    const auto message = [&] {
        try {
            validate(problem, inputs);
        } catch (const InvalidProblem& error) {
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    CHECK(message() == "accepted");
    inputs.dout->values()[7] = NAN;
    CHECK(message() == "dout has a non-finite value (nan) at flat index 7");
    inputs.dout.reset();
    CHECK(message() == "accepted");
    inputs.k = Tensor4(q_extents(problem.shape));
    CHECK(message() == "k does not have the shape of the problem");
}
