// What this process holds on the heap: the counters behind the allocation hook. Deterministic where the program is: the
// same allocations in the same order give the same peak, whatever the machine does besides.
#pragma once

#include <cstdint>

namespace dca::measure {

/// Between begin_counting() and end_counting(), the sum of malloc_usable_size of what was allocated, less what was
/// freed (also of what was there before), and the most it ever was; never below 0. It counts what was asked for,
/// touched or not; stacks, mapped files and memory mapped by hand are not in it. Threads are counted together.
void begin_counting();
/// The most that was held at once since begin_counting().
[[nodiscard]] std::int64_t end_counting();

/// For the hook alone (allocation_hook.cpp): it runs inside malloc, so these allocate nothing.
void count_allocation(std::int64_t bytes) noexcept;
void count_release(std::int64_t bytes) noexcept;

/// Whether the hook is part of this program: programs that measure link allocation_hook.cpp, and not where a sanitizer
/// brings a malloc of its own. Asks by allocating something.
[[nodiscard]] bool counts_allocations();

}  // namespace dca::measure
