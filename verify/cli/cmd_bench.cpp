// dca bench: how fast the reference is here. A benchmark, never a test.
#include <array>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "reference/math/parallel.hpp"
#include "verify/cli/commands.hpp"
#include "verify/run/bench.hpp"
#include "verify/run/bench_compare.hpp"
#include "verify/run/fma_peak.hpp"

namespace dca::cli {
namespace {

struct Options {
    std::int64_t seq_len = 8192, head_dim = 128, memory_seq_len = 0;
    int repeats = 5, threads = 0;
    bool dialects = false, json = false, compare = false;
    std::int64_t mebibytes = 1024;
    std::string folder;
};

template <class... Values>
void print(const char* format, Values... values) {
    std::array<char, 256> line{};
    std::snprintf(line.data(), line.size(), format, values...);
    std::cout << line.data();
}

void print_problem(const verify::Machine& machine, const Problem& problem, double peak) {
    print("machine   %s, %d %s, %s kernels\n", machine.cpu.c_str(), machine.threads,
          machine.threads == 1 ? "thread" : "threads", machine.instructions.c_str());
    print("FMA peak  %.1f GFLOP/s, measured\n", peak);
    print("problem   1 head, n = %lld, d = %lld, chunk_size %lld, local_size %lld\n",
          static_cast<long long>(problem.shape.seq_k), static_cast<long long>(problem.shape.head_dim),
          static_cast<long long>(problem.chunk.chunk_size), static_cast<long long>(problem.chunk.local_size));
}

void print_row(const char* pass, const char* attention, const verify::Spread& seconds, double operations, double peak) {
    const double rate = operations / seconds.median * 1e-9;
    print("%-9s %-13s %10.4f   %.4f .. %.4f   %8.1f   %8.2f\n", pass, attention, seconds.median, seconds.low,
          seconds.high, rate, rate / peak);
}

void print_times(const verify::BenchTimes& times, const std::vector<verify::Figure>& figures, int repeats,
                 double peak) {
    print("\n%-9s %-13s %10s   %-16s   %8s   %8s\n", "pass", "attention", "median s", "min .. max", "GFLOP/s",
          "of peak");
    for (const auto& [name, pass] : {std::pair{"forward", times.forward}, std::pair{"backward", times.backward}}) {
        print_row(name, "dual chunk", pass.dca, pass.operations, peak);
        print_row(name, "plain causal", pass.plain, pass.operations, peak);
    }
    std::cout << "\ndual chunk / plain causal, the same code with one chunk, in alternation, median (min .. max):\n";
    for (const auto& [name, pass] : {std::pair{"forward", times.forward}, std::pair{"backward", times.backward}}) {
        print("%-9s %.3f (%.3f .. %.3f)\n", name, pass.ratio.median, pass.ratio.low, pass.ratio.high);
    }
    std::cout << "\nother figures, median (min .. max):\n";
    for (const verify::Figure& figure : figures) {
        print("%-13s %.3f (%.3f .. %.3f) %s: %s\n", figure.name.c_str(), figure.value.median, figure.value.low,
              figure.value.high, figure.unit.c_str(), figure.how.c_str());
    }
    std::cout << "\nOperations counted: forward 4 n^2 d / 2, backward 2.5 times that. Repeats: " << repeats << ".\n";
}

/// A string of the machine's without what JSON would need escaped.
std::string plain_text(std::string text) {
    std::erase_if(text, [](unsigned char c) { return c < ' ' || c == '"' || c == '\\'; });
    return text;
}

void print_json_spread(const char* key, const verify::Spread& spread, const char* end) {
    print("\"%s\": {\"median\": %.9g, \"min\": %.9g, \"max\": %.9g}%s", key, spread.median, spread.low, spread.high,
          end);
}

/// One object: seconds of each pass, the peak and the other figures.
void print_json(const verify::Machine& machine, const Problem& problem, const verify::BenchTimes& times,
                const std::vector<verify::Figure>& figures, int repeats, double peak) {
    print("{\"machine\": \"%s\", \"threads\": %d, \"kernels\": \"%s\", \"fma_peak_gflops\": %.6g,\n",
          plain_text(machine.cpu).c_str(), machine.threads, machine.instructions.c_str(), peak);
    print(" \"seq_len\": %lld, \"head_dim\": %lld, \"chunk_size\": %lld, \"local_size\": %lld, \"repeats\": %d,\n",
          static_cast<long long>(problem.shape.seq_k), static_cast<long long>(problem.shape.head_dim),
          static_cast<long long>(problem.chunk.chunk_size), static_cast<long long>(problem.chunk.local_size), repeats);
    for (const auto& [name, pass] : {std::pair{"forward", times.forward}, std::pair{"backward", times.backward}}) {
        print(" \"%s\": {\"operations\": %.9g, ", name, pass.operations);
        print_json_spread("dual_chunk_seconds", pass.dca, ", ");
        print_json_spread("plain_causal_seconds", pass.plain, ", ");
        print_json_spread("dual_chunk_over_plain", pass.ratio, "},\n");
    }
    std::cout << " \"figures\": [";
    for (std::size_t n = 0; n < figures.size(); ++n) {
        print("%s{\"name\": \"%s\", \"unit\": \"%s\", ", n == 0 ? "" : ", ", figures[n].name.c_str(),
              figures[n].unit.c_str());
        print_json_spread("value", figures[n].value, "}");
    }
    std::cout << "]}\n";
}

void run_dialects(const Problem& problem, int repeats) {
    print("\nTime of each dialect / exact, f32, in alternation, median (min .. max) of %d repeats:\n", repeats);
    print("%-26s %-24s  %s\n", "dialect", "forward", "backward");
    for (const verify::DialectTimes& times : verify::bench_dialects(problem, repeats)) {
        print("%-26s %.3f (%.3f .. %.3f)   %.3f (%.3f .. %.3f)\n", times.dialect.c_str(), times.forward.median,
              times.forward.low, times.forward.high, times.backward.median, times.backward.low, times.backward.high);
    }
}

void run_memory(const Problem& problem, double peak) {
    const verify::BenchMemory memory = verify::bench_memory(problem);
    const auto n = static_cast<double>(problem.shape.seq_k), d = static_cast<double>(problem.shape.head_dim);
    const double rate = 2 * n * n * d / memory.seconds * 1e-9;
    const double mebibyte = 1024.0 * 1024.0;
    print("\nforward, once: %.2f s, %.1f GFLOP/s, %.2f of peak\n", memory.seconds, rate, rate / peak);
    print("peak resident memory %.1f MiB; of these inputs %.1f MiB, outputs %.1f MiB\n",
          static_cast<double>(memory.peak_bytes) / mebibyte, static_cast<double>(memory.input_bytes) / mebibyte,
          static_cast<double>(memory.output_bytes) / mebibyte);
}

int run_compare(const Options& options) {
    verify::CompareBench settings{options.folder, options.mebibytes, options.repeats, "/proc/self/exe"};
    if (options.folder.empty()) settings.folder = verify::bench_folder(options.mebibytes);
    settings.program = std::filesystem::read_symlink(settings.program).string();
    const verify::CompareTimes times = verify::bench_compare(settings);
    const verify::Machine machine = verify::this_machine();
    print("machine   %s, %d %s\n", machine.cpu.c_str(), machine.threads, machine.threads == 1 ? "thread" : "threads");
    print("files     two float64 tensors of %lld MiB and float32 error scales in %s\n\n",
          static_cast<long long>(options.mebibytes), settings.folder.c_str());
    const auto row = [](const char* name, const verify::Spread& seconds, double gigabytes) {
        print("%-18s %.3f s (%.3f .. %.3f)   %.2f GB/s\n", name, seconds.median, seconds.low, seconds.high,
              gigabytes / seconds.median);
    };
    row("dca compare", times.dca, static_cast<double>(times.bytes_read) * 1e-9);
    if (times.h5diff) {
        row("h5diff -p 1e-3", *times.h5diff, static_cast<double>(times.elements) * 16e-9);
        print("h5diff / dca       %.2f (%.2f .. %.2f)\n", times.ratio->median, times.ratio->low, times.ratio->high);
    } else {
        std::cout << "h5diff is not installed (Debian: hdf5-tools), so there is nothing to hold this against\n";
    }
    print("\nMedian (min .. max) of %d repeats in alternation, whole processes.\n", options.repeats);
    return 0;
}

int run(const Options& options) {
    if (options.compare) return run_compare(options);
    if (options.threads > 0) reference::use_threads(options.threads);
    const bool memory_only = options.memory_seq_len > 0;
    const Problem problem =
        verify::bench_problem(memory_only ? options.memory_seq_len : options.seq_len, options.head_dim);
    const verify::Machine machine = verify::this_machine();
    const double peak = verify::fma_peak_gflops(machine.threads);
    if (!options.json) {
        print_problem(machine, problem, peak);
        std::cout << std::flush;
    }
    if (memory_only) {
        run_memory(problem, peak);
    } else if (options.dialects) {
        run_dialects(problem, options.repeats);
    } else {
        const verify::BenchTimes times = verify::bench_times(problem, options.repeats);
        const std::vector<verify::Figure> figures = verify::bench_figures(options.repeats);
        if (options.json) {
            print_json(machine, problem, times, figures, options.repeats, peak);
        } else {
            print_times(times, figures, options.repeats, peak);
        }
    }
    return 0;
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("bench", "Time the double-precision reference on this machine");
    auto* seq_len = command->add_option("--seq-len", options->seq_len, "Rows of the one head (default 8192)");
    command->add_option("--head-dim", options->head_dim, "Channels (default 128)");
    auto* repeats = command->add_option("--repeats", options->repeats, "Measurements of each pass (default 5)")
                        ->check(CLI::Range(1, 10000));
    auto* dialects =
        command->add_flag("--dialects", options->dialects, "Instead: the time of every dialect against exact");
    auto* json = command->add_flag("--json", options->json, "Print one JSON object")->excludes(dialects);
    command->add_option("--threads", options->threads, "Threads (default: all)")->check(CLI::Range(1, 4096));
    command->add_option("--memory", options->memory_seq_len, "Instead: peak memory of one forward pass at this length")
        ->check(CLI::Range(std::int64_t{1}, max_position))
        ->excludes(seq_len)
        ->excludes(repeats)
        ->excludes(json);
    auto* compare = command->add_flag("--compare", options->compare, "Instead: dca compare beside h5diff -p")
                        ->excludes(seq_len)
                        ->excludes(dialects)
                        ->excludes(json);
    command->add_option("--size", options->mebibytes, "MiB of each tensor (default 1024)")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 13))
        ->needs(compare);
    command->add_option("--folder", options->folder, "Where its files are made (default: /dev/shm if it has room)")
        ->check(CLI::ExistingDirectory)
        ->needs(compare);
    command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace dca::cli
