// Lanes meet in their warp, warps meet at barriers; whoever cannot meet is told why.
#include <bit>

#include "gpu/machine/emulated/block_state.hpp"

namespace dca::gpu::emulated {

std::string Block::State::line(Site site) const {
    const Where& at = sites[site];
    const std::string path = at.file_name();
    return path.substr(path.find_last_of('/') + 1) + ":" + std::to_string(at.line());
}

void Block::State::fault(Site site, int thread, const std::string& what) const {
    throw MachineFault("kernel " + std::string(kernel) + ": " + line(site) + ": thread " + std::to_string(thread) +
                       " of block (" + std::to_string(block.index_.x) + "," + std::to_string(block.index_.y) + "," +
                       std::to_string(block.index_.z) + ") " + what);
}
void Block::State::fault(Site site, const std::string& what) const {
    fault(site, block.thread_, what);
}

bool Block::State::arrive(const Rendezvous& at, const LaneOperands& operands) {
    if (cancelled) throw Cancelled{};
    const int lane = block.thread_ & 31;
    WarpMeeting& w = my_warp();
    // A string is made for a fault alone: this is the most frequent call of all.
    const auto where = [&] {
        return "(lane " + std::to_string(lane) + " of warp " + std::to_string(block.thread_ >> 5) + ") reaches ";
    };
    if (w.left != 0)
        fault(at.site, where() + name(at) + " after lane " + std::to_string(std::countr_zero(w.left)) +
                           " of its warp has left the kernel");
    if (w.arrived == 0) {
        w.at = at;
    } else if (!(w.at == at)) {
        fault(at.site, where() + name(at) + " while lane " + std::to_string(std::countr_zero(w.arrived)) +
                           " of its warp waits at " + name(w.at) + ", " + line(w.at.site) +
                           ": all lanes must reach the same call with the same parameters");
    }
    w.arrived |= 1u << lane;
    w.lane[lane] = operands;
    if (w.arrived != 0xffffffffu) return false;
    LaneAccesses& noted = accesses[static_cast<std::size_t>(block.thread_ >> 5)];
    if (!noted.empty()) noted.flush(banks);
    return true;
}

void Block::State::pass_barrier(Barrier& barrier, const Rendezvous& at, std::uint32_t expected) {
    const int me = block.thread_ >> 5;
    if (barrier.warps == 0) barrier.at = at;
    barrier.warps |= 1u << me;
    WarpMeeting& w = my_warp();
    w.in_barrier = true;
    if (static_cast<std::uint32_t>(std::popcount(barrier.warps)) < expected) return;
    shared.order(barrier.warps);
    for (std::uint32_t left = barrier.warps; left != 0; left &= left - 1) {
        const int warp = std::countr_zero(left);
        WarpMeeting& met = warps[static_cast<std::size_t>(warp)];
        met.arrived = 0;
        met.in_barrier = false;
        ready_warp(warp);
    }
    barrier.warps = 0;
}

}  // namespace dca::gpu::emulated
