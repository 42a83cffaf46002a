#include "verify/cli/made.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>

#include "verify/cli/interrupt.hpp"

namespace dca::cli {
namespace {

std::string byte_count(std::uintmax_t bytes) {
    constexpr std::array units{"KiB", "MiB", "GiB", "TiB"};
    double value = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f %s", value, units[unit]);
    return text.data();
}

}  // namespace

verify::Progress case_progress(ProgressLine& line) {
    return [&line](const std::string& case_id, std::size_t done, std::size_t total) {
        stop_if_interrupted();
        line.show(std::min(done + 1, total), total, done < total ? case_id : "completing the file");
    };
}

void print_made(const std::filesystem::path& target, std::size_t cases, const std::string& extra) {
    std::cout << one_line(target.string()) << ": " << cases << (cases == 1 ? " case, " : " cases, ")
              << byte_count(std::filesystem::file_size(target)) << (extra.empty() ? "" : "; ") << extra << '\n';
}

}  // namespace dca::cli
