// dca document: a page of the documentation, written from the data of the program.
#include <iostream>

#include "verify/calibration/calibration.hpp"
#include "verify/cli/commands.hpp"
#include "verify/cli/terminal.hpp"
#include "verify/hazards/document.hpp"

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

}  // namespace

void add_document(CLI::App& app, Action& action) {
    CLI::App* document =
        app.add_subcommand("document", "A page of the documentation as Markdown: dialects, hazards or calibration");
    document->callback([&action] {
        if (!action) throw UsageError("document needs one of dialects, hazards, calibration");
    });
    add_page(document, action, "dialects", "docs/dialects.md", hazards::write_dialects_document);
    document->add_subcommand("calibration", "The table of docs/error_model.md section 7")->callback([&action] {
        action = print_calibration;
    });
    add_page(document, action, "hazards", "docs/hazards.md", hazards::write_hazards_document);
}

}  // namespace dca::cli
