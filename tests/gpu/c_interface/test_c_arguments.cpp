#include <functional>
#include <string>

#include "gpu/host/c_arguments.hpp"
#include "reference/spec/error.hpp"
#include "tests/support/catch.hpp"

namespace {

using namespace dca;
using namespace dca::gpu;

void* address(std::uintptr_t value) {
    return reinterpret_cast<void*>(value);  // never read
}

Problem problem() {
    Problem p;
    p.shape = {2, 5, 9, 4, 2, 64, 32};
    p.chunk = {4, 1};
    p.dtype = Dtype::bf16;
    return p;
}

dca_gpu_forward_args valid() {
    dca_gpu_forward_args args{};
    args.struct_size = sizeof args;
    args.q = address(1024);
    args.k = address(2048);
    args.v = address(4096);
    args.out = address(8192);
    args.lse = address(16384);
    args.workspace = address(32768);
    args.workspace_bytes = 100;
    return args;
}

/// The refusal of changed arguments; "" where there is none.
std::string refusal(const std::function<void(dca_gpu_forward_args&)>& change, bool copy_v = false,
                    bool forward = true) {
    host::Plan plan;
    plan.shape.head_dim = 64;
    plan.copy_v = copy_v;
    dca_gpu_forward_args args = valid();
    change(args);
    try {
        host::check_arguments(problem(), plan, 100, args, forward);
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

}  // namespace

TEST_CASE("Arguments that are right are accepted") {
    CHECK(refusal([](auto&) {}).empty());
    CHECK(refusal([](auto& a) { a.modes = 7, a.flags = DCA_GPU_ROTATED; }).empty());
    CHECK(refusal([](auto& a) { a.q = a.out = a.lse = nullptr; }, false, false).empty());
    // q and out may start anywhere, v where it is copied.
    CHECK(refusal([](auto& a) { a.q = address(1026), a.out = address(8194); }).empty());
    CHECK(refusal([](auto& a) { a.v = address(4098), a.v_stride = {333, 37, 33}; }, true).empty());
}

TEST_CASE("Arguments that are wrong are named") {
    CHECK(refusal([](auto& a) { a.q = nullptr; }) == "q is null");
    CHECK(refusal([](auto& a) { a.k = nullptr; }) == "k is null");
    CHECK(refusal([](auto& a) { a.v = nullptr; }) == "v is null");
    CHECK(refusal([](auto& a) { a.out = nullptr; }) == "out is null");
    CHECK(refusal([](auto& a) { a.lse = nullptr; }) == "lse is null");
    CHECK(refusal([](auto& a) { a.workspace = nullptr; }) == "workspace is null");
    CHECK(refusal([](auto& a) { a.q = address(1025); }) == "q is not at a multiple of 2 bytes");
    CHECK(refusal([](auto& a) { a.lse = address(16386); }) == "lse is not at a multiple of 4 bytes");
    CHECK(refusal([](auto& a) { a.v = address(4098); }) == "v is not at a multiple of 16 bytes");
    CHECK(refusal([](auto& a) { a.workspace = address(32776); }) == "workspace is not at a multiple of 16 bytes");
    CHECK(refusal([](auto& a) { a.workspace_bytes = 99; }) == "workspace_bytes is 99, the plan needs 100");
    CHECK(refusal([](auto& a) { a.modes = 8; }) == "modes is 8, must be a sum of 1, 2 and 4");
    CHECK(refusal([](auto& a) { a.flags = 2; }) == "flags has bits that this version of libdca_gpu does not know");
    CHECK(refusal([](auto& a) { a.v_stride = {576, 64, 36}; }).substr(0, 12) == "v: its rows ");
    CHECK(refusal([](auto& a) { a.v_stride = {576, 68, 32}; }).substr(0, 12) == "v: its rows ");
    CHECK(refusal([](auto& a) { a.v_stride = {580, 64, 32}; }).substr(0, 12) == "v: its rows ");
}

TEST_CASE("Strides of zero are those of dense tensors") {
    dca_gpu_forward_args args = valid();
    auto call = host::call_of<std::uint16_t, float>(problem().shape, args);
    CHECK(call.q_stride.batch == 5 * 4 * 64);
    CHECK(call.q_stride.row == 4 * 64);
    CHECK(call.q_stride.head == 64);
    CHECK(call.v_stride.batch == 9 * 2 * 32);
    CHECK(call.out_stride.row == 4 * 32);
    CHECK(call.lse_batch == 4 * 5);
    CHECK(call.lse_head == 5);
    args.q_stride = {1000, 10, 0};
    args.k_stride = {2000, 20, 2};
    args.v_stride = {3000, 30, 3};
    args.out_stride = {4000, 40, 4};
    args.lse_batch = 99;
    args.lse_head = 11;
    call = host::call_of<std::uint16_t, float>(problem().shape, args);
    CHECK(call.q_stride.head == 0);
    CHECK(call.k_stride.row == 20);
    CHECK(call.v_stride.batch == 3000);
    CHECK(call.out_stride.head == 4);
    CHECK(call.lse_batch == 99);
    CHECK(call.lse_head == 11);
}

TEST_CASE("Arguments of a merge") {
    dca_gpu_merge_args args{};
    args.struct_size = sizeof args;
    args.parts = 2;
    for (int m = 0; m < 2; ++m) {
        args.out_part[m] = address(1024);
        args.lse_part[m] = address(2048);
    }
    args.out = address(4096);
    args.lse = address(8192);
    args.batch = 2;
    args.seq_q = 5;
    args.heads_q = 3;
    args.head_dim_v = 40;
    args.dtype = DCA_GPU_F16;
    const auto refused = [&] {
        try {
            host::check_merge(args);
        } catch (const InvalidProblem& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    CHECK(refused().empty());
    const auto params = host::merge_params<std::uint16_t, float>(args);
    CHECK(params.out.size == 2 * 5 * 3 * 40);
    CHECK(params.lse_part[1].size == 2 * 5 * 3);
    CHECK(params.out_part[2].data == nullptr);
    CHECK(params.parts == 2);
    CHECK(params.heads == 3);
    args.parts = 3;
    CHECK(refused() == "out_part is null");
    args.parts = 4;
    CHECK(refused() == "parts is 4, must be 1 to 3");
    args.parts = 2;
    args.seq_q = 0;
    CHECK(refused().substr(0, 10) == "seq_q is 0");
    args.seq_q = 5;
    args.dtype = 4;
    CHECK(refused() == "dtype is 4, must be 0 to 3");
}
