// Properties of error_scales itself.
#include <cmath>
#include <limits>

#include "reference/error_scale.hpp"
#include "reference/forward.hpp"
#include "reference/math/parallel.hpp"
#include "tests/reference/error_model/trial.hpp"
#include "tests/support/catch.hpp"

namespace dca::test {
namespace {

ErrorScales scales_of(const Problem& problem, const Inputs& inputs) {
    return reference::error_scales(problem, inputs, reference::forward(problem, inputs));
}

template <int Rank>
bool all_positive(const Tensor<float, Rank>& tensor) {
    for (const float x : tensor.values()) {
        if (!(x > 0) || !std::isfinite(x)) return false;
    }
    return true;
}

Problem small_problem() {
    Problem p;
    p.dtype = Dtype::bf16;
    p.shape = {1, 90, 90, 4, 2, 16, 24};
    p.chunk = {20, 7};
    return p;
}

}  // namespace

TEST_CASE("scales have the shapes of their tensors and are positive", "[error_scale]") {
    for (const Dtype dtype : {Dtype::f64, Dtype::f32, Dtype::tf32, Dtype::f16, Dtype::bf16, Dtype::e4m3, Dtype::e5m2}) {
        Problem problem = small_problem();
        problem.dtype = dtype;
        const Inputs inputs = trial_inputs(problem, 1, 1, true);
        const ErrorScales scales = scales_of(problem, inputs);
        INFO("dtype " << name(dtype));
        CHECK(scales.out.extents() == out_extents(problem.shape));
        CHECK(scales.lse.extents() == lse_extents(problem.shape));
        REQUIRE(scales.dq.has_value());
        CHECK(scales.dq->extents() == q_extents(problem.shape));
        CHECK(scales.dk->extents() == k_extents(problem.shape));
        CHECK(scales.dv->extents() == v_extents(problem.shape));
        CHECK((all_positive(scales.out) && all_positive(scales.lse) && all_positive(*scales.dq) &&
               all_positive(*scales.dk) && all_positive(*scales.dv)));
    }
}

TEST_CASE("without dout there are no gradient scales, and the others do not change", "[error_scale]") {
    const Problem problem = small_problem();
    Inputs inputs = trial_inputs(problem, 2, 1, true);
    const ErrorScales with = scales_of(problem, inputs);
    inputs.dout.reset();
    const ErrorScales without = scales_of(problem, inputs);
    CHECK_FALSE((without.dq.has_value() || without.dk.has_value() || without.dv.has_value()));
    CHECK(without.out == with.out);
    CHECK(without.lse == with.lse);
}

TEST_CASE("rows without keys and keys nobody sees have scale 0", "[error_scale]") {
    Problem problem = small_problem();
    problem.query_offset = -30;
    const Inputs inputs = trial_inputs(problem, 3, 1, true);
    const ErrorScales scales = scales_of(problem, inputs);
    for (std::int64_t row = 0; row < 90; ++row) {
        INFO("row " << row);
        const bool sees = row >= 30, seen = row < 60;
        CHECK((scales.out(0, row, 3, 0) > 0) == sees);
        CHECK((scales.lse(0, 3, row) > 0) == sees);
        CHECK(((*scales.dq)(0, row, 3, 0) > 0) == sees);
        CHECK(((*scales.dk)(0, row, 1, 0) > 0) == seen);
        CHECK(((*scales.dv)(0, row, 1, 0) > 0) == seen);
    }
}

TEST_CASE("scales do not depend on the thread count", "[error_scale]") {
    const Problem problem = small_problem();
    const Inputs inputs = trial_inputs(problem, 4, 1, true);
    const int before = reference::thread_count();
    reference::use_threads(1);
    const ErrorScales one = scales_of(problem, inputs);
    reference::use_threads(3);
    const ErrorScales three = scales_of(problem, inputs);
    reference::use_threads(before);
    CHECK(one.out == three.out);
    CHECK(one.lse == three.lse);
    CHECK(*one.dq == *three.dq);
    CHECK(*one.dk == *three.dk);
    CHECK(*one.dv == *three.dv);
}

TEST_CASE("a packed sequence has the scales it has alone", "[error_scale]") {
    Problem packed = small_problem();
    packed.cu_seqlens = {0, 37, 37, 90};
    const Inputs inputs = trial_inputs(packed, 5, 1, true);
    Problem alone = small_problem();
    alone.shape.seq_q = alone.shape.seq_k = 53;
    Inputs rest{Tensor4(q_extents(alone.shape)), Tensor4(k_extents(alone.shape)), Tensor4(v_extents(alone.shape)),
                Tensor4(out_extents(alone.shape))};
    const auto tail = [](const Tensor4& from, Tensor4& to) {
        std::copy(from.values().end() - to.size(), from.values().end(), to.values().begin());
    };
    tail(inputs.q, rest.q);
    tail(inputs.k, rest.k);
    tail(inputs.v, rest.v);
    tail(*inputs.dout, *rest.dout);
    const ErrorScales both = scales_of(packed, inputs), one = scales_of(alone, rest);
    const auto same_tail = [](const Tensor<float, 4>& a, const Tensor<float, 4>& b) {
        return std::equal(b.values().begin(), b.values().end(), a.values().end() - b.size());
    };
    CHECK(same_tail(both.out, one.out));
    CHECK(same_tail(*both.dq, *one.dq));
    CHECK(same_tail(*both.dk, *one.dk));
    CHECK(same_tail(*both.dv, *one.dv));
}

TEST_CASE("scales follow the scale of v and dout", "[error_scale]") {
    const Problem problem = small_problem();  // bf16: nothing here comes near its underflow
    const Inputs inputs = trial_inputs(problem, 6, 1, true);
    Inputs doubled = trial_inputs(problem, 6, 1, true);
    for (double& x : doubled.v.values()) x *= 4;
    for (double& x : doubled.dout->values()) x *= 2;
    const ErrorScales a = scales_of(problem, inputs), b = scales_of(problem, doubled);
    const auto ratio_is = [](const Tensor<float, 4>& big, const Tensor<float, 4>& small, float factor) {
        for (std::size_t n = 0; n < big.values().size(); ++n) {
            // Powers of two commute with every rounding of the computation.
            if (big.values()[n] != factor * small.values()[n]) return false;
        }
        return true;
    };
    CHECK(a.lse == b.lse);
    CHECK(ratio_is(b.out, a.out, 4));
    CHECK(ratio_is(*b.dq, *a.dq, 8));
    CHECK(ratio_is(*b.dk, *a.dk, 8));
    CHECK(ratio_is(*b.dv, *a.dv, 2));
}

TEST_CASE("mscale and the softmax scale are the same thing where every dim is rotary", "[error_scale]") {
    Problem with_mscale = small_problem(), with_scale = small_problem();
    // In tf32 nothing is rounded relative to mscale itself.
    with_mscale.dtype = with_scale.dtype = Dtype::tf32;
    with_mscale.rope.mscale = 2;
    with_mscale.softmax_scale = 0.0625;
    with_scale.softmax_scale = 0.25;
    const Inputs inputs = trial_inputs(with_scale, 7, 1, true);
    const ErrorScales a = scales_of(with_mscale, inputs), b = scales_of(with_scale, inputs);
    CHECK(a.out == b.out);
    CHECK(a.lse == b.lse);
    CHECK(*a.dq == *b.dq);
    CHECK(*a.dk == *b.dk);
    CHECK(*a.dv == *b.dv);
}

TEST_CASE("scales stay usable on extreme inputs", "[error_scale]") {
    Problem problem = small_problem();
    problem.dtype = Dtype::f64;
    for (const double size : {1e-140, 1e-30, 1e3}) {
        Inputs inputs = trial_inputs(problem, 8, 1, true);
        for (double& x : inputs.v.values()) x *= size;
        const ErrorScales scales = scales_of(problem, inputs);
        INFO("v times " << size);
        CHECK((all_positive(scales.out) && all_positive(scales.lse) && all_positive(*scales.dk)));
    }
    Inputs peaked = trial_inputs(problem, 9, 30, true);
    const ErrorScales scales = scales_of(problem, peaked);
    CHECK((all_positive(scales.out) && all_positive(scales.lse) && all_positive(*scales.dv)));
}

TEST_CASE("error_scales refuses what forward refuses, and outputs of another problem", "[error_scale]") {
    Problem problem = small_problem();
    const Inputs inputs = trial_inputs(problem, 10, 1, false);
    const Outputs outputs = reference::forward(problem, inputs);
    Problem other = problem;
    other.dialect = "nosuch";
    REQUIRE_THROWS_AS(reference::error_scales(other, inputs, outputs), Unsupported);
    other = problem;
    other.chunk.local_size = other.chunk.chunk_size;
    REQUIRE_THROWS_AS(reference::error_scales(other, inputs, outputs), InvalidProblem);
    Outputs wrong = outputs;
    wrong.lse = Tensor3({1, 4, 89});
    REQUIRE_THROWS_AS(reference::error_scales(problem, inputs, wrong), ContractError);
}

TEST_CASE("the family profile is the acceptance scale, and types that follow from dtype may be given",
          "[error_scale]") {
    for (const Dtype dtype : {Dtype::f64, Dtype::f32, Dtype::tf32, Dtype::f16, Dtype::bf16, Dtype::e4m3, Dtype::e5m2}) {
        Problem problem = small_problem();
        problem.dtype = dtype;
        const Inputs inputs = trial_inputs(problem, 12, 1, true);
        const Outputs outputs = reference::forward(problem, inputs);
        const ErrorScales plain = reference::error_scales(problem, inputs, outputs);
        const ErrorScales family =
            reference::error_scales(problem, inputs, outputs, reference::family_profile(problem));
        Problem given = problem;
        given.work = {problem.resolved_p_dtype(), problem.resolved_accumulator(), problem.resolved_output_dtype()};
        const ErrorScales same = reference::error_scales(given, inputs, outputs);
        INFO("dtype " << name(dtype));
        for (const ErrorScales* other : {&family, &same}) {
            CHECK(other->out == plain.out);
            CHECK(other->lse == plain.lse);
            CHECK(*other->dq == *plain.dq);
            CHECK(*other->dk == *plain.dk);
            CHECK(*other->dv == *plain.dv);
        }
    }
}

TEST_CASE("coarser types of work widen the scale, finer ones narrow it", "[error_scale]") {
    Problem problem = small_problem();
    const Inputs inputs = trial_inputs(problem, 13, 1, true);
    const Outputs outputs = reference::forward(problem, inputs);
    const auto mean = [&](const WorkTypes& work, bool flash, bool of_lse) {
        problem.work = work;
        const ErrorScales scales = reference::error_scales(
            problem, inputs, outputs, flash ? reference::flash_profile(problem) : reference::family_profile(problem));
        double sum = 0;
        for (float x : of_lse ? scales.lse.values() : scales.out.values()) sum += double{x} * x;
        return sum;
    };
    for (const bool flash : {false, true}) {
        const double plain = mean({}, flash, false), plain_lse = mean({}, flash, true);
        CHECK(mean({Dtype::e4m3, {}, {}}, flash, false) > 2 * plain);
        CHECK(mean({Dtype::f32, {}, {}}, flash, false) < plain);
        CHECK(mean({{}, {}, Dtype::f32}, flash, false) < plain);
        CHECK(mean({{}, Dtype::f16, {}}, flash, false) > plain);
        CHECK(mean({{}, Dtype::f16, {}}, flash, true) > plain_lse);
        CHECK(mean({Dtype::e4m3, {}, Dtype::f32}, flash, true) == plain_lse);  // lse sees neither P nor the output
    }
}

}  // namespace dca::test
