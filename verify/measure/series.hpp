// Nouns of a measurement: what was measured at one point of a ladder, the ladder of one candidate, one quantity of it
// as a series, what is fitted to a series, and what a claim comes out as. No arithmetic and no running lives here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dca::measure {

/// Where a number of peak bytes comes from.
enum class MemorySource : std::uint8_t { none, rusage, cgroup, allocation_hook, gpu, resident };

enum class Pass : std::uint8_t { forward, backward };

/// What every point of a ladder shares. Sizes as in Problem's Shape.
struct Setting {
    std::int64_t batch = 1, heads_q = 1, heads_kv = 1, head_dim = 128, head_dim_v = 128;
    std::string dtype = "f64";
    Pass pass = Pass::forward;
    int threads = 0;  ///< that the candidate was given; 0: not known
    friend bool operator==(const Setting&, const Setting&) = default;
};

/// One measured run in a process of its own, after the warm-up.
struct Repeat {
    /// Runs of several candidates at one size with the same round were made next to each other: ratios pair them.
    int round = 0;
    double wall_seconds = 0;
    double cpu_seconds = 0;                  ///< of all threads, user and system
    std::optional<std::int64_t> peak_bytes;  ///< most memory held at once, above the inputs and the started process
    std::optional<double> gpu_seconds;       ///< between two events on the GPU
    std::optional<std::int64_t> gpu_bytes;   ///< peak on the GPU above the inputs
    /// Of the run's wall time, the share in which the machine worked for somebody else while this run wanted to work
    /// (0 to 1); unset: not known.
    std::optional<double> stolen;
};

/// C and w of a length.
struct Size {
    std::int64_t n = 0, chunk_size = 0, local_size = 0;
    friend bool operator==(const Size&, const Size&) = default;
};

/// Visible query-key pairs per mode (Def.2), of one head.
struct ScoreElements {
    std::int64_t intra = 0, succ = 0, inter = 0;
    [[nodiscard]] std::int64_t total() const { return intra + succ + inter; }
    friend bool operator==(const ScoreElements&, const ScoreElements&) = default;
};

/// One size of a ladder.
struct Point {
    std::int64_t n = 0;           ///< seq_q = seq_k
    std::int64_t chunk_size = 0;  ///< C
    std::int64_t local_size = 0;  ///< w; chunk_len L = C - w
    std::vector<Repeat> repeats;
    MemorySource memory_source = MemorySource::none;
    std::int64_t input_bytes = 0;   ///< q, k, v (and dout)
    std::int64_t output_bytes = 0;  ///< out and lse (or dq, dk, dv)
    double flops = 0;               ///< counted: 4 d per element and head forward, 10 d backward
    ScoreElements elements;         ///< of one head
    std::string failure;            ///< why there is no (further) repeat: killed for memory, timed out; else empty
    /// Growth of resident memory in the warm-up, where the system tells: a second opinion on peak_bytes.
    std::optional<std::int64_t> resident_bytes;
    bool settled = false;  ///< the interval of the median became as narrow as asked before repeats or time were used up
    std::string disturbed;  ///< why its times are not to be believed, one clause; empty where nothing was seen
};

/// Everything measured of one candidate.
struct Ladder {
    std::string candidate;
    Setting setting;
    std::vector<Point> points;  ///< ascending n, then ascending chunk_size
};

/// What a claim can be about. The unit is that of one value of a series.
///   time      wall seconds (GPU candidates: seconds between events)
///   cpu       CPU seconds of all threads
///   memory    peak bytes above the inputs
///   peak      peak bytes with the inputs
///   flops     counted
///   elements  visible pairs of one head
enum class Quantity : std::uint8_t { time, cpu, memory, peak, flops, elements };

[[nodiscard]] std::string_view name(Quantity quantity);
[[nodiscard]] std::string_view name(MemorySource source);
[[nodiscard]] std::string_view name(Pass pass);
[[nodiscard]] std::optional<Quantity> parse_quantity(std::string_view text);

/// One quantity at one size: a value per repeat that has it.
struct Sample {
    std::int64_t n = 0;
    std::int64_t chunk_size = 0;
    std::vector<double> values;
    std::vector<int> rounds;  ///< Repeat::round of each value
    double disturbance = 0;   ///< median of Repeat::stolen; 0 where it is not known
    std::string failure;      ///< Point::failure
};

/// One quantity of one candidate over a ladder.
struct Series {
    std::string candidate;
    Quantity quantity = Quantity::time;
    std::vector<Sample> samples;  ///< ascending n, then ascending chunk_size; without values where nothing was measured
};

/// A number and the interval that holds it at `level`.
struct Estimate {
    double value = 0, low = 0, high = 0;
};

/// value = offset + factor n^exponent
struct PowerFit {
    Estimate offset, factor, exponent;
    double misfit = 0;                     ///< relative standard deviation of the medians around the curve
    double score = 0;                      ///< as ModelFit::score, of three parameters
    std::int64_t first_n = 0, last_n = 0;  ///< of the points that were used
};

/// One term of a sum of terms.
struct Term {
    std::string name;      ///< "1", "n", "n^2", "n*c", "(n/c)^2"
    Estimate coefficient;  ///< never negative
    Estimate share;        ///< of the value at the largest size, 0 to 1
};

struct ModelFit {
    std::string name;  ///< "1 + n + n^2"
    std::vector<Term> terms;
    double misfit = 0;  ///< relative standard deviation of the medians around the model
    double score = 0;   ///< the smaller the better (docs/measure.md)
};

enum class Step : std::uint8_t { staircase, late_term };

/// Something that a smooth law hides.
struct StepFinding {
    Step kind = Step::staircase;
    std::int64_t n = 0;  ///< the first measured size at which it shows
    std::string what;    ///< one sentence
};

enum class ClaimOutcome : std::uint8_t { pass, fail, inconclusive };

[[nodiscard]] std::string_view name(Step step);
[[nodiscard]] std::string_view name(ClaimOutcome outcome);

/// What became of one claim.
struct ClaimVerdict {
    std::string claim;  ///< its text
    std::string candidate;
    ClaimOutcome outcome = ClaimOutcome::inconclusive;
    std::string measured_name;  ///< what `measured` is: "exponent of n", "KiB/token at n = 8192", "ratio at n = 8192"
    std::optional<Estimate> measured;
    double limit = 0;        ///< what it was held against
    std::string reason;      ///< one sentence
    std::string decided_by;  ///< for inconclusive: what would decide it; else empty
    std::vector<StepFinding> steps;
};

}  // namespace dca::measure
