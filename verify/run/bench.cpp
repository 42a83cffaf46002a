#include "verify/run/bench.hpp"

#include <quadmath.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <random>

#include "golden/make_inputs.hpp"
#include "reference/backward.hpp"
#include "reference/certified/certified.hpp"
#include "reference/forward.hpp"
#include "reference/math/parallel.hpp"
#include "reference/tiles/tiles.hpp"

namespace dca::verify {
namespace {

/// Value of the first line `key : value` of a file under /proc; empty where there is none.
std::string proc_value(const char* path, const std::string& key) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (line.compare(0, key.size(), key) != 0) continue;
        const auto begin = line.find_first_not_of(" \t", line.find(':') + 1);
        return begin == std::string::npos ? "" : line.substr(begin);
    }
    return "";
}

double seconds_of(const std::function<void()>& work) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

Spread spread(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t n = values.size();
    return {(values[(n - 1) / 2] + values[n / 2]) / 2, values.front(), values.back()};
}

/// What one pass took in every repeat.
struct Series {
    std::vector<double> dca, plain, ratio;
    void add(double dca_seconds, double plain_seconds) {
        dca.push_back(dca_seconds);
        plain.push_back(plain_seconds);
        ratio.push_back(dca_seconds / plain_seconds);
    }
    [[nodiscard]] PassTimes times(double operations) const {
        return {operations, spread(dca), spread(plain), spread(ratio)};
    }
};

Problem as_one_chunk(Problem problem) {
    problem.chunk = {problem.shape.seq_k, 0};
    return problem;
}

Inputs inputs_of(const Problem& problem, bool gradient) {
    golden::CaseSpec spec;
    spec.id = "bench";
    spec.problem = problem;
    spec.recipe.gradient = gradient;
    return golden::make_inputs(spec);
}

constexpr int exp_arguments = 4096;  // stay in the first-level cache

/// Uniform in [lowest, 0].
std::vector<double> arguments(std::mt19937_64& engine, double lowest) {
    std::vector<double> all(exp_arguments);
    for (double& x : all) x = lowest * static_cast<double>(engine() >> 11) * 0x1p-53;
    return all;
}

Figure exp_time(int repeats) {
    constexpr int sweeps = 500;
    std::mt19937_64 engine(2718);
    const std::vector<double> from = arguments(engine, -40);
    std::vector<double> nanoseconds, work;
    for (int repeat = 0; repeat < repeats; ++repeat) {
        double seconds = 0;
        for (int sweep = 0; sweep < sweeps; ++sweep) {
            work = from;
            seconds += seconds_of([&] { (void)tiles::best().exp_minus(work.data(), exp_arguments, 0.0); });
        }
        nanoseconds.push_back(seconds / (sweeps * exp_arguments) * 1e9);
    }
    return {"exp", "ns per element", spread(nanoseconds), "one thread, arguments in [-40, 0]"};
}

Figure exp_error() {
    std::mt19937_64 engine(3141);
    double worst = 0;
    int count = 0;
    for (const double lowest : {-1.0, -40.0, -700.0}) {  // normal results only
        for (int block = 0; block < 8; ++block, count += exp_arguments) {
            const std::vector<double> from = arguments(engine, lowest);
            std::vector<double> got = from;
            (void)tiles::best().exp_minus(got.data(), exp_arguments, 0.0);
            for (std::size_t n = 0; n < got.size(); ++n) {
                const __float128 exact = expq(from[n]);
                const __float128 error = fabsq(got[n] - exact) / scalbnq(1, ilogbq(exact) - 52);
                worst = std::max(worst, static_cast<double>(error));
            }
        }
    }
    return {"exp error", "ulp, worst", {worst, worst, worst}, std::to_string(count) + " arguments against binary128"};
}

/// Ratios of the double-doubles of the certified mode to double, in alternation; with gradients, of both passes
/// together. Without the elements that are then redone in MPFR, if any.
Figure certified_cost(const char* name, bool gradients, int repeats) {
    constexpr std::int64_t seq_len = 2048, head_dim = 128;
    const Problem problem = bench_problem(seq_len, head_dim);
    const Inputs inputs = inputs_of(problem, gradients);
    std::vector<double> ratios;
    for (int repeat = 0; repeat < repeats; ++repeat) {
        const double plain = seconds_of([&] {
            const Outputs outputs = reference::forward(problem, inputs);
            if (gradients) (void)reference::backward(problem, inputs, outputs);
        });
        ratios.push_back(seconds_of([&] { (void)certified::compute(problem, inputs); }) / plain);
    }
    return {name, "times double", spread(ratios), "1 head, n = 2048, d = 128, before any MPFR"};
}

}  // namespace

