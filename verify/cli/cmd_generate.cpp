// dca generate: inputs and golden outputs of a suite or of cases given as text.
#include <memory>

#include "golden/case_text.hpp"
#include "golden/catalogue.hpp"
#include "verify/cli/commands.hpp"
#include "verify/cli/interrupt.hpp"
#include "verify/cli/made.hpp"
#include "verify/cli/output_file.hpp"
#include "verify/run/certified_golden.hpp"
#include "verify/run/write_inputs.hpp"

namespace dca::cli {
namespace {

struct Options {
    std::string suite, output;
    std::vector<std::string> cases, tensors;
    bool inputs_only = false, certified = false;
};

std::vector<golden::CaseSpec> chosen_cases(const Options& options) {
    if (!options.suite.empty()) return golden::suite(options.suite);
    std::vector<golden::CaseSpec> cases;
    for (const std::string& text : options.cases) cases.push_back(golden::parse_case(text));
    return cases;
}

int run(const Options& options) {
    require_writable_target(options.output, {});
    const std::vector<golden::CaseSpec> cases = chosen_cases(options);
    remember_interrupts();
    verify::GenerateCounts counts;
    verify::CertifiedCounts certified;
    {
        ProgressLine line;
        if (options.inputs_only) {
            counts = verify::write_inputs(cases, options.output, case_progress(line));
        } else if (options.certified) {
            counts = verify::generate_certified(cases, options.output, case_progress(line), certified);
        } else {
            counts = verify::generate(cases, options.output, case_progress(line), options.tensors);
        }
    }
    std::string extra = options.certified ? certified.text() : "";
    if (counts.refused > 0) {
        extra += (extra.empty() ? "" : "; ") + std::to_string(counts.refused) +
                 (counts.refused == 1 ? " case refused as it must be" : " cases refused as they must be");
    }
    print_made(options.output, counts.written, extra);
    return 0;
}

}  // namespace

void add_generate(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("generate", "Make inputs and golden outputs");
    auto* what = command->add_option_group("what");
    what->add_option("--suite", options->suite, "Every case of a suite (see dca list suites)");
    what->add_option("--case", options->cases, "A case as one line of text (see dca list cases); can be repeated")
        ->allow_extra_args(false);
    what->require_option(1);
    command->add_option("-o,--output", options->output, "Golden file to write (.h5)")->required();
    command->add_flag("--inputs-only", options->inputs_only,
                      "Write the inputs alone: what to run on where the golden does not store them");
    command
        ->add_flag("--certified", options->certified,
                   "Round the exact values once, with proof, instead of computing in double (docs/certified.md)")
        ->excludes("--inputs-only");
    command->add_option("--tensor", options->tensors, "Compute and store only this tensor of a probe; can be repeated")
        ->allow_extra_args(false)
        ->check(CLI::IsMember({"out", "lse", "dq", "dk", "dv"}))
        ->excludes("--certified");
    command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace dca::cli
