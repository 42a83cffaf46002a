#include "gpu/emulation/run_plan.hpp"

#include <algorithm>
#include <functional>
#include <type_traits>
#include <vector>

#include "gpu/emulation/buffer.hpp"
#include "gpu/host/launch_params.hpp"
#include "gpu/kernels/forward_body.hpp"
#include "gpu/kernels/forward_f64_body.hpp"
#include "gpu/kernels/merge_body.hpp"
#include "gpu/kernels/rotate_body.hpp"
#include "gpu/machine/emulated.hpp"
#include "reference/spec/error.hpp"

namespace dca::gpu::emulation {
namespace {

template <class Element>
constexpr Dtype dtype_of() {
    if constexpr (std::is_same_v<Element, F64>) return Dtype::f64;
    return std::is_same_v<Element, Bf16> ? Dtype::bf16 : Dtype::f16;
}

template <class Element>
Buffer<Storage<Element>> encoded(const Tensor4& tensor) {
    std::vector<Storage<Element>> values;
    values.reserve(static_cast<std::size_t>(tensor.size()));
    for (const double x : tensor.values()) {
        if constexpr (std::is_same_v<Element, F64>) {
            values.push_back(x);
        } else {
            values.push_back(encode(dtype_of<Element>(), x));
        }
    }
    return Buffer<Storage<Element>>(values);
}

template <class Element>
double decoded(Storage<Element> x) {
    if constexpr (std::is_same_v<Element, F64>) return x;
    return decode(dtype_of<Element>(), static_cast<std::uint16_t>(x));
}

/// Launches with the options of one call, and what the machine counted.
class Device {
public:
    Device(const EmulationOptions& options, EmulationStats* stats) : options_(options), stats_(stats) {}

    void launch(const char* kernel, const host::Launch& launch, const std::function<void()>& body) {
        const Index3 grid{static_cast<int>(launch.x), static_cast<int>(launch.y), static_cast<int>(launch.z)};
        const emulated::LaunchStats seen = emulated::launch(kernel, grid, launch.threads, launch.shared_bytes, body,
                                                            {options_.seed, options_.host_threads});
        if (stats_ == nullptr) return;
        stats_->blocks += seen.blocks;
        stats_->collectives += seen.collectives;
        stats_->mma_flops += seen.mma_flops;
        stats_->shared_accesses += seen.shared_accesses;
        stats_->bank_conflicts += seen.bank_conflicts;
    }

private:
    EmulationOptions options_;
    EmulationStats* stats_;
};

/// out and lse of one launch, in global memory.
template <class Element>
struct Result {
    Buffer<Storage<Element>> out;
    Buffer<Real<Element>> lse;

    void expect_complete() const {
        out.expect_complete("out");
        lse.expect_complete("lse");
    }
    explicit Result(const Shape& shape)
        : out(element_count(out_extents(shape))), lse(element_count(lse_extents(shape))) {}
};

/// The forward kernel whose tile is the index-th of gpu/api/tile_config.hpp.
template <class Element, int Index = 0>
void forward_16(int kernel, const ForwardParams<std::uint16_t, float>& params) {
    if constexpr (Index < forward_tile_count) {
        if (kernel == Index) return forward_body<Emulated, Element, forward_tiles[Index]>(params);
        forward_16<Element, Index + 1>(kernel, params);
    }
}

void forward_f64(int head_dim, const ForwardParams<double, double>& params) {
    if (head_dim == 64) return forward_f64_body<Emulated, TileConfigF64<64>>(params);
    forward_f64_body<Emulated, TileConfigF64<128>>(params);
}

template <class Element>
class Run {
public:
    using S = Storage<Element>;
    using R = Real<Element>;

    Run(const Problem& problem, const Inputs& inputs, const host::Plan& plan, Device& device)
        : problem_(problem),
          plan_(plan),
          device_(device),
          q_(encoded<Element>(inputs.q)),
          k_(encoded<Element>(inputs.k)),
          v_(encoded<Element>(inputs.v)),
          k_rotated_(host::padded_elements(problem.shape, plan)),
          v_copy_(plan.copy_v ? host::padded_elements(problem.shape, plan) : 0),
          angles_(std::vector<R>(plan.angles.begin(), plan.angles.end())),
          query_tiles_(plan.query_tiles),
          key_tiles_(plan.key_tiles) {
        call_.q = q_.data(), call_.k = k_.data(), call_.v = v_.data();
        call_.k_rotated = k_rotated_.data(), call_.v_copy = v_copy_.data();
        call_.angles = angles_.data();
        call_.query_tiles = query_tiles_.data(), call_.key_tiles = key_tiles_.data();
        host::set_dense(call_, problem.shape);
    }

