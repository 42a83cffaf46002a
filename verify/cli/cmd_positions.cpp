// dca positions: which rotary positions a query and a key get, and the relative position RoPE sees.
#include <iostream>
#include <memory>

#include "verify/cli/commands.hpp"
#include "verify/cli/positions.hpp"
#include "verify/run/make_golden.hpp"

namespace dca::cli {
namespace {

struct Options {
    std::int64_t chunk_size = 0, local_size = 0, seq_len = 0;
    std::string dialect = "exact", format = "text";
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

/// Throws where the settings are not those of a possible problem.
PositionTable checked_table(const Options& options) {
    Problem problem;
    problem.shape = {.seq_q = options.seq_len, .seq_k = options.seq_len, .head_dim = 2, .head_dim_v = 2};
    problem.chunk = {options.chunk_size, options.local_size};
    validate(problem);
    return {problem.chunk, options.seq_len};
}

int run(const Options& options) {
    if (!verify::computes_dialect(options.dialect)) {
        throw Unsupported("--dialect: this version does not compute the dialect '" + options.dialect +
                          "'; see dca list dialects");
    }
    if (options.seq_len < 1) throw UsageError("--seq-len must be at least 1");
    for (const Format& format : formats) {
        if (options.format != format.name) continue;
        if (options.seq_len > format.max_length) {
            throw UsageError("--seq-len " + std::to_string(options.seq_len) + " is too large for --format " +
                             format.name + " (at most " + std::to_string(format.max_length) + "); " + format.way_out);
        }
        format.write(std::cout, checked_table(options));
    }
    return 0;
}

}  // namespace

void add_positions(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("positions", "Position maps and the relative-position matrix");
    command->add_option("--chunk-size", options->chunk_size, "C, the clamp of the query positions")->required();
    command->add_option("--local-size", options->local_size, "w; the stride of the chunks is C - w")->required();
    command->add_option("--seq-len", options->seq_len, "Number of queries and keys")->required();
    command->add_option("--dialect", options->dialect, "Dialect (default exact)");
    command->add_option("--format", options->format, "text (default), csv or svg")
        ->check(CLI::IsMember({"text", "csv", "svg"}));
    command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace dca::cli
