// dca document: a page of the documentation, written from the data of the program.
#include <iostream>
#include <memory>

#include "golden/catalogue.hpp"
#include "verify/calibration/calibration.hpp"
#include "verify/cli/commands.hpp"
#include "verify/cli/terminal.hpp"
#include "verify/hazards/document.hpp"
#include "verify/matrix/document.hpp"

namespace dca::cli {
namespace {

void add_page(CLI::App* document, Action& action, const char* name, const char* description,
              void (*write)(std::ostream&)) {
    document->add_subcommand(name, description)->callback([&action, write] {
        action = [write] {
            write(std::cout);
            return 0;
        };
    });
}

int print_calibration() {
    std::vector<calibration::Cell> cells;
    {
        ProgressLine line;
        cells = calibration::measure_all(calibration::table_seeds, [&](std::size_t done, std::size_t total) {
            line.show(done, total, "runs of the calibration");
        });
    }
    calibration::write_table(std::cout, cells);
    return 0;
}

/// The kill matrix of a suite; no dtypes: each case in its own.
matrix::Matrix matrix_of(const std::string& suite, const std::vector<Dtype>& dtypes) {
    ProgressLine line;
    matrix::Options options;
    options.dtypes = dtypes;
    options.progress = [&](std::size_t done, std::size_t total) { line.show(done, total, "cases"); };
    return matrix::compute(golden::suite(suite), options);
}

void add_matrix_page(CLI::App* document, Action& action, const char* name, const char* description,
                     void (*write)(std::ostream&, const matrix::Matrix&)) {
    document->add_subcommand(name, description)->callback([&action, write] {
        action = [write] {
            write(std::cout, matrix_of("ci", matrix::document_dtypes()));
            return 0;
        };
    });
}

void add_kills(CLI::App* document, Action& action) {
    auto suite = std::make_shared<std::string>("ci");
    CLI::App* command = document->add_subcommand("kills", "golden/kills_SUITE.inc: which mutants each case kills");
    command->add_option("--suite", *suite, "The suite (ci)");
    command->callback([&action, suite] {
        action = [suite] {
            matrix::write_kills(std::cout, matrix_of(*suite, {}));
            return 0;
        };
    });
}

}  // namespace

void add_document(CLI::App& app, Action& action) {
    CLI::App* document = app.add_subcommand("document",
                                            "A page of the documentation as Markdown: dialects, hazards, calibration,"
                                            " bug-catalogue, limits or kills");
    document->callback([&action] {
        if (!action)
            throw UsageError("document needs one of dialects, hazards, calibration, bug-catalogue, limits, kills");
    });
    add_page(document, action, "dialects", "docs/dialects.md", hazards::write_dialects_document);
    document->add_subcommand("calibration", "The table of docs/error_model.md section 7")->callback([&action] {
        action = print_calibration;
    });
    add_page(document, action, "hazards", "docs/hazards.md", hazards::write_hazards_document);
    add_matrix_page(document, action, "bug-catalogue", "docs/bug_catalogue.md", matrix::write_bug_catalogue);
    add_matrix_page(document, action, "limits", "docs/limits.md", matrix::write_limits);
    add_kills(document, action);
}

}  // namespace dca::cli
