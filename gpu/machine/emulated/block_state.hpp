// One thread block in full: its fibers and who may run, the meetings of its warps, its memory.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "gpu/machine/emulated/bank_conflicts.hpp"
#include "gpu/machine/emulated/fibers.hpp"
#include "gpu/machine/emulated/mma.hpp"
#include "gpu/machine/emulated/shared_memory.hpp"
#include "gpu/machine/emulated/sites.hpp"
#include "gpu/machine/emulated/warp_meeting.hpp"
#include "gpu/machine/emulated_block.hpp"

namespace dca::gpu::emulated {

/// Thrown through a fiber whose block has failed elsewhere.
struct Cancelled {};

/// splitmix64: small, and the same everywhere.
struct Random {
    std::uint64_t state = 0;
    std::uint64_t operator()() {
        std::uint64_t x = state += 0x9e3779b97f4a7c15u;
        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
        x = (x ^ x >> 27) * 0x94d049bb133111ebu;
        return x ^ x >> 31;
    }
    std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(((*this)() >> 32) * n >> 32); }
};

/// Asynchronous copies of one thread, oldest first.
struct AsyncQueue {
    struct Copy {
        std::uint32_t byte;
        Site site;
    };
    std::vector<Copy> copies;
    std::size_t landed = 0;           ///< of copies
    std::vector<std::size_t> groups;  ///< where committed groups end in copies
    std::size_t waited = 0;           ///< of groups
    [[nodiscard]] bool in_flight() const { return landed < copies.size(); }
    void clear() {
        copies.clear();
        groups.clear();
        landed = waited = 0;
    }
};

/// A barrier that some warps have reached.
struct Barrier {
    std::uint32_t warps = 0;  ///< that wait, one bit each
    Rendezvous at;            ///< as the first of them had it
};

struct Block::State {
    State(Block& owner, const char* kernel_name, int thread_count, std::uint32_t shared_bytes,
          const std::function<void()>& kernel_body);

    /// Every thread of one block, to the end. Throws what the first failing thread threw.
    void run(std::uint64_t seed);

    // --- block_schedule.cpp: who runs
    static void entry(void* state);
    [[nodiscard]] int next_ready();
    [[nodiscard]] bool nobody_ready() const { return ready.empty() && upcoming == none; }
    /// The running thread waits until it is made ready; what it waits for is known to its warp's meeting.
    void wait();
    void ready_warp(int warp);
    /// A thread that does not wait may be overtaken here.
    void between_calls() {
        if (--until_overtaken == 0) overtake();
    }
    void overtake();
    void leave(int thread);
    void fail(std::exception_ptr what);
    [[noreturn]] void finish();
    [[nodiscard]] std::string who_waits_where() const;

    // --- block_meetings.cpp: lanes meet, warps meet
    /// True for the lane that arrives last.
    [[nodiscard]] bool arrive(const Rendezvous& at, const LaneOperands& operands);
    void pass_barrier(Barrier& barrier, const Rendezvous& at, std::uint32_t expected);
    [[nodiscard]] WarpMeeting& my_warp() { return warps[static_cast<std::size_t>(block.thread_ >> 5)]; }
    /// Lanes meet, `act` is done once, by the last, on their operands.
    template <class Act>
    void meet(const Rendezvous& at, const LaneOperands& operands, Act act) {
        if (arrive(at, operands)) {
            WarpMeeting& w = my_warp();
            act(w);
            ++stats.collectives;
            w.arrived = 0;
            ready_warp(block.thread_ >> 5);
        }
        wait();
    }

    // --- faults
    [[nodiscard]] std::string line(Site site) const;
    [[noreturn]] void fault(Site site, const std::string& what) const;
    [[noreturn]] void fault(Site site, int thread, const std::string& what) const;
    [[noreturn]] void shared_fault(Site site, int thread, const char* verb, const Conflict& conflict) const;
    void check_shared(Site site, int thread, const char* verb, std::uint32_t byte, std::uint32_t size) const;

    Block& block;
    const char* kernel;
    int threads;
    const std::function<void()>& body;
    Fibers fibers;
    Sites sites;
    SharedMemory shared;
    std::vector<WarpMeeting> warps;
    std::vector<LaneAccesses> accesses;  ///< of each warp
    std::vector<AsyncQueue> async;       ///< of each thread
    Barrier whole, named[16];
    LaunchStats stats;
    BankCounts banks;
    MmaScratch scratch;

    Random random;
    std::uint32_t until_overtaken = 1;
    static constexpr int none = -1;
    int upcoming = none;               ///< who runs next; ready, and no longer in the list
    std::vector<std::uint16_t> ready;  ///< in no order
    std::vector<char> done;
    int live = 0;
    bool cancelled = false;
    std::exception_ptr error;
};

}  // namespace dca::gpu::emulated
