// Sums that several threads add to in a fixed order.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace dca::reference {

/// Queues whose members 0, 1, 2, ... take their turns in this order. A member may wait only for members that are
/// already at work (parallel_in_order).
class Turns {
public:
    explicit Turns(std::size_t queues) : next_(queues) {}

    /// Returns when members 0 .. member - 1 of the queue are done. Throws Abandoned if one of them failed.
    void wait(std::size_t queue, std::int64_t member);
    /// The turn is over: the next member sees everything written before.
    void done(std::size_t queue);
    /// Ends all waiting: somebody failed and will not take a turn.
    void abandon();

    struct Abandoned {};

private:
    static constexpr std::int64_t abandoned = -1;
    std::vector<std::atomic<std::int64_t>> next_;
};

}  // namespace dca::reference
