// dca run: a file of inputs somebody else made -> a complete golden file.
#include <memory>

#include "verify/cli/commands.hpp"
#include "verify/cli/interrupt.hpp"
#include "verify/cli/made.hpp"
#include "verify/cli/output_file.hpp"
#include "verify/run/certified_golden.hpp"

namespace dca::cli {
namespace {

struct Options {
    std::string input, output, dialect, case_glob = "*";
    bool certified = false;
};

int run(const Options& options) {
    require_writable_target(options.output, {options.input});
    verify::RunOptions run_options;
    run_options.case_glob = options.case_glob;
    if (!options.dialect.empty()) run_options.dialect = options.dialect;
    verify::CertifiedCounts certified;
    if (options.certified) run_options.certified = &certified;
    remember_interrupts();
    std::size_t cases = 0;
    {
        ProgressLine line;
        cases = verify::run_file(options.input, options.output, run_options, case_progress(line));
    }
    print_made(options.output, cases, options.certified ? certified.text() : "");
    return 0;
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("run", "Compute golden outputs for the inputs of a file");
    command->add_option("INPUT", options->input, "Tensor file with the inputs (.h5)")->required();
    command->add_option("-o,--output", options->output, "Golden file to write (.h5)")->required();
    command->add_option("--dialect", options->dialect, "Compute this dialect instead of the one each case names");
    command->add_option("--case", options->case_glob, "Only cases whose id matches this pattern (* and ?)");
    command->add_flag("--certified", options->certified,
                      "Round the exact values once, with proof, instead of computing in double (docs/certified.md)");
    command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace dca::cli