Machine this_machine() {
    const std::string cpu = proc_value("/proc/cpuinfo", "model name");
    return {cpu.empty() ? "unknown processor" : cpu, reference::thread_count(), tiles::best().name};
}

Problem bench_problem(std::int64_t seq_len, std::int64_t head_dim) {
    Problem problem;
    problem.shape = {.seq_q = seq_len, .seq_k = seq_len, .head_dim = head_dim, .head_dim_v = head_dim};
    const std::int64_t chunk_size = std::max<std::int64_t>(8, seq_len / 4);
    problem.chunk = {chunk_size, chunk_size / 8};
    validate(problem);
    return problem;
}

BenchTimes bench_times(const Problem& problem, int repeats) {
    const Problem plain = as_one_chunk(problem);
    const Inputs inputs = inputs_of(problem, true);
    const Outputs dca_outputs = reference::forward(problem, inputs);
    const Outputs plain_outputs = reference::forward(plain, inputs);
    Series forward, backward;
    for (int repeat = 0; repeat < repeats; ++repeat) {
        forward.add(seconds_of([&] { (void)reference::forward(problem, inputs); }),
                    seconds_of([&] { (void)reference::forward(plain, inputs); }));
        backward.add(seconds_of([&] { (void)reference::backward(problem, inputs, dca_outputs); }),
                     seconds_of([&] { (void)reference::backward(plain, inputs, plain_outputs); }));
    }
    const auto n = static_cast<double>(problem.shape.seq_q), d = static_cast<double>(problem.shape.head_dim);
    const double operations = 4 * n * n * d / 2;
    return {forward.times(operations), backward.times(2.5 * operations)};
}

std::vector<Figure> bench_figures(int repeats) {
    return {exp_time(repeats), exp_error(), certified_cost("certified", false, repeats),
            certified_cost("with backward", true, repeats)};
}

std::vector<DialectTimes> bench_dialects(Problem problem, int repeats) {
    problem.dtype = Dtype::f32;
    // Lengths past these references, so that every length factor differs from 1.
    problem.facts.max_position_embeddings = problem.shape.seq_k;
    problem.facts.max_seen_length = 2 * problem.shape.seq_k;
    const Inputs inputs = inputs_of(problem, true);
    const auto timed = [&](const Problem& p, double& forward, double& backward) {
        const bool needs_parts = reference::backward_needs_parts(p);
        reference::Parts parts;
        Outputs outputs;
        forward = seconds_of(
            [&] { outputs = needs_parts ? reference::forward(p, inputs, parts) : reference::forward(p, inputs); });
        backward = seconds_of(
            [&] { (void)reference::backward(p, inputs, outputs, std::nullopt, needs_parts ? &parts : nullptr); });
    };
    std::vector<DialectTimes> all;
    for (const Dialect& dialect : dialects()) {
        Problem other = problem;
        other.dialect = dialect.name;
        const bool vllm_like = dialect.temperature.length != TemperatureLength::longest_seen;
        const bool known_place = dialect.temperature.place != TemperaturePlace::undocumented;
        if (vllm_like && known_place) other.facts.original_max_position_embeddings = problem.shape.seq_k / 4;
        std::vector<double> forward, backward;
        for (int repeat = 0; repeat < repeats + 1; ++repeat) {
            double exact_forward = 0, exact_backward = 0, its_forward = 0, its_backward = 0;
            timed(problem, exact_forward, exact_backward);
            timed(other, its_forward, its_backward);
            if (repeat == 0) continue;  // warm-up
            forward.push_back(its_forward / exact_forward);
            backward.push_back(its_backward / exact_backward);
        }
        all.push_back({std::string(dialect.name), spread(forward), spread(backward)});
    }
    return all;
}

BenchMemory bench_memory(const Problem& problem) {
    const auto bytes = [](const auto& tensor) { return tensor.size() * static_cast<std::int64_t>(sizeof(double)); };
    const Inputs inputs = inputs_of(problem, false);
    BenchMemory memory;
    memory.input_bytes = bytes(inputs.q) + bytes(inputs.k) + bytes(inputs.v);
    memory.seconds = seconds_of([&] {
        const Outputs outputs = reference::forward(problem, inputs);
        memory.output_bytes = bytes(outputs.out) + bytes(outputs.lse);
    });
    const std::string peak = proc_value("/proc/self/status", "VmHWM");  // "123456 kB"
    if (peak.empty()) throw Unsupported("--memory: this system does not report resident memory in /proc/self/status");
    memory.peak_bytes = std::stoll(peak) * 1024;
    return memory;
}

}  // namespace dca::verify
