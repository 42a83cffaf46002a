// dca measure: time and memory of a candidate over a ladder of sizes, and claims held against them.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

#include "verify/cli/commands.hpp"
#include "verify/cli/interrupt.hpp"
#include "verify/cli/output_file.hpp"
#include "verify/cli/terminal.hpp"
#include "verify/gate/command_words.hpp"
#include "verify/measure/claim.hpp"
#include "verify/measure/ladder.hpp"
#include "verify/measure/plan_request.hpp"
#include "verify/measure/run_measure.hpp"
#include "verify/measure/subject.hpp"
#include "verify/measure_report/claims_page.hpp"
#include "verify/measure_report/writers.hpp"
#include "verify/run/bench.hpp"

namespace dca::cli {
namespace {

struct Options {
    std::vector<std::string> candidates, commands, claims;
    std::string n, chunk_size, claims_file, predict, pass = "forward", name;
    std::int64_t local_size = -1;
    measure::Setting setting;
    measure::LadderOptions ladder;
    std::string json, junit, markdown, html, page;
    bool memory_only = false;
};

struct Form {
    const char* option;
    const char* help;
    std::string Options::*path;
    void (*write)(std::ostream&, const measure::MeasureReport&);
};

const std::array<Form, 4> forms{{
    {"--json", "Write everything as JSON (docs/measure.schema.json)", &Options::json, measure::write_json},
    {"--junit", "Write a JUnit XML report, a testcase per claim", &Options::junit, measure::write_junit},
    {"--markdown", "Write Markdown tables", &Options::markdown, measure::write_markdown},
    {"--html", "Write one self-contained HTML page with plots", &Options::html,
     [](std::ostream& out, const measure::MeasureReport& report) { measure::write_html(out, report); }},
}};

std::vector<measure::Named> named(const Options& options) {
    std::vector<measure::Named> all;
    for (const std::string& candidate : options.candidates) all.push_back({candidate, ""});
    for (const std::string& command : options.commands) {
        for (const char* placeholder : {"{input}", "{output}"}) {
            if (command.find(placeholder) == std::string::npos) {
                throw UsageError(std::string("--command: has no ") + placeholder + " (see dca measure --help)");
            }
        }
        const bool only = options.commands.size() == 1 && !options.name.empty();
        all.push_back({only ? options.name : verify::split_command(command).front(), command});
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (all[i].candidate == all[j].candidate) {
                throw UsageError("two candidates are called '" + all[i].candidate + "' (--name names a command)");
            }
        }
    }
    return all;
}

measure::LadderPlan plan_of(const Options& options) {
    if (options.n.empty()) throw UsageError("measure needs --n or --claims (see dca measure --help)");
    measure::LadderPlan plan;
    plan.setting = options.setting;
    plan.setting.pass = options.pass == "backward" ? measure::Pass::backward : measure::Pass::forward;
    plan.repeats = options.ladder.least_repeats;
    for (const std::int64_t n : measure::parse_ladder(options.n, "--n")) {
        for (const std::int64_t c : measure::parse_ladder(options.chunk_size, "--chunk-size")) {
            plan.sizes.push_back({n, c, options.local_size < 0 ? c / 8 : options.local_size});
            (void)measure::case_of(plan.setting, plan.sizes.back());  // refused before anything is measured
        }
    }
    return plan;
}

void require_writable(const Options& options) {
    std::vector<std::filesystem::path> sources, taken;
    if (!options.claims_file.empty()) sources.emplace_back(options.claims_file);
    if (!options.page.empty()) require_writable_target(options.page, sources);
    for (const Form& form : forms) {
        const std::filesystem::path target = options.*form.path;
        if (target.empty()) continue;
        require_writable_target(target, sources);
        const std::filesystem::path whole = std::filesystem::absolute(target).lexically_normal();
        if (std::find(taken.begin(), taken.end(), whole) != taken.end()) {
            throw IoError(target.string() + ": two reports cannot go to one file");
        }
        taken.push_back(whole);
    }
}

/// The command line of this process, its first word aside, which says where the program lies.
std::string own_command() {
    std::ifstream file("/proc/self/cmdline", std::ios::binary);
    std::vector<std::string> words;
    for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
    if (words.empty()) return "";
    words.front() = "dca";
    return verify::shell_command(words);
}

/// One line on stderr where a candidate broke, as every exit status 2 has.
void say_what_broke(const measure::MeasureReport& report) {
    for (const measure::Ladder& ladder : report.ladders) {
        for (const measure::Point& point : ladder.points) {
            if (point.failure.empty() || point.failure.starts_with(measure::left_out)) continue;
            std::cerr << "dca: "
                      << one_line("candidate " + ladder.candidate + " at n = " + std::to_string(point.n) + ": " +
                                  point.failure)
                      << '\n';
            return;
        }
    }
    std::cerr << "dca: nothing could be measured: every size was left out\n";
}

int run(Options options) {
    if (!options.predict.empty()) {
        const measure::PlanRequest request = measure::parse_plan_request(options.predict);
        std::cout << measure::prediction_text(request, measure::predict(request));
        return 0;
    }
    const std::vector<measure::Named> candidates = named(options);
    if (!options.page.empty() && !candidates.empty()) {
        throw UsageError("--page is about the candidates of the claims file, so it does not go with others");
    }
    measure::ClaimsFile file;
    if (!options.claims_file.empty()) file = measure::read_claims(options.claims_file);
    std::vector<measure::Claim> claims;
    for (const std::string& text : options.claims) claims.push_back(measure::parse_claim(text));
    require_writable(options);
    options.ladder.timed = !options.memory_only;

    measure::MeasureReport report;
    report.command = own_command();
    options.ladder.least_repeats = std::min(options.ladder.least_repeats, options.ladder.most_repeats);
    const verify::Machine machine = verify::this_machine();
    report.machine = machine.cpu + ", " + std::to_string(machine.threads) +
                     (machine.threads == 1 ? " processor, " : " processors, ") + machine.instructions + " kernels";
    measure::Workshop workshop;
    workshop.program = std::filesystem::read_symlink("/proc/self/exe");
    workshop.timeout = 10 * options.ladder.longest_run;
    workshop.waiting = stop_if_interrupted;
    remember_interrupts();
    {
        ProgressLine line;
        options.ladder.progress = [&](std::size_t done, std::size_t total, const std::string& what) {
            stop_if_interrupted();
            line.show(std::min(done + 1, total), total, what);
        };
        if (!options.claims_file.empty()) {
            measure::run_claims(file, candidates, options.ladder, workshop, report);
        } else {
            if (candidates.empty()) throw UsageError("measure needs --candidate or --command (see dca measure --help)");
            measure::run_one(plan_of(options), candidates, claims, options.ladder, workshop, report);
        }
    }
    measure::write_text(std::cout, report, stdout_has_color());
    for (const Form& form : forms) {
        const std::string& path = options.*form.path;
        if (!path.empty()) write_text_file(path, [&](std::ostream& out) { form.write(out, report); });
    }
    if (!options.page.empty()) {
        write_text_file(options.page, [&](std::ostream& out) { measure::write_claims_page(out, file, report); });
    }
    const measure::RunOutcome outcome = measure::outcome(report);
    if (outcome == measure::RunOutcome::broken) say_what_broke(report);
    return measure::exit_status(outcome);
}

std::string candidates_help() {
    std::string text = "What is measured; can be repeated:";
    for (const measure::SubjectInfo& one : measure::subjects()) {
        text += "\n" + one.name + ": " + one.description + (one.absent.empty() ? "" : " (not available here)");
    }
    return text;
}

void add_sizes(CLI::App* command, Options& options) {
    const char* group = "Sizes";
    const auto size = [&](const char* name, std::int64_t& to, const char* help) {
        command->add_option(name, to, help)->check(CLI::Range(1, 4096))->group(group);
    };
    command->add_option("--n", options.n, "Lengths: 1K..16K (doubling), 1K..8K*1.5, 1024,1536,4096")
        ->type_name("LADDER")
        ->group(group);
    command->add_option("--chunk-size", options.chunk_size, "C, as a ladder too: every n with every C (default 512)")
        ->default_str("512")
        ->type_name("LADDER")
        ->group(group);
    command->add_option("--local-size", options.local_size, "w (default C / 8)")
        ->check(CLI::Range(std::int64_t{0}, max_position))
        ->group(group);
    size("--batch", options.setting.batch, "Batch entries (default 1)");
    size("--heads", options.setting.heads_q, "Query heads (default 1)");
    size("--kv-heads", options.setting.heads_kv, "Key heads (default as --heads)");
    size("--head-dim", options.setting.head_dim, "Channels (default 64)");
    command->add_option("--dtype", options.setting.dtype, "Of inputs and candidate (default f64)")->group(group);
    command->add_option("--pass", options.pass, "forward, or backward: both passes together")
        ->check(CLI::IsMember({"forward", "backward"}))
        ->group(group);
    command->add_option("--threads", options.setting.threads, "Of candidates built in (default 1)")
        ->check(CLI::Range(1, 4096))
        ->group(group);
}

void add_effort(CLI::App* command, Options& options) {
    const char* group = "Effort";
    measure::LadderOptions& ladder = options.ladder;
    command->add_option("--repeats", ladder.most_repeats, "Runs of each size at most (default 30)")
        ->check(CLI::Range(2, 10000))
        ->group(group);
    command->add_option("--seconds", ladder.seconds, "Of repeats at one size, all candidates together (default 10)")
        ->check(CLI::PositiveNumber)
        ->group(group);
    command->add_option("--precision", ladder.precision, "Enough: half the interval of the median, as a share (0.02)")
        ->check(CLI::PositiveNumber)
        ->group(group);
    command->add_option("--longest-run", ladder.longest_run, "Sizes with longer runs are left out (default 120 s)")
        ->check(CLI::PositiveNumber)
        ->group(group);
    command->add_flag("--memory-only", options.memory_only, "Five runs of each size; times are not settled")
        ->group(group);
}

}  // namespace

