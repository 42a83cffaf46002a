// dca compare: a golden file and a candidate's file -> a verdict, as text and as reports.
#include <iostream>
#include <memory>

#include "reference/chunk_summary/spec/tensors.hpp"
#include "verify/cli/commands.hpp"
#include "verify/cli/report_options.hpp"
#include "verify/cli/terminal.hpp"
#include "verify/report/writers.hpp"
#include "verify/run/run_compare.hpp"

namespace dca::cli {
namespace {

struct Options {
    std::string golden, candidate;
    ReportOptions reports;
    std::vector<std::string> cases, tensors;
    bool verbose = false, no_explain = false;
};

/// The outputs of all algorithms.
std::vector<std::string> tensor_names() {
    std::vector<std::string> names{"out", "lse", "dq", "dk", "dv"};
    for (const chunk_summary::TensorId id : chunk_summary::all_tensors) names.push_back(gradient_name(id));
    return names;
}

int run(const Options& options) {
    require_writable_reports(options.reports, {options.golden, options.candidate});
    verify::RunReport report;
    {
        ProgressLine line;
        verify::CompareOptions compare;
        compare.cases = options.cases;
        compare.tensors = options.tensors;
        compare.explain = !options.no_explain;
        compare.progress = [&](std::size_t done, std::size_t total) { line.show(done, total, "cases compared"); };
        report = verify::run_compare(options.golden, options.candidate, compare);
    }
    verify::write_text(std::cout, report, {.verbose = options.verbose, .color = stdout_has_color()});
    write_reports(options.reports, report);
    say_what_broke(report);
    return verify::exit_status(report.verdict);
}

}  // namespace

void add_compare(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("compare", "Judge a candidate's outputs against a golden file");
    command->add_option("GOLDEN", options->golden, "Golden file (.h5), made by run or generate")->required();
    command->add_option("CANDIDATE", options->candidate, "The candidate's outputs (.h5, .npz, .safetensors)")
        ->required();
    command->add_option("--case", options->cases, "Only cases whose id matches (* and ?); can be repeated")
        ->allow_extra_args(false);
    command->add_option("--tensor", options->tensors, "Only this tensor; can be repeated")
        ->allow_extra_args(false)
        ->check(CLI::IsMember(tensor_names()));
    command->add_flag("--no-explain", options->no_explain,
                      "Do not look for the mistake: memory stays small for failing cases of any size too");
    command->add_flag("-v,--verbose", options->verbose, "Region tables for passing cases too");
    add_report_options(*command, options->reports);
    command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace dca::cli
