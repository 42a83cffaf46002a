// The C interface on a GPU: whole calls, halves of calls, three calls and a merge. Whether results are right is the
// gate's question (dca gate --candidate cuda); here all ways of asking must give the same. Exits 77, which ctest calls
// skipped, where no device answers.
#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "gpu/api/dca_gpu.h"
#include "gpu/api/launch.hpp"
#include "gpu/cuda/device_buffer.cuh"
#include "gpu/host/launch_params.hpp"

namespace {

using namespace dca;
using gpu::cuda::DeviceBuffer;
using Bits = std::vector<std::uint16_t>;

void require(bool condition, const char* what) {
    if (!condition) throw Error(std::string(what) + " (" + dca_gpu_error() + ")");
}

/// Packed sequences would hide strides; chunks of 48 make three modes in 200 keys.
Problem problem() {
    Problem p;
    p.shape = {2, 200, 230, 4, 2, 64, 64};
    p.chunk = {64, 16};
    p.dtype = Dtype::bf16;
    return p;
}

dca_gpu_problem c_problem(const Problem& p) {
    dca_gpu_problem c{};
    c.struct_size = sizeof c;
    c.batch = p.shape.batch;
    c.seq_q = p.shape.seq_q;
    c.seq_k = p.shape.seq_k;
    c.heads_q = p.shape.heads_q;
    c.heads_kv = p.shape.heads_kv;
    c.head_dim = p.shape.head_dim;
    c.head_dim_v = p.shape.head_dim_v;
    c.chunk_size = p.chunk.chunk_size;
    c.local_size = p.chunk.local_size;
    c.dtype = DCA_GPU_BF16;
    c.rope_layout = DCA_GPU_ROPE_NEOX;
    return c;
}

struct Tensors {
    Inputs host;
    DeviceBuffer<std::uint16_t> q, k, v;
};

Tensors random_tensors(const Problem& p) {
    std::mt19937 random(20240601);
    const auto fill = [&](Tensor4& tensor) {
        Bits bits;
        for (double& x : tensor.values()) {
            x = round_to(Dtype::bf16, static_cast<double>(random()) / 2147483648.0 - 1.0);
            bits.push_back(encode(Dtype::bf16, x));
        }
        return DeviceBuffer<std::uint16_t>(std::span<const std::uint16_t>(bits));
    };
    Tensors t{{Tensor4(q_extents(p.shape)), Tensor4(k_extents(p.shape)), Tensor4(v_extents(p.shape)), {}}, {}, {}, {}};
    t.q = fill(t.host.q);
    t.k = fill(t.host.k);
    t.v = fill(t.host.v);
    return t;
}

/// out and lse of one call on the device.
struct Result {
    DeviceBuffer<std::uint16_t> out;
    DeviceBuffer<float> lse;
    explicit Result(const Shape& s) : out(element_count(out_extents(s))), lse(element_count(lse_extents(s))) {}
    [[nodiscard]] std::vector<float> logarithms() const {
        std::vector<float> values(static_cast<std::size_t>(lse.size()));
        lse.copy_to(values);
        return values;
    }
    [[nodiscard]] Bits bits() const {
        Bits bits(static_cast<std::size_t>(out.size()));
        gpu::cuda::check(cudaDeviceSynchronize(), "running a call");
        out.copy_to(bits);
        return bits;
    }
};

class Session {
public:
    Session() : problem_(problem()), tensors_(random_tensors(problem_)) {
        const dca_gpu_problem c = c_problem(problem_);
        require(dca_gpu_plan_create(&c, &plan_) == DCA_GPU_OK, "no plan");
        std::uint64_t bytes = 0;
        require(dca_gpu_workspace_bytes(plan_, &bytes) == DCA_GPU_OK && bytes > 0, "no workspace size");
        workspace_ = DeviceBuffer<unsigned char>(static_cast<std::int64_t>(bytes));
    }
    ~Session() { dca_gpu_plan_destroy(plan_); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    [[nodiscard]] dca_gpu_forward_args args(const Result& result) const {
        dca_gpu_forward_args a{};
        a.struct_size = sizeof a;
        a.q = tensors_.q.data();
        a.k = tensors_.k.data();
        a.v = tensors_.v.data();
        a.out = result.out.data();
        a.lse = result.lse.data();
        a.workspace = workspace_.data();
        a.workspace_bytes = static_cast<std::uint64_t>(workspace_.size());
        return a;
    }
    [[nodiscard]] Result run(std::uint32_t flags = 0) const {
        Result result(problem_.shape);
        dca_gpu_forward_args a = args(result);
        a.flags = flags;
        require(dca_gpu_forward(plan_, &a) == DCA_GPU_OK, "forward failed");
        return result;
    }
    [[nodiscard]] Bits forward(std::uint32_t flags = 0) const { return run(flags).bits(); }

    void agrees_with_the_launcher() const {
        const Outputs outputs = gpu::forward(problem_, tensors_.host);
        const Bits bits = forward();
        for (std::size_t i = 0; i < bits.size(); ++i) {
            require(decode(Dtype::bf16, bits[i]) == outputs.out.values()[i], "the launcher's out differs");
        }
    }
    void may_be_rotated_before() const {
        const Bits whole = forward();
        require(cudaMemset(workspace_.data(), 0xff, static_cast<std::size_t>(workspace_.size())) == cudaSuccess, "");
        const Result unused(problem_.shape);
        const dca_gpu_forward_args a = args(unused);
        require(dca_gpu_rotate(plan_, &a) == DCA_GPU_OK, "rotate failed");
        require(forward(DCA_GPU_ROTATED) == whole, "rotate and forward differ from forward alone");
    }
    /// Parts and merged values are rounded to bf16 (u = 2^-8), the weights P of every call too: each of four roundings
    /// moves a convex combination of values below 1 by at most u, on either side of the comparison. The sums of lse
    /// stay in float, at most 230 terms on either side: 460 roundings of 2^-24, some for exp2 and log2, and two of lse
    /// itself.
    void agrees_with_three_calls() const {
        const double limit = 8 * unit_roundoff(Dtype::bf16), lse_limit = std::ldexp(512, -23);
        const Result fused = run();
        const Bits whole = fused.bits();
        std::vector<Result> parts;
        dca_gpu_merge_args m{};
        for (int i = 0; i < 3; ++i) {
            parts.emplace_back(problem_.shape);
            dca_gpu_forward_args a = args(parts.back());
            a.modes = 1u << i;
            require(dca_gpu_forward(plan_, &a) == DCA_GPU_OK, "a call of three failed");
            m.out_part[i] = a.out;
            m.lse_part[i] = a.lse;
        }
        const Result merged(problem_.shape);
        m.struct_size = sizeof m;
        m.out = merged.out.data();
        m.lse = merged.lse.data();
        m.batch = problem_.shape.batch;
        m.seq_q = problem_.shape.seq_q;
        m.heads_q = problem_.shape.heads_q;
        m.head_dim_v = problem_.shape.head_dim_v;
        m.parts = 3;
        m.dtype = DCA_GPU_BF16;
        require(dca_gpu_merge(&m) == DCA_GPU_OK, "merge failed");
        const Bits bits = merged.bits();
        bool nonzero = false;
        for (std::size_t i = 0; i < bits.size(); ++i) {
            const double a = decode(Dtype::bf16, bits[i]), b = decode(Dtype::bf16, whole[i]);
            nonzero = nonzero || b != 0;
            require(std::abs(a - b) <= limit, "three calls and a merge differ from one call");
        }
        require(nonzero, "every output is zero");
        const std::vector<float> lse = fused.logarithms(), merged_lse = merged.logarithms();
        for (std::size_t i = 0; i < lse.size(); ++i) {
            require(std::abs(double{lse[i]} - double{merged_lse[i]}) <= lse_limit, "lse of three calls differs");
        }
    }
    void takes_strides() const {
        const Bits whole = forward();
        const Shape& s = problem_.shape;
        const Result result(s);
        dca_gpu_forward_args a = args(result);
        a.out_stride = {s.seq_q * s.heads_q * s.head_dim_v, s.head_dim_v, s.seq_q * s.head_dim_v};  // heads before rows
        require(dca_gpu_forward(plan_, &a) == DCA_GPU_OK, "forward with strides failed");
        const Bits bits = result.bits();
        const TensorView<const std::uint16_t, 4> dense(whole.data(), out_extents(s)),
            strided(bits.data(), out_extents(s), {a.out_stride.batch, a.out_stride.row, a.out_stride.head, 1});
        for (std::int64_t b = 0; b < s.batch; ++b)
            for (std::int64_t r = 0; r < s.seq_q; ++r)
                for (std::int64_t h = 0; h < s.heads_q; ++h)
                    for (std::int64_t c = 0; c < s.head_dim_v; ++c)
                        require(dense(b, r, h, c) == strided(b, r, h, c), "strides change a result");
    }
    void refuses_a_small_workspace() const {
        const Result result(problem_.shape);
        dca_gpu_forward_args a = args(result);
        --a.workspace_bytes;
        require(dca_gpu_forward(plan_, &a) == DCA_GPU_INVALID, "a workspace too small was accepted");
    }

private:
    Problem problem_;
    Tensors tensors_;
    dca_gpu_plan* plan_ = nullptr;
    DeviceBuffer<unsigned char> workspace_;
};

}  // namespace

int main() {
    if (dca_gpu_available() != DCA_GPU_OK) {
        std::printf("skipped: %s\n", dca_gpu_error());
        return 77;
    }
    try {
        const Session session;
        session.agrees_with_the_launcher();
        session.may_be_rotated_before();
        session.agrees_with_three_calls();
        session.takes_strides();
        session.refuses_a_small_workspace();
    } catch (const std::exception& error) {
        std::printf("%s\n", error.what());
        return 1;
    }
    return 0;
}
