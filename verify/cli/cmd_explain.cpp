// dca explain: one hazard, and its figures measured on the spot.
#include <iostream>
#include <memory>

#include "verify/cli/commands.hpp"
#include "verify/hazards/explain.hpp"

namespace dca::cli {
namespace {

int run(const std::string& id) {
    const hazards::Hazard* hazard = hazards::find_hazard(id);
    if (hazard == nullptr) {
        const auto all = hazards::hazards();
        throw UsageError("there is no hazard '" + id + "'; they go from " + std::string(all.front().id) + " to " +
                         std::string(all.back().id) + " (dca list hazards)");
    }
    return hazards::explain(std::cout, *hazard) ? 0 : 1;
}

}  // namespace

void add_explain(CLI::App& app, Action& action) {
    auto id = std::make_shared<std::string>();
    CLI::App* command =
        app.add_subcommand("explain", "A known trap: what happens, to whom, and the figures that show it");
    command->add_option("HAZARD", *id, "H1 to H63 (see dca list hazards)")->required();
    command->callback([&action, id] { action = [id] { return run(*id); }; });
}

}  // namespace dca::cli
