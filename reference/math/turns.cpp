#include "reference/math/turns.hpp"

namespace dca::reference {

void Turns::wait(std::size_t queue, std::int64_t member) {
    std::atomic<std::int64_t>& next = next_[queue];
    for (;;) {
        const std::int64_t turn = next.load(std::memory_order_acquire);
        if (turn == abandoned) throw Abandoned{};
        if (turn == member) return;
        next.wait(turn, std::memory_order_acquire);
    }
}

void Turns::done(std::size_t queue) {
    std::atomic<std::int64_t>& next = next_[queue];
    std::int64_t turn = next.load(std::memory_order_relaxed);
    while (turn != abandoned &&
           !next.compare_exchange_weak(turn, turn + 1, std::memory_order_release, std::memory_order_relaxed)) {
    }
    next.notify_all();
}

void Turns::abandon() {
    for (auto& next : next_) {
        next.store(abandoned, std::memory_order_release);
        next.notify_all();
    }
}

}  // namespace dca::reference
