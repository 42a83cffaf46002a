// Which thread of a block runs next, and how the block ends.
#include <algorithm>
#include <bit>

#include "gpu/machine/emulated/block_state.hpp"

namespace dca::gpu::emulated {

Block::State::State(Block& owner, const char* kernel_name, int thread_count, std::uint32_t shared_bytes,
                    const std::function<void()>& kernel_body)
    : block(owner),
      kernel(kernel_name),
      threads(thread_count),
      body(kernel_body),
      fibers(thread_count, &State::entry, this),
      shared(shared_bytes, thread_count / 32),
      warps(static_cast<std::size_t>(thread_count / 32)),
      accesses(warps.size()),
      async(static_cast<std::size_t>(thread_count)) {
    ready.reserve(static_cast<std::size_t>(thread_count));
}

void Block::State::run(std::uint64_t seed) {
    random.state = seed;
    until_overtaken = 1 + random.below(256);
    shared.start_block();
    for (WarpMeeting& w : warps) w = {};
    for (AsyncQueue& q : async) q.clear();
    whole = {};
    std::fill(std::begin(named), std::end(named), Barrier{});
    done.assign(static_cast<std::size_t>(threads), 0);
    live = threads;
    cancelled = false;
    error = nullptr;
    ready.clear();
    upcoming = none;
    for (int t = 0; t < threads; ++t) {
        fibers.start(t);
        ready.push_back(static_cast<std::uint16_t>(t));
    }
    fibers.switch_to(next_ready());
    // After a failure the others are woken one by one to leave, so that what lives on their stacks is destroyed.
    for (int t = 0; t < threads; ++t)
        while (!done[static_cast<std::size_t>(t)]) fibers.switch_to(t);
    for (LaneAccesses& a : accesses) a.flush(banks);
    if (error) std::rethrow_exception(error);
    ++stats.blocks;
}

void Block::State::entry(void* state) {
    State& s = *static_cast<State*>(state);
    const int me = s.fibers.running();
    s.block.thread_ = me;
    try {
        if (!s.cancelled) {
            s.body();
            if (!s.cancelled) s.leave(me);
        }
    } catch (const Cancelled&) {
    } catch (...) {
        s.fail(std::current_exception());
    }
    s.finish();
}

int Block::State::next_ready() {
    const auto draw = [this]() -> int {
        if (ready.empty()) return none;
        const std::uint32_t i = random.below(static_cast<std::uint32_t>(ready.size()));
        const int thread = ready[i];
        ready[i] = ready.back();
        ready.pop_back();
        return thread;
    };
    const int now = upcoming != none ? upcoming : draw();
    // The one after is drawn already, so that its stack is in the cache by then.
    upcoming = draw();
    if (upcoming != none) fibers.prefetch(upcoming);
    return now;
}

void Block::State::wait() {
    const int me = block.thread_;
    if (nobody_ready()) throw MachineFault(who_waits_where());
    if (!fibers.within_stack())
        fault(my_warp().at.site, me, "has used more stack than " + std::to_string(Fibers::usable) + " bytes");
    const int next = next_ready();
    if (next != me) {
        ++stats.switches;
        fibers.switch_to(next);
        block.thread_ = me;
    }
    if (cancelled) throw Cancelled{};
}

void Block::State::ready_warp(int warp) {
    for (int l = 0; l < 32; ++l) ready.push_back(static_cast<std::uint16_t>(warp * 32 + l));
}

void Block::State::overtake() {
    until_overtaken = 1 + random.below(256);
    if (cancelled) throw Cancelled{};
    ready.push_back(static_cast<std::uint16_t>(block.thread_));
    wait();
}

void Block::State::fail(std::exception_ptr what) {
    if (!error) error = what;
    cancelled = true;
}

void Block::State::leave(int thread) {
    WarpMeeting& w = warps[static_cast<std::size_t>(thread >> 5)];
    const auto start = [&] {
        return "kernel " + std::string(kernel) + ": thread " + std::to_string(thread) + " of block (" +
               std::to_string(block.index_.x) + "," + std::to_string(block.index_.y) + "," +
               std::to_string(block.index_.z) + ") ";
    };
    if (!fibers.mark_intact())
        throw MachineFault(start() + "has used more stack than " + std::to_string(Fibers::usable) + " bytes");
    const AsyncQueue& q = async[static_cast<std::size_t>(thread)];
    if (q.in_flight())
        throw MachineFault(start() + "leaves the kernel with an asynchronous copy in flight, begun at " +
                           line(q.copies[q.landed].site) + " and never waited for");
    if (w.arrived != 0 && !w.in_barrier)
        throw MachineFault(start() + "leaves the kernel while lane " + std::to_string(std::countr_zero(w.arrived)) +
                           " of its warp waits at " + name(w.at) + ", " + line(w.at.site));
    if (whole.warps != 0)
        throw MachineFault(start() + "leaves the kernel while warp " + std::to_string(std::countr_zero(whole.warps)) +
                           " waits at sync_block, " + line(whole.at.site));
    w.left |= 1u << (thread & 31);
}

void Block::State::finish() {
    done[static_cast<std::size_t>(fibers.running())] = 1;
    --live;
    if (!cancelled && live > 0 && nobody_ready()) fail(std::make_exception_ptr(MachineFault(who_waits_where())));
    ++stats.switches;
    fibers.switch_to(cancelled || live == 0 ? Fibers::host : next_ready(), true);
    __builtin_trap();
}

std::string Block::State::who_waits_where() const {
    std::string text = "kernel " + std::string(kernel) + ": deadlock in block (" + std::to_string(block.index_.x) +
                       "," + std::to_string(block.index_.y) + "," + std::to_string(block.index_.z) + "):";
    for (std::size_t i = 0; i < warps.size(); ++i) {
        const WarpMeeting& w = warps[i];
        text += std::string(i == 0 ? "" : ";") + " warp " + std::to_string(i);
        text += w.arrived != 0 ? " waits at " + name(w.at) + ", " + line(w.at.site) : " has left the kernel";
    }
    return text;
}

}  // namespace dca::gpu::emulated