    void rotate() {
        const host::Launch launch = host::rotate_launch(problem_, plan_);
        const auto turn = host::rotate_params(problem_, plan_, call_);
        device_.launch("rotate", launch, [&] { rotate_body<Emulated, Element>(turn); });
        if (!plan_.copy_v) return;
        const auto copy = host::copy_params(problem_, plan_, call_);
        device_.launch("copy v", launch, [&] { rotate_body<Emulated, Element>(copy); });
    }

    void forward(const char* name, std::uint32_t modes, Result<Element>& result) {
        call_.out = result.out.data(), call_.lse = result.lse.data();
        const auto params = host::forward_params(problem_, plan_, call_, modes);
        device_.launch(name, host::forward_launch(problem_, plan_), [&] {
            if constexpr (std::is_same_v<Element, F64>) {
                forward_f64(plan_.shape.head_dim, params);
            } else {
                forward_16<Element>(plan_.shape.kernel, params);
            }
        });
        result.expect_complete();
    }

private:
    const Problem& problem_;
    const host::Plan& plan_;
    Device& device_;
    Buffer<S> q_, k_, v_, k_rotated_, v_copy_;
    Buffer<R> angles_;
    Buffer<QueryTile> query_tiles_;
    Buffer<KeyTile> key_tiles_;
    host::Call<S, R> call_;
};

template <class Element>
void merge(const Shape& shape, const std::vector<Result<Element>>& parts, Result<Element>& result, Device& device) {
    MergeParams<Storage<Element>, Real<Element>> params{};
    params.parts = static_cast<std::int32_t>(parts.size());
    for (std::size_t m = 0; m < parts.size(); ++m) {
        params.out_part[m] = parts[m].out.read();
        params.lse_part[m] = parts[m].lse.read();
    }
    params.out = result.out.written();
    params.lse = result.lse.written();
    params.batch = shape.batch, params.seq_q = shape.seq_q;
    params.heads = static_cast<std::int32_t>(shape.heads_q);
    params.head_dim_v = static_cast<std::int32_t>(shape.head_dim_v);
    device.launch(
        "merge",
        host::merge_launch(shape.batch, shape.seq_q, shape.heads_q, params.head_dim_v, sizeof(Storage<Element>)),
        [&] { merge_body<Emulated, Element>(params); });
    result.expect_complete();
}

template <class Element>
Result<Element> in_three_calls(const Problem& problem, Run<Element>& kernels, Device& device) {
    std::vector<Result<Element>> parts(3, Result<Element>(problem.shape));
    kernels.forward("forward (intra)", mode_intra, parts[0]);
    kernels.forward("forward (succ)", mode_succ, parts[1]);
    kernels.forward("forward (inter)", mode_inter, parts[2]);
    Result<Element> result(problem.shape);
    merge(problem.shape, parts, result, device);
    return result;
}

template <class Element>
Result<Element> fused(const Problem& problem, Run<Element>& kernels) {
    Result<Element> result(problem.shape);
    kernels.forward("forward", mode_all, result);
    return result;
}

template <class Element>
Outputs run(const Problem& problem, const Inputs& inputs, const host::Plan& plan, const EmulationOptions& options,
            EmulationStats* stats) {
    Device device(options, stats);
    Run<Element> kernels(problem, inputs, plan, device);
    kernels.rotate();
    const Result<Element> result =
        options.three_calls ? in_three_calls(problem, kernels, device) : fused(problem, kernels);
    Outputs outputs{Tensor4(out_extents(problem.shape)), Tensor3(lse_extents(problem.shape))};
    std::transform(result.out.data(), result.out.data() + result.out.size(), outputs.out.values().begin(),
                   decoded<Element>);
    std::copy(result.lse.data(), result.lse.data() + result.lse.size(), outputs.lse.values().begin());
    return outputs;
}

}  // namespace

Outputs run_plan(const Problem& problem, const Inputs& inputs, const host::Plan& plan, const EmulationOptions& options,
                 EmulationStats* stats) {
    validate(problem, inputs);
    switch (problem.dtype) {
        case Dtype::bf16: return run<Bf16>(problem, inputs, plan, options, stats);
        case Dtype::f16: return run<F16>(problem, inputs, plan, options, stats);
        case Dtype::f64: return run<F64>(problem, inputs, plan, options, stats);
        case Dtype::f32:
        case Dtype::tf32:
        case Dtype::e4m3:
        case Dtype::e5m2: break;
    }
    throw Unsupported(host::supports(problem).reason);
}

}  // namespace dca::gpu::emulation
