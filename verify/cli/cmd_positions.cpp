// dca positions: which rotary positions a query and a key get, and the relative position RoPE sees.
#include <iostream>
#include <memory>

#include "verify/cli/commands.hpp"
#include "verify/cli/positions.hpp"

namespace dca::cli {
namespace {

struct Options {
    std::int64_t chunk_size = 0, local_size = 0, seq_len = 0;
    std::string dialect = "exact", format = "text";
    std::optional<double> rope_factor;
    std::optional<std::int64_t> paper_window;
};

struct Format {
    const char* name;
    void (*write)(std::ostream&, const PositionTable&);
    std::int64_t max_length;
    const char* way_out;
};

constexpr Format formats[] = {
    {"text", write_positions_text, max_text_length, "use --format csv"},
    {"csv", write_positions_csv, max_csv_length, "choose a shorter sequence"},
    {"svg", write_positions_svg, max_svg_length, "use --format csv"},
};

Problem problem_of(const Options& options) {
    Problem problem;
    problem.shape = {.seq_q = options.seq_len, .seq_k = options.seq_len, .head_dim = 2, .head_dim_v = 2};
    problem.chunk = {options.chunk_size, options.local_size};
    problem.dialect = options.dialect;
    problem.facts.phase = Phase::prefill;  // also of a single token
    problem.facts.paper_window = options.paper_window;
    if (options.rope_factor) {
        problem.rope.scaling = RopeScaling::linear;
        problem.rope.factor = options.rope_factor;
    }
    if (options.paper_window && reference::dialect_of(problem).succ != SuccRule::windowed) {
        throw UsageError("--paper-window is of the dialect paper; in code the window is --local-size");
    }
    if (options.paper_window.value_or(0) < 0) throw UsageError("--paper-window must be at least 0");
    return problem;
}

int run(const Options& options) {
    if (options.seq_len < 1) throw UsageError("--seq-len must be at least 1");
    for (const Format& format : formats) {
        if (options.format != format.name) continue;
        if (options.seq_len > format.max_length) {
            throw UsageError("--seq-len " + std::to_string(options.seq_len) + " is too large for --format " +
                             format.name + " (at most " + std::to_string(format.max_length) + "); " + format.way_out);
        }
        format.write(std::cout, PositionTable(problem_of(options)));
    }
    return 0;
}

}  // namespace

void add_positions(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("positions", "Position maps and the relative-position matrix");
    command
        ->add_option("--chunk-size", options->chunk_size,
                     "C, the clamp of the query positions; for the dialect paper its c, one more than that")
        ->required();
    command->add_option("--local-size", options->local_size, "w; the stride of the chunks is C - w")->required();
    command->add_option("--seq-len", options->seq_len, "Number of queries and keys")->required();
    command->add_option("--dialect", options->dialect, "Whose positions (see dca list dialects; default exact)");
    command->add_option("--rope-factor", options->rope_factor,
                        "Factor of linear rope scaling, which some dialects divide positions by");
    command->add_option("--paper-window", options->paper_window, "w_p of the dialect paper (default --local-size)");
    command->add_option("--format", options->format, "text (default), csv or svg")
        ->check(CLI::IsMember({"text", "csv", "svg"}));
    command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace dca::cli
