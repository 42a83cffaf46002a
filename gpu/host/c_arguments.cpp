#include "gpu/host/c_arguments.hpp"

#include <string>

namespace dca::gpu::host {
namespace {

constexpr std::uintptr_t vector_bytes = 16;
constexpr std::int64_t most_blocks = 65535;  // blockIdx.y and .z of CUDA devices

void require(bool condition, const std::string& message) {
    if (!condition) throw InvalidProblem(message);
}

void require_pointer(const void* pointer, const char* name, std::uintptr_t alignment) {
    require(pointer != nullptr, std::string(name) + " is null");
    require(reinterpret_cast<std::uintptr_t>(pointer) % alignment == 0,
            std::string(name) + " is not at a multiple of " + std::to_string(alignment) + " bytes");
}

/// The stride of an axis with one entry is never used.
bool whole_vectors(std::int64_t stride, std::int64_t entries, std::int64_t element) {
    return entries == 1 || stride * element % static_cast<std::int64_t>(vector_bytes) == 0;
}

void require_positive(std::int64_t value, const char* name, std::int64_t most) {
    require(value >= 1 && value <= most,
            std::string(name) + " is " + std::to_string(value) + ", must be 1 to " + std::to_string(most));
}

}  // namespace

void check_arguments(const Problem& problem, const Plan& plan, std::uint64_t workspace_bytes,
                     const dca_gpu_forward_args& args, bool forward) {
    const Shape& s = problem.shape;
    const std::int64_t element = problem.dtype == Dtype::f64 ? 8 : 2, real = problem.dtype == Dtype::f64 ? 8 : 4;
    const auto element_alignment = static_cast<std::uintptr_t>(element);
    require_pointer(args.k, "k", element_alignment);
    require_pointer(args.v, "v", plan.copy_v ? element_alignment : vector_bytes);
    const Strides v = strides_or(args.v_stride, dense(s.seq_k, s.heads_kv, s.head_dim_v));
    require(plan.copy_v || (whole_vectors(v.batch, s.batch, element) && whole_vectors(v.row, s.seq_k, element) &&
                            whole_vectors(v.head, s.heads_kv, element)),
            "v: its rows do not all start at multiples of 16 bytes; copy it to a dense tensor");
    require_pointer(args.workspace, "workspace", vector_bytes);
    require(args.workspace_bytes >= workspace_bytes, "workspace_bytes is " + std::to_string(args.workspace_bytes) +
                                                         ", the plan needs " + std::to_string(workspace_bytes));
    if (!forward) return;
    require_pointer(args.q, "q", element_alignment);
    require_pointer(args.out, "out", element_alignment);
    require_pointer(args.lse, "lse", static_cast<std::uintptr_t>(real));
    if (args.flags & ~std::uint32_t{DCA_GPU_ROTATED}) {
        throw Unsupported("flags has bits that this version of libdca_gpu does not know");
    }
    (void)modes_of(args.modes);
}

Dtype merge_dtype(std::int32_t dtype) {
    switch (dtype) {
        case DCA_GPU_F16: return Dtype::f16;
        case DCA_GPU_BF16: return Dtype::bf16;
        case DCA_GPU_F64: return Dtype::f64;
        case DCA_GPU_F32: return Dtype::f32;
        default: throw InvalidProblem("dtype is " + std::to_string(dtype) + ", must be 0 to 3");
    }
}

void check_merge(const dca_gpu_merge_args& args) {
    const Dtype dtype = merge_dtype(args.dtype);
    const auto element = static_cast<std::uintptr_t>(traits(dtype).storage_bits / 8);
    const std::uintptr_t real = dtype == Dtype::f64 ? 8 : 4;
    require_positive(args.parts, "parts", MergeParams<float>::most);
    require_positive(args.batch, "batch", most_blocks);
    require_positive(args.heads_q, "heads_q", most_blocks);
    require_positive(args.seq_q, "seq_q", max_position);
    require_positive(args.head_dim_v, "head_dim_v", max_position / 8);
    for (int m = 0; m < args.parts; ++m) {
        require_pointer(args.out_part[m], "out_part", element);
        require_pointer(args.lse_part[m], "lse_part", real);
    }
    require_pointer(args.out, "out", element);
    require_pointer(args.lse, "lse", real);
}

}  // namespace dca::gpu::host
