// What there is no kernel for, and that the reason says so; softmax_scale as kernels take it.
#include <cmath>

#include "gpu/host/plan.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;
using namespace dca::gpu::host;

namespace {

Problem with(void (*change)(Problem&), Dtype dtype = Dtype::bf16) {
    Problem problem = test::plain_problem(33, {12, 4}, 2, 1, 64);
    problem.dtype = dtype;
    change(problem);
    return problem;
}

std::string reason(void (*change)(Problem&), Dtype dtype = Dtype::bf16) {
    const Problem problem = with(change, dtype);
    validate(problem);
    const std::string text = supports(problem).reason;
    if (!text.empty()) CHECK_THROWS_AS(make_plan(problem), Unsupported);
    return text;
}

}  // namespace

TEST_CASE("each thing without a kernel has its reason") {
    CHECK(reason([](Problem&) {}) == "");
    CHECK(reason([](Problem&) {}, Dtype::f16) == "");
    CHECK(reason([](Problem&) {}, Dtype::f64) == "");
    CHECK(reason([](Problem&) {}, Dtype::f32) == "the kernels read bf16, f16 and f64, not f32");
    CHECK(reason([](Problem&) {}, Dtype::e4m3) == "the kernels read bf16, f16 and f64, not e4m3");
    CHECK(reason([](Problem& p) { p.dialect = "vllm"; }) == "the kernels compute the dialect exact alone");
    CHECK(reason([](Problem& p) { p.shape.head_dim = 192; }) == "head_dim 192 is above the kernels' 128");
    CHECK(reason([](Problem& p) { p.shape.head_dim_v = 129; }) == "head_dim_v 129 is above the kernels' 128");
    CHECK(reason([](Problem& p) { p.shape.head_dim_v = 1; }) == "");
    CHECK(reason([](Problem& p) { p.work.p = Dtype::f32; }) == "the kernels keep p of bf16 in bf16, not in f32");
    CHECK(reason([](Problem& p) { p.work.accumulator = Dtype::bf16; }) ==
          "the kernels keep sums of bf16 in f32, not in bf16");
    CHECK(reason([](Problem& p) { p.work.output = Dtype::f32; }) == "the kernels keep out of bf16 in bf16, not in f32");
    CHECK(reason([](Problem& p) { p.work.p = Dtype::bf16, p.work.accumulator = Dtype::f32; }) == "");
    CHECK(reason([](Problem& p) { p.facts.sparse_vertical_size = p.facts.sparse_slash_size = {4}; }) ==
          "the kernels compute no sparse prefill");
    CHECK(reason([](Problem& p) {
              p.shape.seq_q = p.shape.seq_k = std::int64_t{1} << 31;
              p.shape.head_dim = 2;
              p.shape.head_dim_v = 2;
          }) == "seq_q 2147483648 is above the kernels' 2147482623");
    const auto tokens = [](std::int64_t n) {
        Problem problem = test::plain_problem(n, {2, 1}, 1, 1, 16);
        problem.dtype = Dtype::bf16;
        return supports(problem).reason;
    };
    CHECK(tokens(65535) == "");
    CHECK(tokens(65536) ==
          "65536 query tiles are above the kernels' 65535; longer chunks or a part of the rows have fewer");
    CHECK(reason([](Problem& p) { p.shape.batch = 65536; }) == "batch 65536 is above the kernels' 65535");
}

TEST_CASE("numbers that float cannot hold are refused, for 16-bit elements alone") {
    const auto tiny = [](Problem& p) { p.softmax_scale = 1e-39; };
    const auto huge = [](Problem& p) { p.softmax_scale = -1e39; };
    const std::string scale = "softmax_scale is out of the range of float, in which the kernels multiply";
    CHECK(reason(tiny) == scale);
    CHECK(reason(huge) == scale);
    CHECK(reason(tiny, Dtype::f64) == "");
    CHECK(reason([](Problem& p) { p.rope.mscale = 1e39; }) == "mscale is out of the range of float");
    CHECK(reason([](Problem& p) { p.rope.mscale = 1e39; }, Dtype::f64) == "");
    CHECK(reason([](Problem& p) { p.rope.mscale = 0; }) == "");
    CHECK(reason([](Problem& p) { p.rope.inv_freq.assign(32, 1e308); }) ==
          "chunk_size times inv_freq is out of the range of double");
}

TEST_CASE("softmax_scale becomes a positive factor and a sign") {
    const auto scale = [](double value) {
        Problem problem = test::plain_problem(3, {4, 0});
        problem.softmax_scale = value;
        return kernel_scale(problem);
    };
    CHECK(scale(0.25).scale == 0.25);
    CHECK(scale(0.25).sign == 1);
    CHECK(scale(-2).scale == 2);
    CHECK(scale(-2).sign == -1);
    CHECK(scale(0).scale == 1);
    CHECK(scale(0).sign == 0);
    CHECK(scale(-0.0).sign == 0);
    CHECK(std::abs(log2_e - std::log2(std::exp(1.0))) <= 0x1p-52);
}

TEST_CASE("short runs of rows get the narrow kernel, wide heads the wide one") {
    const auto shape = [](std::int64_t n, std::int64_t chunk_size, std::int64_t head_dim, Dtype dtype) {
        Problem problem = test::plain_problem(n, {chunk_size, 0}, 1, 1, head_dim);
        problem.dtype = dtype;
        return tile_shape(problem);
    };
    CHECK(shape(1000, 1000, 64, Dtype::bf16).queries == 128);
    CHECK(shape(1000, 64, 64, Dtype::bf16).queries == 64);
    CHECK(shape(64, 1000, 64, Dtype::bf16).queries == 64);
    CHECK(shape(1000, 1000, 64, Dtype::f16).head_dim == 64);
    CHECK(shape(1000, 1000, 66, Dtype::f16).head_dim == 128);
    CHECK(shape(1000, 1000, 128, Dtype::f64).head_dim == 128);
    CHECK(shape(1000, 1000, 16, Dtype::f64).head_dim == 64);
}
