#include "gpu/machine/emulated_block.hpp"

#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <cstring>
#include <exception>
#include <thread>
#include <vector>

namespace dca::gpu::emulated {
namespace {

namespace context = boost::context;
thread_local Block* current = nullptr;

struct Pending {
    std::uint32_t to;
    unsigned char bytes[16];
};

/// Where the fibers of a warp meet.
struct Warp {
    int arrived = 0;
    std::uint64_t generation = 0;
    std::uint64_t bits[32], result[32];
    std::uint32_t address[32], fragment[32][4];
    const std::uint32_t* a[32];
    const std::uint32_t (*b[32])[2];
    float (*c[32])[4];
    const double* a64[32];
    const double (*b64[32])[4];
    double (*c64[32])[4];
};

}  // namespace

std::uint16_t to_element(bool bf16, float x) {
    std::uint32_t bits;
    std::memcpy(&bits, &x, 4);
    if (bf16) {
        if (x != x) return 0x7fff;
        return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }
    const _Float16 half = static_cast<_Float16>(x);
    std::uint16_t result;
    std::memcpy(&result, &half, 2);
    return result;
}

float from_element(bool bf16, std::uint16_t bits) {
    if (bf16) {
        const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
        float x;
        std::memcpy(&x, &wide, 4);
        return x;
    }
    _Float16 half;
    std::memcpy(&half, &bits, 2);
    return static_cast<float>(half);
}

struct Block::State {
    int threads = 0;
    std::vector<unsigned char> shared;
    std::vector<context::fiber> fibers;
    std::vector<char> finished;
    std::vector<Warp> warps;
    std::vector<std::vector<std::vector<Pending>>> pending;
    context::fiber* scheduler = nullptr;
    int block_arrived = 0;
    std::uint64_t block_generation = 0;
    LaunchStats stats;
    std::exception_ptr error;
    std::vector<context::fiber*> back;

    void yield(Block& b) {
        const int me = b.thread_;
        *back[me] = std::move(*back[me]).resume();
        b.thread_ = me;
    }

