// dca document: a page of the documentation, written from the data of the program.
#include <iostream>

#include "verify/cli/commands.hpp"
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

}  // namespace

void add_document(CLI::App& app, Action& action) {
    CLI::App* document = app.add_subcommand("document", "A page of the documentation as Markdown: dialects or hazards");
    document->callback([&action] {
        if (!action) throw UsageError("document needs one of dialects, hazards");
    });
    add_page(document, action, "dialects", "docs/dialects.md", hazards::write_dialects_document);
    add_page(document, action, "hazards", "docs/hazards.md", hazards::write_hazards_document);
}

}  // namespace dca::cli
