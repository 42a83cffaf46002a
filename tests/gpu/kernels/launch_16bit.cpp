#include "tests/gpu/kernels/launch_16bit.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "gpu/emulation/buffer.hpp"
#include "gpu/host/launch_params.hpp"
#include "gpu/kernels/forward_body.hpp"
#include "gpu/kernels/rotate_body.hpp"
#include "gpu/machine/emulated.hpp"

namespace dca::test {
namespace {

using gpu::emulation::Buffer;
using gpu::emulation::poison;

/// A (batch, row, head, channel) tensor in memory, with what Launch16 puts between heads and before the first.
struct Placed {
    Buffer<std::uint16_t> memory;
    gpu::Strides stride;
    int shift;

    Placed(const Extents<4>& e, int gap, int shift_by)
        : memory(e[0] * e[1] * e[2] * (e[3] + gap) + shift_by),
          stride(gpu::host::dense(e[1], e[2], e[3] + gap)),
          shift(shift_by) {}

    std::uint16_t* first() { return memory.data() + shift; }
    std::uint16_t& at(std::int64_t b, std::int64_t r, std::int64_t h, std::int64_t c) {
        return first()[b * stride.batch + r * stride.row + h * stride.head + c];
    }
};

template <class Visit>
void for_each_element(const Extents<4>& e, Visit visit) {
    for (std::int64_t b = 0; b < e[0]; ++b)
        for (std::int64_t r = 0; r < e[1]; ++r)
            for (std::int64_t h = 0; h < e[2]; ++h)
                for (std::int64_t c = 0; c < e[3]; ++c) visit(b, r, h, c);
}

Placed upload(Dtype dtype, const Tensor4& tensor, int gap, int shift) {
    Placed placed(tensor.extents(), gap, shift);
    for_each_element(tensor.extents(), [&](auto... i) { placed.at(i...) = encode(dtype, tensor(i...)); });
    return placed;
}

struct Prepared {
    gpu::host::Plan plan;
    Placed q, k, v;
    Buffer<float> angles;
    Buffer<gpu::QueryTile> tiles;
    Buffer<gpu::KeyTile> key_tiles;
    Buffer<std::uint16_t> turned, copied;
    gpu::host::Call<std::uint16_t, float> call;

    Prepared(const Problem& problem, const Inputs& inputs, const Launch16& launch)
        : plan(gpu::host::make_plan(problem)),
          q(upload(problem.dtype, inputs.q, launch.gap, launch.shift)),
          k(upload(problem.dtype, inputs.k, launch.gap, launch.shift)),
          v(upload(problem.dtype, inputs.v, 0, 0)),
          angles(std::vector<float>(plan.angles.begin(), plan.angles.end())),
          tiles(plan.query_tiles),
          key_tiles(plan.key_tiles),
          turned(gpu::host::padded_elements(problem.shape, plan)),
          copied(plan.copy_v ? turned.size() : 0) {
        gpu::host::set_dense(call, problem.shape);
        call.q = q.first(), call.k = k.first(), call.v = v.first();
        call.q_stride = q.stride, call.k_stride = k.stride;
        call.k_rotated = turned.data(), call.v_copy = copied.data();
        call.angles = angles.data(), call.query_tiles = tiles.data(), call.key_tiles = key_tiles.data();
    }
};

gpu::Index3 grid(const gpu::host::Launch& launch) {
    return {static_cast<int>(launch.x), static_cast<int>(launch.y), static_cast<int>(launch.z)};
}

template <class Element>
void rotate(const Problem& problem, Prepared& prepared, const Launch16& launch) {
    const auto run = [&](const char* name, const gpu::RotateParams<std::uint16_t, float>& p) {
        gpu::emulated::launch(
            name, grid(gpu::host::rotate_launch(problem, prepared.plan)), gpu::rotate_threads, 0,
            [&] { gpu::rotate_body<gpu::Emulated, Element>(p); }, launch.options);
    };
    run("rotate", gpu::host::rotate_params(problem, prepared.plan, prepared.call));
    if (prepared.plan.copy_v) run("copy", gpu::host::copy_params(problem, prepared.plan, prepared.call));
}

template <class Element, int Kernel = 0>
gpu::emulated::LaunchStats forward(const Problem& problem, const Prepared& prepared, const Launch16& launch) {
    if constexpr (Kernel == gpu::forward_tile_count) {
        throw std::logic_error("no such kernel");
    } else if (prepared.plan.shape.kernel != Kernel) {
        return forward<Element, Kernel + 1>(problem, prepared, launch);
    } else {
        const auto p = gpu::host::forward_params(problem, prepared.plan, prepared.call, launch.modes);
        const gpu::host::Launch sizes = gpu::host::forward_launch(problem, prepared.plan);
        return gpu::emulated::launch(
            "forward", grid(sizes), sizes.threads, sizes.shared_bytes,
            [&] { gpu::forward_body<gpu::Emulated, Element, gpu::forward_tiles[Kernel]>(p); }, launch.options);
    }
}

template <class Run>
auto with_element(const Problem& problem, Run run) {
    return problem.dtype == Dtype::bf16 ? run(gpu::Bf16{}) : run(gpu::F16{});
}

}  // namespace

Inputs rounded(const Problem& problem, Inputs inputs) {
    for (Tensor4* tensor : {&inputs.q, &inputs.k, &inputs.v})
        for (double& x : tensor->values()) x = decode(problem.dtype, encode(problem.dtype, x));
    return inputs;
}

Tensor4 rotated_keys(const Problem& problem, const Inputs& inputs, const Launch16& launch) {
    Prepared prepared(problem, inputs, launch);
    with_element(problem, [&]<class Element>(Element) { rotate<Element>(problem, prepared, launch); });
    prepared.turned.expect_complete("k rotated");
    const Shape& s = problem.shape;
    Tensor4 keys({s.batch, s.seq_k, s.heads_kv, prepared.plan.shape.head_dim});
    for (std::int64_t i = 0; i < prepared.turned.size(); ++i)
        keys.values()[static_cast<std::size_t>(i)] = decode(problem.dtype, prepared.turned.data()[i]);
    return keys;
}

Outputs forward_16bit(const Problem& problem, const Inputs& inputs, const Launch16& launch,
                      gpu::emulated::LaunchStats* stats) {
    const Shape& s = problem.shape;
    Prepared prepared(problem, inputs, launch);
    Placed out(out_extents(s), launch.gap, launch.shift);
    Buffer<float> lse(element_count(lse_extents(s)));
    prepared.call.out = out.first(), prepared.call.out_stride = out.stride, prepared.call.lse = lse.data();
    with_element(problem, [&]<class Element>(Element) {
        rotate<Element>(problem, prepared, launch);
        const gpu::emulated::LaunchStats counted = forward<Element>(problem, prepared, launch);
        if (stats != nullptr) *stats = counted;
    });

    lse.expect_complete("lse");
    Outputs result{Tensor4(out_extents(s)), Tensor3(lse_extents(s))};
    std::copy_n(lse.data(), lse.size(), result.lse.values().data());
    for_each_element(out_extents(s), [&](auto... i) {
        if (out.at(i...) == poison<std::uint16_t>()) throw std::runtime_error("an element of out was not written");
        result.out(i...) = decode(problem.dtype, out.at(i...));
        out.at(i...) = poison<std::uint16_t>();
    });
    const std::uint16_t* memory = out.memory.data();
    if (std::any_of(memory, memory + out.memory.size(), [](auto x) { return x != poison<std::uint16_t>(); }))
        throw std::runtime_error("the kernel wrote between the heads of out");
    return result;
}

}  // namespace dca::test
