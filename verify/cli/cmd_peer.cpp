// dca peer: the candidate file of an honest flash-style kernel.
#include <iostream>
#include <memory>

#include "verify/cli/commands.hpp"
#include "verify/cli/interrupt.hpp"
#include "verify/cli/made.hpp"
#include "verify/cli/output_file.hpp"
#include "verify/run/peer_candidate.hpp"

namespace dca::cli {
namespace {

struct Options {
    std::string input, output, case_glob = "*";
};

int run(const Options& options) {
    require_writable_target(options.output, {options.input});
    remember_interrupts();
    verify::PeerCounts counts;
    {
        ProgressLine line;
        counts = verify::write_peer(options.input, options.output, options.case_glob, case_progress(line));
    }
    for (const std::string& reason : counts.left_out) std::cerr << "dca: left out, " << one_line(reason) << '\n';
    print_made(options.output, counts.written,
               counts.left_out.empty() ? "" : std::to_string(counts.left_out.size()) + " left out");
    return 0;
}

}  // namespace

void add_peer(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command =
        app.add_subcommand("peer", "Compute the cases of a file as an honest flash kernel of their dtype does");
    command->add_option("INPUT", options->input, "Golden or input file (.h5)")->required();
    command->add_option("-o,--output", options->output, "Candidate file to write (.h5)")->required();
    command->add_option("--case", options->case_glob, "Only cases whose id matches this pattern (* and ?)");
    command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace dca::cli
