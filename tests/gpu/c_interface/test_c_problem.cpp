#include <cstring>
#include <vector>

#include "gpu/host/c_problem.hpp"
#include "gpu/host/plan.hpp"
#include "reference/spec/problem.hpp"
#include "tests/support/catch.hpp"

namespace {

using namespace dca;
using gpu::host::problem_of;

dca_gpu_problem valid() {
    dca_gpu_problem p{};
    p.struct_size = sizeof p;
    p.batch = 2;
    p.seq_q = 5;
    p.seq_k = 9;
    p.heads_q = 4;
    p.heads_kv = 2;
    p.head_dim = 64;
    p.head_dim_v = 32;
    p.chunk_size = 4;
    p.local_size = 1;
    p.dtype = DCA_GPU_BF16;
    p.rope_layout = DCA_GPU_ROPE_NEOX;
    return p;
}

}  // namespace

TEST_CASE("A C problem with defaults is the C++ problem with defaults") {
    Problem expected;
    expected.shape = {2, 5, 9, 4, 2, 64, 32};
    expected.chunk = {4, 1};
    expected.dtype = Dtype::bf16;
    const dca_gpu_problem p = valid();
    CHECK(problem_of(&p) == expected);
}

TEST_CASE("Every field of a C problem arrives") {
    const std::vector<double> inv_freq{1, 0.5, 0.25};
    dca_gpu_problem p = valid();
    p.query_offset = 3;
    p.rotary_dim = 6;
    p.softmax_scale = -0.3;
    p.rope_base = 500;
    p.rope_factor = 4;
    p.original_max_position = 128;
    p.beta_fast = 16;
    p.beta_slow = 2;
    p.low_freq_factor = 1.5;
    p.high_freq_factor = 6;
    p.mscale = 1.25;
    p.inv_freq = inv_freq.data();
    p.dtype = DCA_GPU_F64;
    p.rope_layout = DCA_GPU_ROPE_INTERLEAVED;
    p.rope_scaling = DCA_GPU_SCALING_YARN;
    const Problem got = problem_of(&p);
    Problem expected;
    expected.shape = {2, 5, 9, 4, 2, 64, 32};
    expected.chunk = {4, 1};
    expected.dtype = Dtype::f64;
    expected.query_offset = 3;
    expected.softmax_scale = -0.3;
    expected.rope = {RopeLayout::interleaved, 6, 500, RopeScaling::yarn, 4, 128, 16, 2, 1.5, 6, 1.25, inv_freq};
    CHECK(got == expected);
}

TEST_CASE("Enumerators of the C interface have the order of the C++ ones") {
    dca_gpu_problem p = valid();
    const auto scaling = [&](int value) {
        p.rope_scaling = value;
        return problem_of(&p).rope.scaling;
    };
    CHECK(scaling(DCA_GPU_SCALING_LINEAR) == RopeScaling::linear);
    CHECK(scaling(DCA_GPU_SCALING_NTK) == RopeScaling::ntk);
    CHECK(scaling(DCA_GPU_SCALING_DYNAMIC) == RopeScaling::dynamic);
    CHECK(scaling(DCA_GPU_SCALING_YARN) == RopeScaling::yarn);
    CHECK(scaling(DCA_GPU_SCALING_LLAMA3) == RopeScaling::llama3);
    p.dtype = DCA_GPU_F16;
    CHECK(problem_of(&p).dtype == Dtype::f16);
    p.rope_layout = DCA_GPU_ROPE_NONE;
    CHECK(problem_of(&p).rope.layout == RopeLayout::none);
}

TEST_CASE("Zero counts where `present` says so") {
    dca_gpu_problem p = valid();
    CHECK_FALSE(problem_of(&p).query_offset);
    CHECK_FALSE(problem_of(&p).rope.mscale);
    p.present = DCA_GPU_HAS_QUERY_OFFSET | DCA_GPU_HAS_MSCALE;
    CHECK(problem_of(&p).query_offset == 0);
    CHECK(problem_of(&p).rope.mscale == 0.0);
    p.present = 4;
    CHECK_THROWS_AS(problem_of(&p), Unsupported);
}

