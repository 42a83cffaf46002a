#include "verify/measure/allocations.hpp"

#include <atomic>
#include <cstdlib>

namespace dca::measure {
namespace {

// Constant-initialised: malloc runs before any constructor.
std::atomic<bool> counting{false};
std::atomic<std::int64_t> held{0}, most{0};

}  // namespace

void begin_counting() {
    held = 0;
    most = 0;
    counting = true;
}

std::int64_t end_counting() {
    counting = false;
    return most;
}

void count_allocation(std::int64_t bytes) noexcept {
    if (!counting.load(std::memory_order_relaxed)) return;
    const std::int64_t now = held.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    std::int64_t before = most.load(std::memory_order_relaxed);
    while (now > before && !most.compare_exchange_weak(before, now, std::memory_order_relaxed)) {
    }
}

void count_release(std::int64_t bytes) noexcept {
    if (counting.load(std::memory_order_relaxed)) held.fetch_sub(bytes, std::memory_order_relaxed);
}

bool counts_allocations() {
    begin_counting();
    void* volatile probe = std::malloc(64);  // volatile: a compiler may leave out an unused pair
    std::free(probe);
    return end_counting() >= 64;
}

}  // namespace dca::measure
