// dca check-laws: the conservation laws of a candidate's outputs, without expected values.
#include <iostream>
#include <memory>

#include "verify/cli/commands.hpp"
#include "verify/cli/output_file.hpp"
#include "verify/cli/terminal.hpp"
#include "verify/laws/run_laws.hpp"
#include "verify/report/laws.hpp"

namespace dca::cli {
namespace {

struct Options {
    std::string file, inputs, json;
    std::vector<std::string> cases;
};

int run(const Options& options) {
    if (!options.json.empty()) require_writable_target(options.json, {options.file, options.inputs});
    verify::LawsReport report;
    {
        ProgressLine line;
        verify::LawsOptions laws;
        if (!options.inputs.empty()) laws.inputs = options.inputs;
        laws.cases = options.cases;
        laws.progress = [&](std::size_t done, std::size_t total) { line.show(done, total, "cases checked"); };
        report = verify::run_laws(options.file, laws);
    }
    verify::write_text(std::cout, report);
    if (!options.json.empty()) {
        write_text_file(options.json, [&](std::ostream& out) { verify::write_json(out, report); });
    }
    return verify::exit_status(report.verdict);
}

}  // namespace

void add_check_laws(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("check-laws", "Check laws that outputs must keep, without a golden");
    command->add_option("FILE", options->file, "Inputs and outputs (.h5); with --inputs outputs alone suffice")
        ->required();
    command->add_option("--inputs", options->inputs,
                        "Take the inputs of the same case ids from this file (.h5); FILE may then also be .npz or "
                        ".safetensors");
    command->add_option("--case", options->cases, "Only cases whose id matches (* and ?); can be repeated")
        ->allow_extra_args(false);
    command->add_option("--json", options->json, "Write the whole report as JSON");
    command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace dca::cli