TEST_CASE("Packed sequences of a C problem") {
    const std::vector<std::int32_t> cu{0, 2, 5};
    dca_gpu_problem p = valid();
    p.batch = 1;
    p.seq_k = 5;
    p.cu_seqlens = cu.data();
    CHECK_THROWS_AS(problem_of(&p), InvalidProblem);
    p.sequences = 2;
    CHECK(problem_of(&p).cu_seqlens == cu);
    p.cu_seqlens = nullptr;
    CHECK_THROWS_AS(problem_of(&p), InvalidProblem);
    p.cu_seqlens = cu.data();
    p.sequences = -1;
    CHECK_THROWS_AS(problem_of(&p), InvalidProblem);
}

TEST_CASE("Numbers that name nothing are refused") {
    for (const int value : {-1, 3}) {
        dca_gpu_problem p = valid();
        p.dtype = value;
        CHECK_THROWS_WITH(problem_of(&p), "dtype is " + std::to_string(value) + ", must be 0 to 2");
        p = valid();
        p.rope_layout = value;
        CHECK_THROWS_AS(problem_of(&p), InvalidProblem);
    }
    dca_gpu_problem p = valid();
    p.rope_scaling = 6;
    CHECK_THROWS_AS(problem_of(&p), InvalidProblem);
    p = valid();
    const double one = 1;
    p.inv_freq = &one;
    p.rotary_dim = -2;
    CHECK_THROWS_AS(problem_of(&p), InvalidProblem);
}

TEST_CASE("Structs may be longer than this library's if what it does not know is zero") {
    dca_gpu_problem p = valid();
    CHECK_THROWS_WITH(problem_of(nullptr), "dca_gpu_problem is null");
    p.struct_size = 8;
    CHECK_THROWS_AS(problem_of(&p), InvalidProblem);
    std::vector<std::uint64_t> longer(sizeof p / 8 + 2, 0);
    p.struct_size = longer.size() * 8;
    std::memcpy(longer.data(), &p, sizeof p);
    const auto* as_problem = reinterpret_cast<const dca_gpu_problem*>(longer.data());
    CHECK(problem_of(as_problem).shape.seq_k == 9);
    longer.back() = 1;
    CHECK_THROWS_AS(problem_of(as_problem), Unsupported);
}

TEST_CASE("A caller older than a field leaves it zero") {
    struct Grown {
        std::uint64_t struct_size;
        std::int64_t old_field, new_field;
    };
    Grown grown{16, 5, 7};
    CHECK(gpu::host::read_struct("grown", &grown, 16).old_field == 5);
    CHECK(gpu::host::read_struct("grown", &grown, 16).new_field == 0);
    grown.struct_size = 24;
    CHECK(gpu::host::read_struct("grown", &grown, 16).new_field == 7);
    grown.struct_size = 15;
    CHECK_THROWS_WITH(gpu::host::read_struct("grown", &grown, 16), "grown: struct_size is 15, must be at least 16");
}

TEST_CASE("Structs of the first version have the sizes that it had") {
    CHECK(gpu::host::first_problem_size == sizeof(dca_gpu_problem));
    CHECK(gpu::host::first_forward_args_size == sizeof(dca_gpu_forward_args));
    CHECK(gpu::host::first_merge_args_size == sizeof(dca_gpu_merge_args));
}

TEST_CASE("Modes of the C interface") {
    CHECK(gpu::host::modes_of(0) == gpu::mode_all);
    CHECK(gpu::host::modes_of(DCA_GPU_SUCC) == gpu::mode_succ);
    CHECK(gpu::host::modes_of(DCA_GPU_INTRA | DCA_GPU_INTER) == (gpu::mode_intra | gpu::mode_inter));
    CHECK_THROWS_AS(gpu::host::modes_of(8), InvalidProblem);
}
