#include "verify/cli/report_options.hpp"

#include <array>
#include <iostream>

#include "reference/spec/error.hpp"
#include "verify/cli/output_file.hpp"
#include "verify/cli/terminal.hpp"
#include "verify/report/writers.hpp"

namespace dca::cli {
namespace {

struct Form {
    const char* option;
    const char* help;
    std::string ReportOptions::*path;
    void (*write)(std::ostream&, const verify::RunReport&);
};

const std::array<Form, 5> forms{{
    {"--json", "Write the whole report as JSON (docs/report.schema.json)", &ReportOptions::json, verify::write_json},
    {"--junit", "Write a JUnit XML report", &ReportOptions::junit, verify::write_junit},
    {"--markdown", "Write a Markdown summary", &ReportOptions::markdown, verify::write_markdown},
    {"--html", "Write one self-contained HTML page with pictures", &ReportOptions::html,
     [](std::ostream& out, const verify::RunReport& report) { verify::write_html(out, report); }},
    {"--sarif", "Write a SARIF 2.1.0 log", &ReportOptions::sarif, verify::write_sarif},
}};

}  // namespace

void add_report_options(CLI::App& command, ReportOptions& options) {
    for (const Form& form : forms) command.add_option(form.option, options.*form.path, form.help)->type_name("FILE");
    command.add_flag("--annotations", options.annotations, "Print GitHub annotations after the report");
}

void require_writable_reports(const ReportOptions& options, const std::vector<std::filesystem::path>& sources) {
    std::vector<std::filesystem::path> taken;
    for (const Form& form : forms) {
        const std::filesystem::path target = options.*form.path;
        if (target.empty()) continue;
        require_writable_target(target, sources);
        const std::filesystem::path whole = std::filesystem::absolute(target).lexically_normal();
        for (const std::filesystem::path& other : taken) {
            if (other == whole) throw IoError(target.string() + ": two reports cannot go to one file");
        }
        taken.push_back(whole);
    }
}

void write_reports(const ReportOptions& options, const verify::RunReport& report) {
    if (options.annotations) verify::write_annotations(std::cout, report);
    for (const Form& form : forms) {
        const std::string& path = options.*form.path;
        if (path.empty()) continue;
        write_text_file(path, [&](std::ostream& out) { form.write(out, report); });
    }
}

void say_what_broke(const verify::RunReport& report) {
    const verify::CaseReport* first = nullptr;
    std::size_t broken = 0;
    for (const verify::CaseReport& one : report.cases) {
        if (verify::exit_status(one.verdict) != 2) continue;
        if (broken++ == 0) first = &one;
    }
    if (first == nullptr) return;
    std::cerr << "dca: " << one_line("case " + first->id + ": " + first->reason)
              << (broken > 1 ? " (and " + std::to_string(broken - 1) + " more cases)" : std::string()) << '\n';
}

}  // namespace dca::cli
