// dca lint: every finding of the schema check, one per line.
#include <algorithm>
#include <iostream>
#include <memory>

#include "golden/lint.hpp"
#include "verify/cli/commands.hpp"
#include "verify/cli/terminal.hpp"

namespace dca::cli {
namespace {

int run(const std::string& file) {
    const golden::LintReport report = golden::lint(file);
    std::size_t errors = 0;
    for (const golden::Finding& finding : report.findings) {
        const bool error = finding.level == golden::Finding::Level::error;
        if (error) ++errors;
        std::cout << (error ? "error: " : "note: ") << one_line(finding.where) << (finding.where.empty() ? "" : ": ")
                  << one_line(finding.message) << '\n';
    }
    std::cout << one_line(file) << ": " << report.cases << (report.cases == 1 ? " case, " : " cases, ") << errors
              << (errors == 1 ? " error, " : " errors, ") << report.findings.size() - errors
              << " notes: " << (report.ok() ? "follows the schema" : "does not follow the schema") << '\n';
    return report.ok() ? 0 : 2;
}

}  // namespace

void add_lint(CLI::App& app, Action& action) {
    auto file = std::make_shared<std::string>();
    CLI::App* command = app.add_subcommand("lint", "Check a tensor file against the schema");
    command->add_option("FILE", *file, "Tensor file (.h5)")->required();
    command->callback([&action, file] { action = [file] { return run(*file); }; });
}

}  // namespace dca::cli
