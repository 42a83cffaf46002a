// The subcommands of `dca`, one cmd_*.cpp each. An add_ function declares the options; parsing the command line stores
// what is to be done in `action`, which returns the exit status (docs: README.md) and throws on every error.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace dca::cli {

using Action = std::function<int()>;

void add_run(CLI::App& app, Action& action);
void add_generate(CLI::App& app, Action& action);
void add_peer(CLI::App& app, Action& action);
void add_compare(CLI::App& app, Action& action);
void add_gate(CLI::App& app, Action& action);
void add_positions(CLI::App& app, Action& action);
void add_diff_dialects(CLI::App& app, Action& action);
void add_sparse(CLI::App& app, Action& action);
void add_list(CLI::App& app, Action& action);
void add_explain(CLI::App& app, Action& action);
void add_mutants(CLI::App& app, Action& action);
void add_document(CLI::App& app, Action& action);
void add_lint(CLI::App& app, Action& action);
void add_check_laws(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);
void add_measure(CLI::App& app, Action& action);
/// The processes of `measure`; hidden.
void add_measure_point(CLI::App& app, Action& action);

/// What the user asked for makes no sense: a bad option or combination of options.
struct UsageError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace dca::cli
