// The program `dca`. The only place that turns errors into one line on stderr and an exit status.
#include <exception>
#include <iostream>
#include <new>

#include "reference/spec/error.hpp"
#include "verify/cli/commands.hpp"
#include "verify/cli/interrupt.hpp"
#include "verify/cli/terminal.hpp"

namespace {

constexpr int exit_broken = 2;  // usage, files, schema, or a bug of this program

constexpr const char* footer =
    "Exit status: 0 everything asked for was verified; 1 at least one numeric failure; 2 usage, file or schema error;\n"
    "3 inconclusive (nothing to compare, or a comparison that could not have failed).";

/// Reads the command line. Returns the action to run, or nothing where help or the version was printed.
dca::cli::Action parse(CLI::App& app, int argc, char** argv) {
    dca::cli::Action action;
    dca::cli::add_run(app, action);
    dca::cli::add_generate(app, action);
    dca::cli::add_peer(app, action);
    dca::cli::add_compare(app, action);
    dca::cli::add_gate(app, action);
    dca::cli::add_positions(app, action);
    dca::cli::add_diff_dialects(app, action);
    dca::cli::add_sparse(app, action);
    dca::cli::add_list(app, action);
    dca::cli::add_explain(app, action);
    dca::cli::add_mutants(app, action);
    dca::cli::add_document(app, action);
    dca::cli::add_lint(app, action);
    dca::cli::add_check_laws(app, action);
    dca::cli::add_bench(app, action);
    dca::cli::add_measure(app, action);
    dca::cli::add_measure_point(app, action);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() != 0) throw dca::cli::UsageError(std::string(error.what()) + " (see dca --help)");
        app.exit(error, std::cout, std::cerr);  // prints help or version
        return nullptr;
    }
    if (!action) throw dca::cli::UsageError("no command given (see dca --help)");
    return action;
}

int run(int argc, char** argv) {
    CLI::App app("Reference numerics and verification for Dual Chunk Attention", "dca");
    app.set_version_flag("--version", "dca " DCA_VERSION);
    app.footer(footer);
    const dca::cli::Action action = parse(app, argc, argv);
    const int status = action ? action() : 0;
    dca::cli::flush_stdout();
    return status;
}

int broken(const std::string& message) {
    std::cerr << "dca: " << dca::cli::one_line(message) << '\n';
    return exit_broken;
}

}  // namespace

int main(int argc, char** argv) {
    std::ios::sync_with_stdio(false);
    try {
        return run(argc, argv);
    } catch (const dca::cli::Interrupted& interrupted) {
        dca::cli::end_by_signal(interrupted.signal);
        return exit_broken;
    } catch (const std::bad_alloc&) {
        return broken("out of memory");
    } catch (const dca::ContractError& error) {
        return broken(std::string("internal error, please report it: ") + error.what());
    } catch (const std::exception& error) {
        return broken(error.what());
    }
}
