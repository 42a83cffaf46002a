// What `run` and `generate` have in common: progress while they compute, one line when they are done.
#pragma once

#include <filesystem>
#include <string>

#include "verify/cli/terminal.hpp"
#include "verify/run/make_golden.hpp"

namespace dca::cli {

/// Shows each case on the progress line and stops between two cases after Ctrl-C.
[[nodiscard]] verify::Progress case_progress(ProgressLine& line);

/// Prints "TARGET: 12 cases, 340.2 KiB" and, where `extra` is not empty, "; EXTRA".
void print_made(const std::filesystem::path& target, std::size_t cases, const std::string& extra = "");

}  // namespace dca::cli
