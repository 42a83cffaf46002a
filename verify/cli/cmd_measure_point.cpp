// dca measure-point: one candidate at one size in a process of its own, for dca measure. Not for people.
#include <iostream>
#include <memory>

#include "golden/case_text.hpp"
#include "reference/math/parallel.hpp"
#include "verify/cli/commands.hpp"
#include "verify/measure/serve.hpp"

namespace dca::cli {
namespace {

struct Options {
    std::string candidate, case_text;
    int threads = 1;
};

int run(const Options& options) {
    const golden::CaseSpec spec = golden::parse_case(options.case_text);
    const measure::Pass pass = spec.recipe.gradient ? measure::Pass::backward : measure::Pass::forward;
    reference::use_threads(options.threads);
    return measure::serve(measure::find_subject(options.candidate, pass).make, spec, std::cin, std::cout);
}

}  // namespace

void add_measure_point(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("measure-point", "The processes of dca measure")->group("");
    command->add_option("--candidate", options->candidate)->required();
    command->add_option("--case", options->case_text)->required();
    command->add_option("--threads", options->threads)->check(CLI::Range(1, 4096));
    command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace dca::cli
