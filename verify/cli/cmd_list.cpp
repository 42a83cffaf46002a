// dca list: what this version knows.
#include <algorithm>
#include <iostream>
#include <memory>

#include "golden/case_text.hpp"
#include "golden/catalogue.hpp"
#include "golden/kills.hpp"
#include "verify/cli/commands.hpp"
#include "verify/diagnose/diagnose.hpp"
#include "verify/gate/builtin.hpp"
#include "verify/gate/tags.hpp"
#include "verify/hazards/hazard.hpp"
#include "verify/mutants/mutant.hpp"

namespace dca::cli {
namespace {

int list_suites() {
    for (const golden::SuiteInfo& info : golden::suites()) {
        const std::vector<golden::CaseSpec> cases = golden::suite(info.name);
        const auto refused = std::count_if(cases.begin(), cases.end(), [](const golden::CaseSpec& spec) {
            return spec.expectation == golden::Expectation::must_reject;
        });
        std::cout << info.name << ": " << info.description << " (" << cases.size() << " cases, " << refused
                  << " of them must be rejected)\n";
    }
    return 0;
}

int list_cases(const std::string& suite, bool verbose) {
    for (const golden::SuiteInfo& info : golden::suites()) {
        if (!suite.empty() && suite != info.name) continue;
        for (const golden::CaseSpec& spec : golden::suite(info.name)) {
            std::cout << info.name << '\t' << spec.id << '\t' << golden::to_text(spec);
            if (verbose) std::cout << '\t' << golden::known_kills(spec).value_or("");
            std::cout << '\n';
        }
    }
    if (!suite.empty())
        (void)golden::suite(suite);  // throws, naming the suites there are, if there is none of that name
    return 0;
}

int list_dialects() {
    for (const Dialect& dialect : dialects()) {
        std::cout << dialect.name << ": " << dialect.title << " (" << dialect.source << ")\n";
    }
    return 0;
}

int list_hazards() {
    for (const hazards::Hazard& hazard : hazards::hazards()) {
        std::cout << hazard.id << ": " << hazard.title << " [" << hazards::affected(hazard) << "]\n";
    }
    return 0;
}

int list_candidates() {
    for (const verify::BuiltinInfo& info : verify::builtin_candidates()) {
        std::cout << info.name << ": " << info.description;
        if (!info.absent.empty()) std::cout << " (not here: " << info.absent << ')';
        std::cout << '\n';
    }
    std::cout
        << "Any other program: dca gate --command 'PROG {input} {output}', or write its outputs to a file and use "
           "dca compare.\n";
    return 0;
}

int list_tags() {
    for (const verify::Tag& tag : verify::known_tags()) std::cout << tag.name << ": " << tag.meaning << '\n';
    std::cout << "chunk-summary: another algorithm (docs/chunk_summary.md)\nreject: the case must be refused\n"
                 "\nTraps that a case can show (--hazard), and what it must have for that:\n";
    for (const verify::HazardNeed& need : verify::hazard_needs()) std::cout << need.id << ": " << need.meaning << '\n';
    return 0;
}

void list_mistake(std::string_view id, std::string_view title, std::string_view hazard, std::string_view example) {
    std::cout << id << ": " << title;
    if (!hazard.empty()) std::cout << " (" << hazard << ')';
    if (!example.empty()) std::cout << "; seen in " << example;
    std::cout << '\n';
}

int list_mutants() {
    std::cout << "Wrong kernels that the judge is tested with, and that dca compare looks for:\n";
    for (const mutants::Mutant& mutant : mutants::catalogue()) {
        list_mistake(mutant.id, mutant.title, mutant.hazard, mutant.public_example);
    }
    for (const verify::KnownMistake& mistake : verify::known_mistakes()) {
        if (mutants::find(mistake.id) == nullptr)
            list_mistake(mistake.id, mistake.title, mistake.hazard, mistake.public_example);
    }
    return 0;
}

void add_topic(CLI::App* list, Action& action, const char* name, const char* description, int (*show)()) {
    list->add_subcommand(name, description)->callback([&action, show] { action = show; });
}

}  // namespace

void add_list(CLI::App& app, Action& action) {
    CLI::App* list =
        app.add_subcommand("list", "What there is: suites, cases, dialects, hazards, candidates, mutants, tags");
    list->callback([&action] {
        if (!action) throw UsageError("list needs one of suites, cases, dialects, hazards, candidates, mutants, tags");
    });
    add_topic(list, action, "suites", "Named sets of cases", list_suites);
    add_topic(list, action, "dialects", "The published behaviours that can be computed", list_dialects);
    add_topic(list, action, "hazards", "Known traps, and whom they affect (see dca explain)", list_hazards);
    add_topic(list, action, "candidates", "What can be judged without a file", list_candidates);
    add_topic(list, action, "tags", "What cases can be chosen by", list_tags);
    add_topic(list, action, "mutants", "Wrong kernels kept to test the judge, and to name mistakes", list_mutants);
    auto suite = std::make_shared<std::string>();
    CLI::App* cases = list->add_subcommand("cases", "Suite, id and text of every case, separated by tabs");
    cases->add_option("--suite", *suite, "Only the cases of this suite");
    auto verbose = std::make_shared<bool>(false);
    cases->add_flag("-v,--verbose", *verbose, "Also the mutants that each case kills, with their margins");
    cases->callback([&action, suite, verbose] { action = [suite, verbose] { return list_cases(*suite, *verbose); }; });
}

}  // namespace dca::cli
