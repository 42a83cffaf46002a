// How fast this machine multiplies and adds: the yardstick of `dca bench`.
#pragma once

namespace dca::verify {

/// Double-precision fused multiply-adds per second on `threads` threads at once, two operations each, in GFLOP/s: the
/// best of several bursts of independent chains in registers, with the widest vectors the processor has. Takes about a
/// second.
[[nodiscard]] double fma_peak_gflops(int threads);

}  // namespace dca::verify
