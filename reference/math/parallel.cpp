#include "reference/math/parallel.hpp"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>

#include "reference/spec/error.hpp"

namespace dca::reference {

namespace {

/// About 50 microseconds on one core, some ten times what waking a thread takes.
constexpr double worth_sharing = 1e6;

}  // namespace

void parallel_for(std::int64_t count, double work, const std::function<void(std::int64_t)>& body) {
    std::exception_ptr first;
    std::mutex first_mutex;
    // The fork and the join order everything around them, but the thread sanitizer cannot see into the OpenMP library:
    // these two say the same in a language it knows (tests/tsan.supp covers the compiler's own part).
    std::atomic<int> forked{0}, joined{0};
    forked.store(1, std::memory_order_release);
#pragma omp parallel for schedule(dynamic, 1) if (count > 1 && work >= worth_sharing)
    for (std::int64_t item = 0; item < count; ++item) {
        (void)forked.load(std::memory_order_acquire);
        try {
            body(item);
        } catch (...) {
            const std::lock_guard lock(first_mutex);
            if (!first) first = std::current_exception();
        }
        joined.fetch_add(1, std::memory_order_release);
    }
    (void)joined.load(std::memory_order_acquire);
    if (first) std::rethrow_exception(first);
}

void parallel_in_order(std::int64_t count, double work,
                       const std::function<std::function<void(std::int64_t)>()>& make_body) {
    std::atomic<std::int64_t> next{0};
    parallel_for(std::min<std::int64_t>(count, thread_count()), work, [&](std::int64_t) {
        if (next.load() >= count) return;
        const auto body = make_body();
        for (std::int64_t item = next++; item < count; item = next++) body(item);
    });
}

int thread_count() {
    return omp_get_max_threads();
}

void use_threads(int count) {
    expects(count >= 1, "use_threads: at least one");
    omp_set_num_threads(count);
}

}  // namespace dca::reference
