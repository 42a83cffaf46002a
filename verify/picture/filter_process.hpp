// Another program as a filter: bytes in, bytes out, within limits.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace dca::picture {

struct FilterLimits {
    std::chrono::milliseconds time{20000};
    std::size_t output = std::size_t{16} << 20U;
};

/// What `command`, looked for on PATH, writes to stdout when given `input`. Its environment is PATH and LC_ALL=C, its
/// stderr is dropped. Nothing where it cannot be started, does not end with status 0, or exceeds a limit; it is
/// then killed. No signal reaches the caller when it ends early.
[[nodiscard]] std::optional<std::string> run_filter(const std::vector<std::string>& command, const std::string& input,
                                                    const FilterLimits& limits = {});

}  // namespace dca::picture
