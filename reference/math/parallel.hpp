// The only place that knows how work is spread over threads.
#pragma once

#include <cstdint>
#include <functional>

namespace dca::reference {

/// Calls body(item) once for every item in [0, count), on as many threads as OpenMP grants, in no fixed order. Each
/// item must write only its own results: that is what makes the reference independent of the thread count. `work` is
/// about how many multiply-adds all items take together; where waking the other threads would cost more, the caller
/// does them all. The first exception is rethrown.
void parallel_for(std::int64_t count, double work, const std::function<void(std::int64_t)>& body);

/// The same, but each thread makes one body with what it needs for all its items, and items are begun in ascending
/// order: when an item is begun, every item before it has been begun. So an item may wait for one before it.
void parallel_in_order(std::int64_t count, double work,
                       const std::function<std::function<void(std::int64_t)>()>& make_body);

/// Threads that a parallel_for with enough work may use.
[[nodiscard]] int thread_count();
/// Sets that number for the calling thread's parallel_for calls from now on. Precondition: count >= 1.
void use_threads(int count);

}  // namespace dca::reference
