#include "tests/gpu/f64/launch_f64.hpp"

#include <stdexcept>

#include "gpu/api/tile_config_f64.hpp"
#include "gpu/emulation/buffer.hpp"
#include "gpu/host/plan.hpp"
#include "gpu/kernels/forward_f64_body.hpp"
#include "gpu/kernels/rotate_body.hpp"
#include "gpu/machine/emulated.hpp"

namespace dca::test {
namespace {

using gpu::emulation::Buffer;

gpu::Strides dense(std::int64_t rows, std::int64_t heads, std::int64_t channels) {
    return {rows * heads * channels, heads * channels, channels};
}

Buffer<double> upload(const Tensor4& tensor) {
    return Buffer<double>(std::vector<double>(tensor.values().begin(), tensor.values().end()));
}

gpu::Pairing pairing(RopeLayout layout) {
    return layout == RopeLayout::none   ? gpu::Pairing::none
           : layout == RopeLayout::neox ? gpu::Pairing::neox
                                        : gpu::Pairing::interleaved;
}

}  // namespace

Outputs forward_f64(const Problem& problem, const Inputs& inputs, const LaunchF64& launch,
                    gpu::emulated::LaunchStats* stats) {
    const Shape& s = problem.shape;
    const gpu::host::Plan plan = gpu::host::make_plan(problem);
    const Buffer<double> q = upload(inputs.q), k = upload(inputs.k), v = upload(inputs.v), angles(plan.angles);
    const Buffer<gpu::QueryTile> tiles(plan.query_tiles);
    const Buffer<gpu::KeyTile> key_tiles(plan.key_tiles);
    const int padded = plan.shape.head_dim;
    Buffer<double> turned(s.batch * s.seq_k * s.heads_kv * padded), copied(plan.copy_v ? turned.size() : 0);
    Buffer<double> out(element_count(out_extents(s))), lse(element_count(lse_extents(s)));
    const int batch = static_cast<int>(s.batch), heads = static_cast<int>(s.heads_q),
              heads_kv = static_cast<int>(s.heads_kv);

    gpu::RotateParams<double, double> r;
    r.in = k.read(), r.out = turned.written(), r.angles = angles.read(), r.tiles = key_tiles.read();
    r.stride = dense(s.seq_k, s.heads_kv, s.head_dim);
    r.rows = s.seq_k;
    r.heads = heads_kv, r.head_dim = static_cast<int>(s.head_dim), r.padded = padded;
    r.rotary_dim = static_cast<int>(problem.resolved_rotary_dim());
    r.pairing = pairing(problem.rope.layout);
    const gpu::Index3 key_grid{static_cast<int>(key_tiles.size()), heads_kv, batch};
    const auto rotate = [&] { gpu::rotate_body<gpu::Emulated, gpu::F64>(r); };
    gpu::emulated::launch("rotate f64", key_grid, gpu::rotate_threads, 0, rotate, launch.options);
    if (plan.copy_v) {
        r.in = v.read(), r.out = copied.written();
        r.stride = dense(s.seq_k, s.heads_kv, s.head_dim_v);
        r.head_dim = static_cast<int>(s.head_dim_v), r.rotary_dim = 0, r.pairing = gpu::Pairing::none;
        gpu::emulated::launch("copy f64", key_grid, gpu::rotate_threads, 0, rotate, launch.options);
    }

    gpu::ForwardParams<double, double> p;
    p.q = q.read(), p.k = turned.read(), p.v = plan.copy_v ? copied.read() : v.read();
    p.out = out.written(), p.lse = lse.written(), p.angles = angles.read(), p.tiles = tiles.read();
    p.q_stride = dense(s.seq_q, s.heads_q, s.head_dim);
    p.k_stride = dense(s.seq_k, s.heads_kv, padded);
    p.v_stride = plan.copy_v ? p.k_stride : dense(s.seq_k, s.heads_kv, s.head_dim_v);
    p.out_stride = dense(s.seq_q, s.heads_q, s.head_dim_v);
    p.lse_batch = s.heads_q * s.seq_q, p.lse_head = s.seq_q;
    p.group = heads / heads_kv;
    p.head_dim = static_cast<int>(s.head_dim), p.head_dim_v = static_cast<int>(s.head_dim_v);
    p.rotary_dim = static_cast<int>(problem.resolved_rotary_dim());
    p.pairing = pairing(problem.rope.layout);
    p.scale = plan.scale.scale, p.sign = plan.scale.sign;
    p.modes = launch.modes;
    const auto run = [&]<class Config>(Config) {
        return gpu::emulated::launch(
            "forward f64", {heads, static_cast<int>(tiles.size()), batch}, Config::threads, Config::shared_bytes,
            [&] { gpu::forward_f64_body<gpu::Emulated, Config>(p); }, launch.options);
    };
    const gpu::emulated::LaunchStats counted =
        padded == 64 ? run(gpu::TileConfigF64<64>{}) : run(gpu::TileConfigF64<128>{});
    if (stats != nullptr) *stats = counted;

    out.expect_complete("out");
    lse.expect_complete("lse");
    Outputs result{Tensor4(out_extents(s)), Tensor3(lse_extents(s))};
    std::copy_n(out.data(), out.size(), result.out.values().data());
    std::copy_n(lse.data(), lse.size(), result.lse.values().data());
    return result;
}

}  // namespace dca::test
