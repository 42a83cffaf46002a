// dca gate: every case of a suite through a candidate -> a verdict, as text and as reports.
#include <iostream>
#include <memory>
#include <random>

#include "golden/case_text.hpp"
#include "golden/catalogue.hpp"
#include "verify/cli/commands.hpp"
#include "verify/cli/gate_preview.hpp"
#include "verify/cli/interrupt.hpp"
#include "verify/cli/report_options.hpp"
#include "verify/cli/terminal.hpp"
#include "verify/gate/builtin.hpp"
#include "verify/gate/choose_cases.hpp"
#include "verify/gate/command_runner.hpp"
#include "verify/gate/command_words.hpp"
#include "verify/gate/in_process.hpp"
#include "verify/gate/run_gate.hpp"
#include "verify/report/writers.hpp"

namespace dca::cli {
namespace {

struct Options {
    std::string suite, candidate, seed, shard, waivers, day;
    std::vector<std::string> case_texts, tensors;
    verify::CaseFilter filter;
    verify::CommandOptions command;
    std::int64_t memory_mebibytes = 0;
    bool list = false, dry_run = false, fail_fast = false, supported_only = false, verbose = false;
    ReportOptions reports;
};

/// What runs, and the words of a command that runs it.
struct Subject {
    std::unique_ptr<verify::Candidate> candidate;
    std::unique_ptr<verify::CaseRunner> runner;
    std::vector<std::string> words;
};

std::vector<golden::CaseSpec> given_cases(const Options& options) {
    if (options.suite.empty() == options.case_texts.empty())
        throw UsageError("gate needs either --suite or --case-text (see dca gate --help)");
    if (!options.suite.empty()) return golden::suite(options.suite);
    std::vector<golden::CaseSpec> cases;
    for (const std::string& text : options.case_texts) cases.push_back(golden::parse_case(text));
    return cases;
}

/// The seed asked for, or one by chance.
std::uint64_t seed_of(const std::string& text) {
    if (text == "random") {
        std::random_device device;
        return static_cast<std::uint64_t>(device()) << 32 | device();
    }
    std::uint64_t seed = 0;
    std::size_t used = 0;
    try {
        seed = std::stoull(text, &used);
    } catch (const std::logic_error&) {
        used = 0;
    }
    if (used == 0 || used != text.size() || text.front() == '-')
        throw UsageError("--seed: '" + text + "' is neither a number from 0 to 2^64 - 1 nor random");
    return seed;
}

Subject subject_of(const Options& options) {
    if (options.candidate.empty() == options.command.command.empty())
        throw UsageError("gate needs either --candidate or --command (see dca gate --help)");
    Subject subject;
    if (!options.candidate.empty()) {
        subject.candidate = verify::make_builtin(options.candidate);
        subject.runner = std::make_unique<verify::InProcess>(*subject.candidate);
        subject.words = {"--candidate", options.candidate};
        return subject;
    }
    verify::CommandOptions command = options.command;
    command.memory_limit = options.memory_mebibytes * (std::int64_t{1} << 20);
    command.waiting = stop_if_interrupted;
    subject.runner = std::make_unique<verify::CommandRunner>(command);
    subject.words = {"--command", command.command};
    if (!command.name.empty()) subject.words.insert(subject.words.end(), {"--name", command.name});
    if (command.shell) subject.words.emplace_back("--shell");
    if (command.output_format != "h5")
        subject.words.insert(subject.words.end(), {"--output-format", command.output_format});
    if (options.memory_mebibytes > 0)
        subject.words.insert(subject.words.end(), {"--memory-limit", std::to_string(options.memory_mebibytes)});
    return subject;
}

verify::GateOptions gate_options(const Options& options, verify::Choice choice, const Subject& subject) {
    verify::GateOptions gate;
    gate.cases = std::move(choice.cases);
    gate.unmatched = std::move(choice.unmatched);
    gate.source = options.suite.empty() ? "of the case text given" : "suite " + options.suite;
    gate.fail_fast = options.fail_fast;
    gate.supported_only = options.supported_only;
    gate.tensors = options.tensors;
    gate.whole = !options.suite.empty() && !options.filter.narrows();
    if (!options.waivers.empty()) gate.waivers = verify::read_waivers(options.waivers);
    if (!options.day.empty()) {
        gate.day = verify::parse_date(options.day);
        if (!gate.day) throw UsageError("--today: '" + options.day + "' is not a day like 2027-01-31");
    }
    if (const std::string caution = verify::caution(options.candidate); !caution.empty()) gate.notes.push_back(caution);
    gate.repro = [words = subject.words, tensors = options.tensors](const golden::CaseSpec& spec) {
        std::vector<std::string> line{"dca", "gate"};
        line.insert(line.end(), words.begin(), words.end());
        for (const std::string& tensor : tensors) line.insert(line.end(), {"--tensor", tensor});
        line.insert(line.end(), {"--case-text", golden::to_text(spec)});
        return verify::shell_command(line);
    };
    return gate;
}

int run(Options options) {
    if (!options.shard.empty()) options.filter.shard = verify::parse_shard(options.shard);
    verify::Choice choice = verify::choose_cases(given_cases(options), options.filter);
    std::uint64_t seed = 0;
    if (!options.seed.empty()) verify::reseed(choice.cases, seed = seed_of(options.seed));
    if (options.list || options.dry_run) {
        for (const std::string& text : choice.unmatched) std::cerr << "dca: " << one_line(text) << '\n';
        options.list ? list_cases(std::cout, choice.cases) : predict_cases(std::cout, choice.cases);
        return choice.cases.empty() || !choice.unmatched.empty() ? 3 : 0;
    }
    require_writable_reports(options.reports, {options.waivers});
    const Subject subject = subject_of(options);
    verify::GateOptions gate = gate_options(options, std::move(choice), subject);
    if (!options.seed.empty())
        gate.notes.push_back("fresh inputs: repeat this run with --seed " + std::to_string(seed));
    remember_interrupts();
    verify::RunReport report;
    {
        ProgressLine line;
        gate.progress = [&](const std::string& id, std::size_t done, std::size_t total) {
            stop_if_interrupted();
            line.show(std::min(done + 1, total), total, id);
        };
        report = verify::run_gate(gate, *subject.runner);
    }
    verify::write_text(std::cout, report, {.verbose = options.verbose, .color = stdout_has_color()});
    write_reports(options.reports, report);
    say_what_broke(report);
    return verify::exit_status(report.verdict);
}

void add_filters(CLI::App* command, Options& options) {
    const auto repeatable = [&](const char* name, std::vector<std::string>& to, const char* help) {
        return command->add_option(name, to, help)->allow_extra_args(false)->group("Which cases");
    };
    command->add_option("--suite", options.suite, "Every case of a suite (see dca list suites)")->group("Which cases");
    repeatable("--case-text", options.case_texts, "A case as one line of text; can be repeated");
    repeatable("--case", options.filter.cases, "Only cases whose id matches (* and ?); can be repeated: any of them");
    repeatable("--tag", options.filter.tags,
               "Only cases with this tag (see dca list tags), '!TAG': without it; can be repeated: all of them");
    repeatable("--dtype", options.filter.dtypes, "Only cases of this dtype; can be repeated: any of them");
    repeatable("--hazard", options.filter.hazards,
               "Only cases that can show this trap, e.g. H34; can be repeated: any of them");
    command->add_option("--mutant", options.filter.mutant, "Only cases that are known to catch this mutant")
        ->group("Which cases");
    command->add_option("--start", options.filter.start, "Leave out the cases before this one")->group("Which cases");
    command->add_option("--shard", options.shard, "Part i of n of what is left, as i/n")->group("Which cases");
    command->add_option("--seed", options.seed, "Other inputs: a number, or random")->group("Which cases");
    command->add_flag("--list", options.list, "Print the cases that would run: id, tags, text")->group("Which cases");
    command->add_flag("--dry-run", options.dry_run, "Predict sizes, memory and time instead of running")
        ->group("Which cases");
}

void add_candidate(CLI::App* command, Options& options) {
    const char* group = "The candidate";
    verify::CommandOptions& of = options.command;
    auto* builtin = command->add_option("--candidate", options.candidate, "One that is built in (dca list candidates)");
    builtin->group(group);
    auto* program = command
                        ->add_option("--command", of.command,
                                     "A program, run for each case: 'PROG {input} {output}' (docs/gate.md)")
                        ->excludes(builtin)
                        ->group(group);
    const auto of_program = [&](CLI::Option* option) { return option->needs(program)->group(group); };
    of_program(command->add_option("--name", of.name, "What reports and waivers call the program"));
    of_program(command->add_flag("--shell", of.shell, "Give the command to /bin/sh"));
    of_program(command->add_flag("--batch", of.batch, "One process for all cases, with all of them in {input}"));
    of_program(command->add_option("--output-format", of.output_format, "How {output} ends: h5, npz, safetensors"))
        ->check(CLI::IsMember({"h5", "npz", "safetensors"}));
    of_program(command->add_option("--timeout", of.timeout, "Seconds that one case may take (default 600)"))
        ->check(CLI::Range(0.001, 1e9));
    of_program(command->add_option("--memory-limit", options.memory_mebibytes, "MiB of address space for the program"))
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40));
    of_program(command->add_option("--jobs", of.jobs, "Programs at a time (default 1)"))->check(CLI::Range(1, 1024));
    of_program(command->add_option("--keep", of.keep, "Folder in which the files of each case stay"));
}

}  // namespace

void add_gate(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("gate", "Run a candidate on every case of a suite and judge it");
    add_filters(command, *options);
    add_candidate(command, *options);
    command->add_option("--tensor", options->tensors, "Judge and require only this tensor; can be repeated")
        ->allow_extra_args(false)
        ->check(CLI::IsMember({"out", "lse", "dq", "dk", "dv"}));
    command->add_flag("--supported-only", options->supported_only,
                      "Do not ask for cases that the candidate does not support");
    command->add_flag("--fail-fast", options->fail_fast, "Stop after the first case that failed or broke");
    command->add_option("--waivers", options->waivers, "File of known failures (JSON, docs/gate.md)");
    command->add_option("--today", options->day, "The day on which waivers are held, e.g. 2027-01-31 (default: today)");
    command->add_flag("-v,--verbose", options->verbose, "Region tables for passing cases too");
    add_report_options(*command, options->reports);
    command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace dca::cli
