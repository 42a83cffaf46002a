// The launcher and the C interface on a CUDA runtime whose device is the emulated machine.
#include <cuda_runtime_api.h>

#include <random>
#include <string>
#include <vector>

#include "gpu/api/dca_gpu.h"
#include "gpu/api/emulation.hpp"
#include "gpu/api/launch.hpp"
#include "gpu/host/plan.hpp"
#include "tests/gpu/fake_cuda/fake_cuda.hpp"
#include "tests/support/catch.hpp"

namespace {

using namespace dca;

Problem small(Dtype dtype, std::int64_t head_dim_v = 64) {
    Problem p;
    p.shape = {2, 40, 45, 2, 1, 64, head_dim_v};
    p.chunk = {16, 4};
    p.dtype = dtype;
    return p;
}

Inputs inputs_of(const Problem& p) {
    std::mt19937 random(7);
    Inputs inputs{Tensor4(q_extents(p.shape)), Tensor4(k_extents(p.shape)), Tensor4(v_extents(p.shape)), {}};
    for (Tensor4* tensor : {&inputs.q, &inputs.k, &inputs.v}) {
        for (double& x : tensor->values()) x = round_to(p.dtype, static_cast<double>(random()) / 2147483648.0 - 1.0);
    }
    return inputs;
}

/// The launcher must add nothing to what the kernels compute, and lose nothing.
void check_same_bits(const Problem& problem) {
    fake_cuda::reset();
    const Inputs inputs = inputs_of(problem);
    const Outputs launched = gpu::forward(problem, inputs), emulated = gpu::emulated_forward(problem, inputs);
    CHECK(launched.out == emulated.out);
    CHECK(launched.lse == emulated.lse);
    CHECK(fake_cuda::seen().bytes_allocated == 0);
}

dca_gpu_problem c_problem() {
    dca_gpu_problem c{};
    c.struct_size = sizeof c;
    c.batch = 1;
    c.seq_q = c.seq_k = 40;
    c.heads_q = 2;
    c.heads_kv = 1;
    c.head_dim = 64;
    c.head_dim_v = 20;
    c.chunk_size = 16;
    c.local_size = 4;
    c.dtype = DCA_GPU_BF16;
    c.rope_layout = DCA_GPU_ROPE_NEOX;
    return c;
}

/// A plan, and device memory for one call of it.
struct Session {
    dca_gpu_plan* plan = nullptr;
    dca_gpu_forward_args args{};
    std::vector<void*> memory;

    Session() {
        const dca_gpu_problem c = c_problem();
        REQUIRE(dca_gpu_plan_create(&c, &plan) == DCA_GPU_OK);
        std::uint64_t bytes = 0;
        REQUIRE(dca_gpu_workspace_bytes(plan, &bytes) == DCA_GPU_OK);
        args.struct_size = sizeof args;
        args.q = allocate(40 * 2 * 64 * 2);
        args.k = allocate(40 * 64 * 2);
        args.v = allocate(40 * 20 * 2);
        args.out = allocate(40 * 2 * 20 * 2);
        args.lse = allocate(40 * 2 * 4);
        args.workspace = allocate(bytes);
        args.workspace_bytes = bytes;
    }
    ~Session() {
        for (void* data : memory) cudaFree(data);
        dca_gpu_plan_destroy(plan);
    }
    void* allocate(std::uint64_t bytes) {
        memory.push_back(nullptr);
        REQUIRE(cudaMalloc(&memory.back(), bytes) == cudaSuccess);
        REQUIRE(cudaMemset(memory.back(), 0, bytes) == cudaSuccess);
        return memory.back();
    }
};

std::string refusal(const fake_cuda::Machine& machine, int status) {
    fake_cuda::reset(machine);
    const dca_gpu_problem c = c_problem();
    dca_gpu_plan* plan = nullptr;
    CHECK(dca_gpu_plan_create(&c, &plan) == status);
    CHECK(plan == nullptr);
    CHECK(fake_cuda::seen().bytes_allocated == 0);
    return dca_gpu_error();
}

}  // namespace

TEST_CASE("What the launcher returns is what the kernels compute, bit for bit") {
    check_same_bits(small(Dtype::bf16));
    check_same_bits(small(Dtype::f16));
    check_same_bits(small(Dtype::f64));
    check_same_bits(small(Dtype::bf16, 20));  // v is copied
    check_same_bits(small(Dtype::f64, 33));
}

TEST_CASE("Packed sequences, no rotation and a negative scale pass the launcher") {
    Problem packed = small(Dtype::bf16);
    packed.shape.batch = 1;
    packed.shape.seq_k = packed.shape.seq_q;
    packed.cu_seqlens = {0, 13, 13, 40};
    check_same_bits(packed);
    Problem bare = small(Dtype::f16);
    bare.rope.layout = RopeLayout::none;
    bare.softmax_scale = -0.25;
    check_same_bits(bare);
    Problem early = small(Dtype::bf16);
    early.query_offset = -5;  // rows without keys
    check_same_bits(early);
}

