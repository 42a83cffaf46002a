// Measurements behind `dca bench`: times of the double-precision reference on this machine. They never decide anything.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference/spec/problem.hpp"

namespace dca::verify {

struct Machine {
    std::string cpu;           ///< model name, "unknown processor" where the system does not tell
    int threads = 0;           ///< that the reference gets
    std::string instructions;  ///< instruction set of the reference's kernels
};

[[nodiscard]] Machine this_machine();

/// Median and extremes of some measurements.
struct Spread {
    double median = 0, low = 0, high = 0;
};

/// The same inputs through Dual Chunk Attention and through plain causal attention (one chunk), measured in
/// alternation.
struct PassTimes {
    double operations = 0;  ///< by the convention: 4 n^2 d / 2 forward, 2.5 times that backward
    Spread dca, plain;      ///< seconds
    Spread ratio;           ///< of the times dca / plain of each repeat
};

struct BenchTimes {
    PassTimes forward, backward;
};

/// One head of seq_len rows and head_dim channels in f64 with chunks that scale with the length: chunk_size is a
/// quarter of seq_len (at least 8), local_size an eighth of that.
[[nodiscard]] Problem bench_problem(std::int64_t seq_len, std::int64_t head_dim);

/// Runs both passes `repeats` times after one unmeasured run.
[[nodiscard]] BenchTimes bench_times(const Problem& problem, int repeats);

/// One more thing that was measured.
struct Figure {
    std::string name, unit;
    Spread value;
    std::string how;  ///< on what
};

/// exp of the kernels: time per element and worst error; and what the certified mode costs.
[[nodiscard]] std::vector<Figure> bench_figures(int repeats);

/// Times of one dialect against `exact` on the same inputs, in alternation: ratios of each repeat.
struct DialectTimes {
    std::string dialect;
    Spread forward, backward;
};

/// Every dialect on the problem, in f32 so that all their roundings are at work. backward is given the parts of the
/// forward pass where the dialect needs them, as `dca run` does.
[[nodiscard]] std::vector<DialectTimes> bench_dialects(Problem problem, int repeats);

struct BenchMemory {
    double seconds = 0;
    std::int64_t input_bytes = 0;   ///< q, k and v
    std::int64_t output_bytes = 0;  ///< out and lse
    std::int64_t peak_bytes = 0;    ///< most resident memory of this process so far, inputs and outputs included
};

/// One forward pass. Throws Unsupported where the system does not report resident memory.
[[nodiscard]] BenchMemory bench_memory(const Problem& problem);

}  // namespace dca::verify
