// dca diff-dialects: what changes between two published behaviours on a case.
#include <fnmatch.h>

#include <iostream>
#include <memory>

#include "golden/case_text.hpp"
#include "golden/regenerate.hpp"
#include "golden/store.hpp"
#include "verify/cli/commands.hpp"
#include "verify/cli/output_file.hpp"
#include "verify/report/diff_dialects.hpp"
#include "verify/run/diff_dialects.hpp"

namespace dca::cli {
namespace {

struct Options {
    verify::Both<std::string> dialects;
    std::string file, json;
    std::vector<std::string> cases;
};

using Differences = std::vector<verify::DialectDifference>;

Differences of_texts(const Options& options) {
    if (options.cases.empty()) throw UsageError("diff-dialects needs --case TEXT or --file FILE.h5");
    Differences found;
    for (const std::string& text : options.cases) {
        found.push_back(verify::diff_dialects(golden::parse_case(text), options.dialects));
    }
    return found;
}

bool chosen(const Options& options, const std::string& id) {
    for (const std::string& glob : options.cases) {
        if (fnmatch(glob.c_str(), id.c_str(), 0) == 0) return true;
    }
    return options.cases.empty();
}

Differences of_file(const Options& options) {
    const golden::FileReader reader(options.file);
    Differences found;
    for (const std::string& id : reader.case_ids()) {
        if (!chosen(options, id)) continue;
        golden::CaseData data = reader.read(id);
        golden::load_inputs(data);
        try {
            found.push_back(verify::diff_dialects(id, data.problem, data.inputs, options.dialects));
        } catch (const InvalidProblem& error) {
            throw InvalidProblem(options.file + ": case " + id + ": " + error.what());
        }
    }
    if (found.empty()) {
        std::string wanted;
        for (const std::string& glob : options.cases) wanted += (wanted.empty() ? "'" : ", '") + glob + "'";
        throw InvalidProblem(options.file + ": no case matches " + wanted);
    }
    return found;
}

int run(const Options& options) {
    for (const std::string& dialect : options.dialects) {
        if (find_dialect(dialect) == nullptr) {
            throw UsageError("dialect '" + dialect + "' is not known; dca list dialects names those there are");
        }
    }
    if (!options.json.empty()) {
        require_writable_target(options.json, options.file.empty() ? std::vector<std::filesystem::path>{}
                                                                   : std::vector<std::filesystem::path>{options.file});
    }
    const Differences found = options.file.empty() ? of_texts(options) : of_file(options);
    for (std::size_t n = 0; n < found.size(); ++n) {
        if (n > 0) std::cout << '\n';
        verify::write_difference_text(std::cout, found[n]);
    }
    if (!options.json.empty()) {
        write_text_file(options.json, [&](std::ostream& out) { verify::write_difference_json(out, found); });
    }
    return 0;
}

}  // namespace

void add_diff_dialects(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command =
        app.add_subcommand("diff-dialects", "What changes between two dialects on a case (a question: status 0)");
    command->add_option("A", options->dialects[0], "A dialect (see dca list dialects)")->required();
    command->add_option("B", options->dialects[1], "The dialect to hold against it")->required();
    command
        ->add_option("--case", options->cases,
                     "A case as one line of text (see dca list cases), its dialect_* facts included; with --file: "
                     "only cases whose id matches (* and ?). Can be repeated")
        ->allow_extra_args(false);
    command->add_option("--file", options->file, "Take problem and inputs of the cases of this file (.h5)");
    command->add_option("--json", options->json, "Write the report as JSON");
    command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace dca::cli