    template <class Put, class Act>
    Warp& meet(Block& b, Put put, Act act) {
        Warp& w = warps[b.thread_ / 32];
        const std::uint64_t generation = w.generation;
        put(w, b.thread_ & 31);
        if (++w.arrived == 32) {
            w.arrived = 0;
            act(w);
            ++w.generation;
            ++stats.collectives;
        } else {
            while (w.generation == generation) yield(b);
        }
        return w;
    }
};

Block::Block() : state_(std::make_unique<State>()) {}
Block::~Block() = default;
Block& block() {
    return *current;
}

void Block::sync_block(Where) {
    State& s = *state_;
    const std::uint64_t generation = s.block_generation;
    if (++s.block_arrived == s.threads) {
        s.block_arrived = 0;
        ++s.block_generation;
    } else {
        while (s.block_generation == generation) s.yield(*this);
    }
}
void Block::sync_warp(Where) {
    state_->meet(
        *this, [](Warp&, int) {}, [](Warp&) {});
}
void Block::sync_named(int, int, Where) {
    throw MachineFault("named barriers: to be written");
}
std::uint64_t Block::shuffle(std::uint64_t bits, int source, Where) {
    const Warp& w = state_->meet(
        *this, [&](Warp& x, int l) { x.bits[l] = bits; },
        [](Warp& x) { std::memcpy(x.result, x.bits, sizeof(x.bits)); });
    return w.result[source];
}
std::uint32_t Block::ballot(bool value, Where) {
    const Warp& w = state_->meet(
        *this, [&](Warp& x, int l) { x.bits[l] = value; },
        [](Warp& x) {
            x.result[0] = 0;
            for (int l = 0; l < 32; ++l) x.result[0] |= x.bits[l] << l;
        });
    return static_cast<std::uint32_t>(w.result[0]);
}
void Block::read_shared(void* to, std::uint32_t byte, std::uint32_t size, Where) {
    std::memcpy(to, state_->shared.data() + byte, size);
}
void Block::write_shared(std::uint32_t byte, const void* from, std::uint32_t size, Where) {
    std::memcpy(state_->shared.data() + byte, from, size);
}
void Block::check_global(const void*, std::int64_t first, std::int64_t count, std::int64_t size, std::size_t,
                         std::size_t, Where at) {
    if (first < 0 || first + count > size)
        throw MachineFault("global access out of bounds, line " + std::to_string(at.line()));
}
void Block::copy_async(std::uint32_t byte, const void* source, Where) {
    Pending copy{byte, {}};
    if (source != nullptr) std::memcpy(copy.bytes, source, 16);
    state_->pending[thread_].back().push_back(copy);
}
void Block::commit_async(Where) {
    state_->pending[thread_].emplace_back();
}
void Block::wait_async(int pending, Where) {
    auto& groups = state_->pending[thread_];
    while (static_cast<int>(groups.size()) - 1 > pending) {
        for (const Pending& copy : groups.front()) std::memcpy(state_->shared.data() + copy.to, copy.bytes, 16);
        groups.erase(groups.begin());
    }
}
void Block::load_matrix_x4(std::uint32_t (&fragment)[4], std::uint32_t byte, bool transposed, Where) {
    const unsigned char* shared = state_->shared.data();
    const Warp& w = state_->meet(
        *this, [&](Warp& x, int l) { x.address[l] = byte; },
        [&](Warp& x) {
            for (int q = 0; q < 4; ++q)
                for (int l = 0; l < 32; ++l) {
                    std::uint16_t pair[2];
                    for (int e = 0; e < 2; ++e) {
                        const int row = transposed ? l % 4 * 2 + e : l / 4, column = transposed ? l / 4 : l % 4 * 2 + e;
                        std::memcpy(&pair[e], shared + x.address[q * 8 + row] + 2 * column, 2);
                    }
                    std::memcpy(&x.fragment[l][q], pair, 4);
                }
        });
    std::memcpy(fragment, w.fragment[thread_ & 31], 16);
}
void Block::mma(bool bf16, int count, float (*c)[4], const std::uint32_t (&a)[4], const std::uint32_t (*b)[2], Where) {
    state_->meet(
        *this,
        [&](Warp& x, int l) {
            x.a[l] = a;
            x.b[l] = b;
            x.c[l] = c;
        },
        [&](Warp& x) {
            const auto half = [&](std::uint32_t word, int e) {
                return from_element(bf16, static_cast<std::uint16_t>(word >> (16 * e)));
            };
            for (int i = 0; i < count; ++i) {
                float A[16][16], B[16][8], C[16][8];
                for (int l = 0; l < 32; ++l)
                    for (int e = 0; e < 2; ++e) {
                        const int g = l / 4, q = l % 4 * 2 + e;
                        A[g][q] = half(x.a[l][0], e), A[g + 8][q] = half(x.a[l][1], e);
                        A[g][q + 8] = half(x.a[l][2], e), A[g + 8][q + 8] = half(x.a[l][3], e);
                        B[q][g] = half(x.b[l][i][0], e), B[q + 8][g] = half(x.b[l][i][1], e);
                        C[g][q] = x.c[l][i][e], C[g + 8][q] = x.c[l][i][2 + e];
                    }
                for (int m = 0; m < 16; ++m)
                    for (int k = 0; k < 16; ++k)
                        for (int n = 0; n < 8; ++n) C[m][n] += A[m][k] * B[k][n];
                for (int l = 0; l < 32; ++l)
                    for (int e = 0; e < 2; ++e) {
                        const int g = l / 4, q = l % 4 * 2 + e;
                        x.c[l][i][e] = C[g][q], x.c[l][i][2 + e] = C[g + 8][q];
                    }
            }
            state_->stats.mma_flops += 4096L * count;
        });
}
void Block::mma_f64(int count, double (*c)[4], const double (&a)[8], const double (*b)[4], Where) {
    state_->meet(
        *this,
        [&](Warp& x, int l) {
            x.a64[l] = a;
            x.b64[l] = b;
            x.c64[l] = c;
        },
        [&](Warp& x) {
            for (int i = 0; i < count; ++i) {
                double A[16][16], B[16][8], C[16][8];
                for (int l = 0; l < 32; ++l) {
                    const int g = l / 4, q = l % 4;
                    for (int r = 0; r < 8; ++r) A[g + 8 * (r & 1)][q + 4 * (r / 2)] = x.a64[l][r];
                    for (int r = 0; r < 4; ++r) B[q + 4 * r][g] = x.b64[l][i][r];
                    for (int e = 0; e < 2; ++e)
                        C[g][2 * q + e] = x.c64[l][i][e], C[g + 8][2 * q + e] = x.c64[l][i][2 + e];
                }
                for (int m = 0; m < 16; ++m)
                    for (int k = 0; k < 16; ++k)
                        for (int n = 0; n < 8; ++n) C[m][n] += A[m][k] * B[k][n];
                for (int l = 0; l < 32; ++l)
                    for (int e = 0; e < 2; ++e) {
                        const int g = l / 4, q = l % 4;
                        x.c64[l][i][e] = C[g][2 * q + e], x.c64[l][i][2 + e] = C[g + 8][2 * q + e];
                    }
            }
            state_->stats.mma_flops += 4096L * count;
        });
}

LaunchStats launch(const char*, Index3 grid, int threads, std::uint32_t shared_bytes, const std::function<void()>& body,
                   const LaunchOptions&) {
    LaunchStats total;
    for (int z = 0; z < grid.z; ++z)
        for (int y = 0; y < grid.y; ++y)
            for (int x = 0; x < grid.x; ++x) {
                Block b;
                Block::State& s = b.state();
                b.index_ = {x, y, z};
                s.threads = threads;
                s.shared.assign(shared_bytes, 0xff);
                s.finished.assign(threads, 0);
                s.warps.resize(threads / 32);
                s.pending.assign(threads, std::vector<std::vector<Pending>>(1));
                s.back.resize(threads);
                for (int t = 0; t < threads; ++t)
                    s.fibers.emplace_back(std::allocator_arg, context::fixedsize_stack(65536),
                                          [&s, &body, t](context::fiber&& main) {
                                              s.back[t] = &main;
                                              try {
                                                  body();
                                              } catch (...) {
                                                  if (!s.error) s.error = std::current_exception();
                                              }
                                              s.finished[t] = 1;
                                              return std::move(main);
                                          });
                current = &b;
                int live = threads;
                while (live > 0 && !s.error)
                    for (int t = 0; t < threads && !s.error; ++t) {
                        if (s.finished[t]) continue;
                        b.thread_ = t;
                        s.fibers[t] = std::move(s.fibers[t]).resume();
                        ++s.stats.switches;
                        if (s.finished[t]) --live;
                    }
                s.fibers.clear();
                if (s.error) std::rethrow_exception(s.error);
                ++total.blocks;
                total.switches += s.stats.switches;
                total.collectives += s.stats.collectives;
                total.mma_flops += s.stats.mma_flops;
            }
    return total;
}

}  // namespace dca::gpu::emulated
