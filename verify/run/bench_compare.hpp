// Measurements behind `dca bench --compare`: dca compare beside h5diff on the same two tensors. They decide nothing.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "verify/run/bench.hpp"

namespace dca::verify {

struct CompareBench {
    std::filesystem::path folder;   ///< where the files are made, and removed again
    std::int64_t mebibytes = 1024;  ///< of each of the two float64 tensors
    int repeats = 5;
    std::string program;  ///< dca
};

struct CompareTimes {
    std::int64_t elements = 0, bytes_read = 0;  ///< bytes: expected values, error scales and candidate
    Spread dca;                                 ///< seconds of `dca compare`, process and all
    std::optional<Spread> h5diff;               ///< seconds of `h5diff -p 1e-3`; nothing: it is not installed
    std::optional<Spread> ratio;                ///< h5diff / dca of each repeat
};

/// A folder in memory with room for the files (/dev/shm), else the one for temporary files.
[[nodiscard]] std::filesystem::path bench_folder(std::int64_t mebibytes);

/// Writes a golden file (expected values in float64, error scales in float32) and a candidate (float64) whose errors
/// are honest, then runs both programs `repeats` times in alternation after one unmeasured run. Throws IoError where
/// the files cannot be written, or a program does not end as it should: both must find every element within its
/// tolerance.
[[nodiscard]] CompareTimes bench_compare(const CompareBench& settings);

}  // namespace dca::verify
