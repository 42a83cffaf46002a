// dca mutants: the judge judged.
#include <iostream>
#include <memory>

#include "golden/case_text.hpp"
#include "golden/catalogue.hpp"
#include "verify/cli/commands.hpp"
#include "verify/cli/kill_page.hpp"
#include "verify/cli/output_file.hpp"
#include "verify/cli/terminal.hpp"
#include "verify/matrix/matrix.hpp"
#include "verify/matrix/text.hpp"

namespace dca::cli {
namespace {

struct Options {
    std::string suite = "ci", mutant_glob = "*", case_glob = "*", json, html;
    std::vector<std::string> dtypes, texts;
    bool verbose = false, named = false;
};

std::vector<Dtype> dtypes_of(const Options& options) {
    if (options.dtypes.empty()) return {Dtype::f32, Dtype::f16, Dtype::bf16};
    std::vector<Dtype> dtypes;
    for (const std::string& text : options.dtypes) {
        if (text == "own") continue;
        const auto dtype = parse_dtype(text);
        if (!dtype)
            throw UsageError("--dtype: '" + text + "' is not a dtype (f64 f32 tf32 f16 bf16 e4m3 e5m2, or own)");
        dtypes.push_back(*dtype);
    }
    return dtypes;
}

int run(const Options& options) {
    matrix::Options wanted;
    wanted.dtypes = dtypes_of(options);
    wanted.mutant_glob = options.mutant_glob;
    wanted.case_glob = options.case_glob;
    if (!options.json.empty()) require_writable_target(options.json, {});
    if (!options.html.empty()) require_writable_target(options.html, {options.json});
    std::vector<golden::CaseSpec> cases;
    for (const std::string& text : options.texts) cases.push_back(golden::parse_case(text));
    if (cases.empty()) cases = golden::suite(options.suite);
    matrix::Matrix computed;
    std::vector<matrix::Naming> namings;
    {
        ProgressLine line;
        wanted.progress = [&](std::size_t done, std::size_t total) { line.show(done, total, "cases"); };
        computed = matrix::compute(cases, wanted);
        if (options.named) {
            namings = matrix::name_kills(computed, cases, [&](std::size_t done, std::size_t total) {
                line.show(done, total, "kills explained");
            });
        }
    }
    matrix::write_text(std::cout, computed, namings, options.verbose);
    if (!options.json.empty()) {
        write_text_file(options.json, [&](std::ostream& out) { matrix::write_json(out, computed, namings); });
    }
    if (!options.html.empty()) {
        const std::string title =
            options.texts.empty() ? "Kill matrix of suite " + options.suite : "Kill matrix of the cases given";
        write_text_file(options.html, [&](std::ostream& out) {
            verify::write_kill_matrix_html(out, kill_page(title, computed, namings));
        });
    }
    return matrix::exit_status(computed, namings);
}

}  // namespace

void add_mutants(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command =
        app.add_subcommand("mutants", "Run every wrong kernel of the catalogue against a suite: which are caught");
    command->add_option("--suite", options->suite, "Suite whose cases are run (ci)");
    command
        ->add_option("--dtype", options->dtypes, "Run the cases in this dtype; can be repeated. own: each in its own")
        ->allow_extra_args(false);
    command->add_option("--text", options->texts, "Run this case, given as text, instead of a suite; can be repeated")
        ->allow_extra_args(false);
    command->add_option("--mutant", options->mutant_glob, "Only mutants whose id matches (* and ?)");
    command->add_option("--case", options->case_glob, "Only cases whose id matches (* and ?)");
    command->add_flag("--named", options->named, "Also explain every kill on its best case: is the mutant named?");
    command->add_flag("-v,--verbose", options->verbose, "The margin of every mutant in every case");
    command->add_option("--json", options->json, "Write the whole matrix as JSON");
    command->add_option("--html", options->html, "Write the matrix as one self-contained page");
    command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace dca::cli
