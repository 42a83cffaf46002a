// The report options that every judging command has (compare, gate): where a RunReport is written, and as what.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "verify/run/result.hpp"

namespace dca::cli {

/// Empty: not asked for.
struct ReportOptions {
    std::string json, junit, markdown, html, sarif;
    bool annotations = false;  ///< GitHub workflow commands on stdout
};

/// Adds --json --junit --markdown --html --sarif --annotations to a command. `options` must outlive the parsing.
void add_report_options(CLI::App& command, ReportOptions& options);

/// Before anything is computed: every report asked for can be written, none over one of `sources` and no two to one
/// file. Throws IoError.
void require_writable_reports(const ReportOptions& options, const std::vector<std::filesystem::path>& sources);

/// Prints the annotations, which belong below the text on stdout, and writes the files asked for, each replaced in one
/// step. Throws IoError.
void write_reports(const ReportOptions& options, const verify::RunReport& report);

/// One line on stderr where a case broke (exit status 2): the first, and how many more.
void say_what_broke(const verify::RunReport& report);

}  // namespace dca::cli
