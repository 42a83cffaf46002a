// Peak of the fused multiply-add units. Sixteen independent chains per thread hide the latency of any processor in use
// (4 cycles at 2 per cycle need 8), and nothing leaves the registers.
#include "verify/run/fma_peak.hpp"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace dca::verify {
namespace {

constexpr int chains = 16;
constexpr int bursts = 5;

/// One burst: rounds of one multiply-add on every chain. Returns a value that depends on all of them, so that none can
/// be left out. x -> x * 0.5 + 1 stays within [0, 2].
struct Burst {
    int lanes;
    std::int64_t rounds;  ///< about a tenth of a second; fewer where fma may be a library function
    double (*run)(std::int64_t rounds);
};

double burst_scalar(std::int64_t rounds) {
    double x[chains] = {};
    for (std::int64_t r = 0; r < rounds; ++r) {
        for (double& value : x) value = std::fma(value, 0.5, 1.0);
    }
    double sum = 0;
    for (double value : x) sum += value;
    return sum;
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) double burst_avx2(std::int64_t rounds) {
    __m256d x[chains];
    for (auto& value : x) value = _mm256_setzero_pd();
    const __m256d half = _mm256_set1_pd(0.5), one = _mm256_set1_pd(1.0);
    for (std::int64_t r = 0; r < rounds; ++r) {
        for (auto& value : x) value = _mm256_fmadd_pd(value, half, one);
    }
    for (int i = 1; i < chains; ++i) x[0] = _mm256_add_pd(x[0], x[i]);
    return _mm256_cvtsd_f64(x[0]);
}

__attribute__((target("avx512f"))) double burst_avx512(std::int64_t rounds) {
    __m512d x[chains];
    for (auto& value : x) value = _mm512_setzero_pd();
    const __m512d half = _mm512_set1_pd(0.5), one = _mm512_set1_pd(1.0);
    for (std::int64_t r = 0; r < rounds; ++r) {
        for (auto& value : x) value = _mm512_fmadd_pd(value, half, one);
    }
    for (int i = 1; i < chains; ++i) x[0] = _mm512_add_pd(x[0], x[i]);
    return _mm512_cvtsd_f64(x[0]);
}
#endif

Burst widest() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return {8, 30'000'000, burst_avx512};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {4, 30'000'000, burst_avx2};
#endif
    return {1, 4'000'000, burst_scalar};
}

}  // namespace

double fma_peak_gflops(int threads) {
    using Clock = std::chrono::steady_clock;
    struct Run {
        Clock::time_point begin, end;
        double sink = 0;
    };
    const Burst burst = widest();
    double best = 0;
    for (int attempt = 0; attempt < bursts; ++attempt) {
        std::vector<Run> runs(static_cast<std::size_t>(threads));
        std::barrier start(threads);
        std::vector<std::jthread> workers;
        for (Run& run : runs) {
            workers.emplace_back([&start, &run, burst] {
                start.arrive_and_wait();
                run.begin = Clock::now();
                run.sink = burst.run(burst.rounds);
                run.end = Clock::now();
            });
        }
        workers.clear();  // joins
        Clock::time_point begin = runs.front().begin, end = runs.front().end;
        double sink = 0;
        for (const Run& run : runs) {
            begin = std::min(begin, run.begin);
            end = std::max(end, run.end);
            sink += run.sink;
        }
        const double operations = 2.0 * burst.lanes * chains * static_cast<double>(burst.rounds) * threads;
        const double seconds = std::chrono::duration<double>(end - begin).count();
        if (sink > 0 && seconds > 0) best = std::max(best, operations / seconds * 1e-9);
    }
    return best;
}

}  // namespace dca::verify