void add_measure(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    options->chunk_size = "512";
    options->setting.head_dim = 64;
    options->setting.heads_kv = 0;
    options->setting.threads = 1;
    CLI::App* command =
        app.add_subcommand("measure", "Time and memory over a ladder of sizes, and claims held against them");
    command->footer(
        "Exit status: 0 every claim passed, or none was made; 1 a claim failed; 2 usage or file error, or the "
        "candidate\n"
        "broke; 3 inconclusive: what was measured neither contains nor excludes the claim.");
    const auto repeatable = [&](const char* name, std::vector<std::string>& to, const std::string& help) {
        return command->add_option(name, to, help)->allow_extra_args(false);
    };
    repeatable("--candidate", options->candidates, candidates_help());
    repeatable("--command", options->commands,
               "A program: 'PROG {input} {output}' as of dca gate; {n}, {chunk_size} and {local_size} too");
    command->add_option("--name", options->name, "Name of the one command in reports");
    auto* claim = repeatable("--claim", options->claims, "Such as 'memory <= O(n)'; can be repeated (docs/measure.md)");
    command
        ->add_option("--claims", options->claims_file,
                     "A file of claims with their ladders; --candidate and --command replace its candidates")
        ->type_name("FILE")
        ->excludes(claim);
    command
        ->add_option("--predict", options->predict,
                     "Instead: what implementations need by formula, 'n=1M C=256K heads=32 ...' (docs/measure.md)")
        ->excludes(claim)
        ->excludes("--claims");
    add_sizes(command, *options);
    command->get_option("--n")->excludes("--claims");
    add_effort(command, *options);
    for (const Form& form : forms) {
        command->add_option(form.option, (*options).*form.path, form.help)->type_name("FILE")->group("Reports");
    }
    command->add_option("--page", options->page, "Write docs/claims.md, the table of the claims file")
        ->type_name("FILE")
        ->needs("--claims")
        ->group("Reports");
    command->callback([&action, options] {
        if (options->setting.heads_kv == 0) options->setting.heads_kv = options->setting.heads_q;
        options->setting.head_dim_v = options->setting.head_dim;
        action = [options] { return run(*options); };
    });
}

}  // namespace dca::cli
