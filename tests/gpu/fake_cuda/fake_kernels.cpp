// The handles of gpu/cuda/kernels.hpp for the emulated machine: what the .cu files are on a GPU.
#include "gpu/cuda/kernels.hpp"
#include "gpu/kernels/forward_body.hpp"
#include "gpu/kernels/forward_f64_body.hpp"
#include "gpu/kernels/merge_body.hpp"
#include "gpu/kernels/rotate_body.hpp"
#include "gpu/machine/emulated.hpp"
#include "tests/gpu/fake_cuda/fake_cuda.hpp"

namespace dca::gpu::cuda {
namespace {

/// One handle per kernel, by the type of its body.
template <class Params, class Body>
Kernel handle(const char* name, Body body) {
    static const fake_cuda::Kernel kernel{
        name, sizeof(Params), [body](const void* parameter) { body(*static_cast<const Params*>(parameter)); }};
    return &kernel;
}

template <class Element, ForwardTile tile>
Kernel forward(const char* name) {
    using Params = ForwardParams<std::uint16_t, float>;
    return handle<Params>(name, [](const Params& p) { forward_body<Emulated, Element, tile>(p); });
}
template <class Element>
Kernel rotate(const char* name) {
    using Params = RotateParams<Storage<Element>, Real<Element>>;
    return handle<Params>(name, [](const Params& p) { rotate_body<Emulated, Element>(p); });
}
template <class Element>
Kernel merge(const char* name) {
    using Params = MergeParams<Storage<Element>, Real<Element>>;
    return handle<Params>(name, [](const Params& p) { merge_body<Emulated, Element>(p); });
}
template <class Config>
Kernel forward_in_f64(const char* name) {
    using Params = ForwardParams<double, double>;
    return handle<Params>(name, [](const Params& p) { forward_f64_body<Emulated, Config>(p); });
}

}  // namespace

Kernel forward_bf16_d64(int kernel) {
    return kernel == 0 ? forward<Bf16, forward_tiles[0]>("bf16 d64 wide")
                       : forward<Bf16, forward_tiles[1]>("bf16 d64 narrow");
}
Kernel forward_bf16_d128(int kernel) {
    return kernel == 2 ? forward<Bf16, forward_tiles[2]>("bf16 d128 wide")
                       : forward<Bf16, forward_tiles[3]>("bf16 d128 narrow");
}
Kernel forward_f16_d64(int kernel) {
    return kernel == 0 ? forward<F16, forward_tiles[0]>("f16 d64 wide")
                       : forward<F16, forward_tiles[1]>("f16 d64 narrow");
}
Kernel forward_f16_d128(int kernel) {
    return kernel == 2 ? forward<F16, forward_tiles[2]>("f16 d128 wide")
                       : forward<F16, forward_tiles[3]>("f16 d128 narrow");
}
Kernel forward_f64(int head_dim) {
    return head_dim == 64 ? forward_in_f64<TileConfigF64<64>>("f64 d64")
                          : forward_in_f64<TileConfigF64<128>>("f64 d128");
}
Kernel rotate_kernel(Dtype dtype) {
    return dtype == Dtype::f64    ? rotate<F64>("rotate f64")
           : dtype == Dtype::bf16 ? rotate<Bf16>("rotate bf16")
                                  : rotate<F16>("rotate f16");
}
Kernel merge_kernel(Dtype dtype) {
    return dtype == Dtype::f64    ? merge<F64>("merge f64")
           : dtype == Dtype::f32  ? merge<F32>("merge f32")
           : dtype == Dtype::bf16 ? merge<Bf16>("merge bf16")
                                  : merge<F16>("merge f16");
}

}  // namespace dca::gpu::cuda