TEST_CASE("Machines without a device that will do are told apart") {
    const auto reason = [](const fake_cuda::Machine& machine, Dtype dtype) {
        fake_cuda::reset(machine);
        return gpu::supports(small(dtype)).reason;
    };
    fake_cuda::Machine machine;
    CHECK(reason(machine, Dtype::f64).empty());
    machine.major = 8, machine.minor = 6;
    CHECK(reason(machine, Dtype::bf16).empty());
    CHECK(reason(machine, Dtype::f64) == "the kernels for f64 need compute capability 9.0, the CUDA device has 8.6");
    machine.major = 7, machine.minor = 5;
    CHECK(reason(machine, Dtype::f16) == "the kernels for f16 need compute capability 8.0, the CUDA device has 7.5");
    CHECK(gpu::available().reason == "the kernels for bf16 need compute capability 8.0, the CUDA device has 7.5");
    machine.devices = 0;
    CHECK(reason(machine, Dtype::bf16) == "no CUDA device answers: no CUDA-capable device is detected");
    machine.driver = 0;
    CHECK(reason(machine, Dtype::bf16) == "no CUDA driver is installed");
    CHECK_THROWS_WITH(gpu::forward(small(Dtype::bf16), inputs_of(small(Dtype::bf16))), "no CUDA driver is installed");
}

TEST_CASE("Results that no kernel wrote are not results") {
    fake_cuda::Machine machine;
    machine.runs_kernels = false;
    fake_cuda::reset(machine);
    const Problem problem = small(Dtype::bf16);
    CHECK_THROWS_WITH(gpu::forward(problem, inputs_of(problem)),
                      "the kernel is wrong: out: 10240 elements were not written, the first at flat index 0");
}

TEST_CASE("A call waits for nothing and allocates nothing") {
    fake_cuda::reset();
    Session session;
    session.args.stream = reinterpret_cast<void*>(std::uintptr_t{7});
    const int waits = fake_cuda::seen().waits, allocations = fake_cuda::seen().allocations;
    REQUIRE(dca_gpu_forward(session.plan, &session.args) == DCA_GPU_OK);
    session.args.flags = DCA_GPU_ROTATED;
    REQUIRE(dca_gpu_forward(session.plan, &session.args) == DCA_GPU_OK);
    REQUIRE(dca_gpu_rotate(session.plan, &session.args) == DCA_GPU_OK);
    CHECK(fake_cuda::seen().waits == waits);
    CHECK(fake_cuda::seen().allocations == allocations);
    const std::string rotate = "rotate bf16 on device 0, stream 7", forward = "bf16 d64 narrow on device 0, stream 7";
    CHECK(fake_cuda::seen().launches == std::vector<std::string>{rotate, rotate, forward, forward, rotate, rotate});
}

TEST_CASE("A plan runs on its own device, whichever is current") {
    fake_cuda::reset();
    REQUIRE(cudaSetDevice(1) == cudaSuccess);
    const Session session;
    REQUIRE(cudaSetDevice(0) == cudaSuccess);
    REQUIRE(dca_gpu_forward(session.plan, &session.args) == DCA_GPU_OK);
    CHECK(fake_cuda::seen().launches.back() == "bf16 d64 narrow on device 1, stream 0");
    int current = -1;
    REQUIRE(cudaGetDevice(&current) == cudaSuccess);
    CHECK(current == 0);
}

TEST_CASE("A plan that cannot be made leaves nothing behind") {
    fake_cuda::Machine machine;
    machine.memory = 100;
    CHECK(refusal(machine, DCA_GPU_FAILED) == "allocating device memory: out of memory (cudaErrorMemoryAllocation)");
    machine = {};
    machine.shared_bytes = 40000;
    CHECK(refusal(machine, DCA_GPU_UNSUPPORTED) ==
          "a block of this kernel needs 40960 bytes of shared memory, the CUDA device has 40000");
    machine = {};
    machine.devices = 0;
    CHECK(refusal(machine, DCA_GPU_UNSUPPORTED).substr(0, 22) == "no CUDA device answers");
}

TEST_CASE("A destroyed plan has freed its memory") {
    fake_cuda::reset();
    const dca_gpu_problem c = c_problem();
    dca_gpu_plan* plan = nullptr;
    REQUIRE(dca_gpu_plan_create(&c, &plan) == DCA_GPU_OK);
    CHECK(fake_cuda::seen().bytes_allocated > 0);
    CHECK(dca_gpu_plan_destroy(plan) == DCA_GPU_OK);
    CHECK(fake_cuda::seen().bytes_allocated == 0);
}

TEST_CASE("The workspace is k rotated, and v where it is copied") {
    fake_cuda::reset();
    for (const std::int64_t head_dim_v : {20, 64}) {
        dca_gpu_problem c = c_problem();
        c.head_dim_v = head_dim_v;
        dca_gpu_plan* plan = nullptr;
        REQUIRE(dca_gpu_plan_create(&c, &plan) == DCA_GPU_OK);
        std::uint64_t bytes = 0;
        REQUIRE(dca_gpu_workspace_bytes(plan, &bytes) == DCA_GPU_OK);
        CHECK(bytes == 40 * 64 * 2 * (head_dim_v == 20 ? 2 : 1));
        dca_gpu_plan_destroy(plan);
    }
}
