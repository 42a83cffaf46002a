#include "gpu/machine/emulated_block.hpp"

#include <bit>

#include "gpu/machine/emulated/block_state.hpp"
#include "gpu/machine/emulated/elements.hpp"
#include "gpu/machine/emulated/mma.hpp"

namespace dca::gpu::emulated {

std::uint16_t to_element(bool bf16, float x) {
    return bf16 ? bf16_from_float(x) : f16_from_float(x);
}
float from_element(bool bf16, std::uint16_t bits) {
    return bf16 ? float_from_bf16(bits) : float_from_f16(bits);
}

Block::Block(const char* kernel, int threads, std::uint32_t shared_bytes, const std::function<void()>& body)
    : state_(std::make_unique<State>(*this, kernel, threads, shared_bytes, body)) {}
Block::~Block() = default;

void Block::run(Index3 index, std::uint64_t seed) {
    index_ = index;
    current_block = this;
    state_->run(seed);
}
void Block::add_to(LaunchStats& total) const {
    const LaunchStats& s = state_->stats;
    total.blocks += s.blocks;
    total.switches += s.switches;
    total.collectives += s.collectives;
    total.mma_flops += s.mma_flops;
    total.shared_accesses += state_->banks.accesses;
    total.bank_conflicts += state_->banks.conflicts;
}
void Block::between_calls() {
    state_->between_calls();
}

void Block::sync_block(Where at) {
    State& s = *state_;
    const Rendezvous here{Call::sync_block, s.sites(at)};
    if (s.arrive(here, {})) {
        if (s.live != s.threads)
            s.fault(here.site, "reaches sync_block after threads of the block have left the kernel");
        if (s.whole.warps != 0 && s.whole.at.site != here.site)
            s.fault(here.site, "reaches sync_block while warp " + std::to_string(std::countr_zero(s.whole.warps)) +
                                   " waits at another, " + s.line(s.whole.at.site));
        s.pass_barrier(s.whole, here, static_cast<std::uint32_t>(s.threads / 32));
    }
    s.wait();
}
void Block::sync_named(int id, int threads, Where at) {
    State& s = *state_;
    const Rendezvous here{Call::sync_named, s.sites(at), static_cast<std::uint32_t>(id),
                          static_cast<std::uint32_t>(threads)};
    if (id < 1 || id > 15) s.fault(here.site, "reaches " + name(here) + ": barriers are 1 to 15");
    if (threads < 32 || threads % 32 != 0 || threads > s.threads)
        s.fault(here.site, "reaches " + name(here) + ": threads are counted in whole warps, at most the " +
                               std::to_string(s.threads) + " of the block");
    if (s.arrive(here, {})) {
        Barrier& barrier = s.named[id];
        if (barrier.warps != 0 && barrier.at.second != here.second)
            s.fault(here.site, "reaches " + name(here) + " while warp " +
                                   std::to_string(std::countr_zero(barrier.warps)) + " waits at " + name(barrier.at) +
                                   ", " + s.line(barrier.at.site));
        s.pass_barrier(barrier, here, static_cast<std::uint32_t>(threads / 32));
    }
    s.wait();
}
void Block::sync_warp(Where at) {
    State& s = *state_;
    s.meet({Call::sync_warp, s.sites(at)}, {}, [&](WarpMeeting&) { s.shared.order(1u << (thread_ >> 5)); });
}

std::uint64_t Block::shuffle(std::uint64_t bits, int size, int source, Where at) {
    State& s = *state_;
    std::uint64_t result = 0;
    const std::uint32_t lane = static_cast<std::uint32_t>(source) & 31;
    s.meet({Call::shuffle, s.sites(at), static_cast<std::uint32_t>(size)}, {&lane, nullptr, &result, bits},
           [](WarpMeeting& w) {
               for (const LaneOperands& l : w.lane)
                   *static_cast<std::uint64_t*>(l.result) = w.lane[*static_cast<const std::uint32_t*>(l.a)].value;
           });
    return result;
}
std::uint64_t Block::shuffle_xor(std::uint64_t bits, int size, int mask, Where at) {
    State& s = *state_;
    std::uint64_t result = 0;
    const Rendezvous here{Call::shuffle_xor, s.sites(at), static_cast<std::uint32_t>(size),
                          static_cast<std::uint32_t>(mask)};
    if (mask < 0 || mask > 31) s.fault(here.site, "reaches " + name(here) + ": masks are 0 to 31");
    s.meet(here, {nullptr, nullptr, &result, bits}, [mask](WarpMeeting& w) {
        for (int l = 0; l < 32; ++l) *static_cast<std::uint64_t*>(w.lane[l].result) = w.lane[l ^ mask].value;
    });
    return result;
}
std::uint32_t Block::ballot(bool value, Where at) {
    State& s = *state_;
    std::uint32_t result = 0;
    s.meet({Call::ballot, s.sites(at)}, {nullptr, nullptr, &result, value}, [](WarpMeeting& w) {
        std::uint32_t votes = 0;
        for (int l = 0; l < 32; ++l) votes |= static_cast<std::uint32_t>(w.lane[l].value) << l;
        for (const LaneOperands& l : w.lane) *static_cast<std::uint32_t*>(l.result) = votes;
    });
    return result;
}

void Block::mma(bool bf16, int count, float (*c)[4], const std::uint32_t (&a)[4], const std::uint32_t (*b)[2],
                Where at) {
    State& s = *state_;
    s.meet({bf16 ? Call::mma_bf16 : Call::mma_f16, s.sites(at), static_cast<std::uint32_t>(count)}, {a, b, c},
           [&](WarpMeeting& w) {
               MmaOperands operands;
               operands.scratch = &s.scratch;
               for (int l = 0; l < 32; ++l)
                   operands.a[l] = w.lane[l].a, operands.b[l] = w.lane[l].b, operands.c[l] = w.lane[l].result;
               (bf16 ? mma_kernels().bf16 : mma_kernels().f16)(count, operands);
               s.stats.mma_flops += 4096L * count;
           });
}
void Block::mma_f64(int count, double (*c)[4], const double (&a)[8], const double (*b)[4], Where at) {
    State& s = *state_;
    s.meet({Call::mma_f64, s.sites(at), static_cast<std::uint32_t>(count)}, {a, b, c}, [&](WarpMeeting& w) {
        MmaOperands operands;
        operands.scratch = &s.scratch;
        for (int l = 0; l < 32; ++l)
            operands.a[l] = w.lane[l].a, operands.b[l] = w.lane[l].b, operands.c[l] = w.lane[l].result;
        mma_kernels().f64(count, operands);
        s.stats.mma_flops += 4096L * count;
    });
}

}  // namespace dca::gpu::emulated
