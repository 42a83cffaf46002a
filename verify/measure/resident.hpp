// Resident memory and processor time as the system reports them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace dca::measure {

/// VmRSS of this process now, in bytes; nothing where /proc does not tell.
[[nodiscard]] std::optional<std::int64_t> resident_bytes();
/// VmHWM: the most that was resident since the start or the last reset.
[[nodiscard]] std::optional<std::int64_t> resident_peak_bytes();
/// Writes 5 to /proc/self/clear_refs, which sets VmHWM to what is resident now. False where the system refuses.
bool reset_resident_peak();

/// Processor seconds of this process, all threads, user and system.
[[nodiscard]] double process_seconds();

/// Processor seconds that all processes of the machine have used since it started, from /proc/stat, in steps of 10 ms;
/// time stolen by other virtual machines counts as used. Nothing where /proc does not tell.
[[nodiscard]] std::optional<double> machine_seconds();

/// The share of its wall time in which a run that wants `threads` processors lacked them, 0 to 1. `others`: processor
/// seconds that everybody else used meanwhile, of `processors` there are.
[[nodiscard]] double share_lacking(double wall, double others, double threads, double processors);

}  // namespace dca::measure
