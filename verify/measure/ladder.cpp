#include "verify/measure/ladder.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "golden/text.hpp"
#include "reference/spec/problem.hpp"

namespace dca::measure {
namespace {

constexpr std::size_t most_sizes = 64;
constexpr double least_factor = 1.1;

[[noreturn]] void refuse(const std::string& option, std::string_view text, const std::string& why) {
    throw InvalidProblem(option + ": '" + golden::printable(text) + "' " + why +
                         "; sizes are written 4096, 4K, 1K..64K, 1K..64K*1.5 or 1024,4096");
}

void add_range(std::vector<std::int64_t>& sizes, std::string_view part, std::size_t dots, const std::string& option) {
    const std::string_view first_text = part.substr(0, dots);
    std::string_view last_text = part.substr(dots + 2);
    double factor = 2;
    if (const std::size_t star = last_text.find('*'); star != std::string_view::npos) {
        const std::string_view text = last_text.substr(star + 1);
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), factor);
        const bool whole = error == std::errc() && end == text.data() + text.size();
        if (!whole || !(factor >= least_factor && factor <= 1e6)) {
            refuse(option, part, "needs a factor from 1.1 on after the *");
        }
        last_text = last_text.substr(0, star);
    }
    const std::int64_t first = parse_size(first_text, option), last = parse_size(last_text, option);
    if (first > last) refuse(option, part, "ends below where it begins");
    double exact = static_cast<double>(first);
    for (std::int64_t size = first; size <= last; size = std::llround(exact *= factor)) sizes.push_back(size);
}

}  // namespace

std::int64_t parse_size(std::string_view text, const std::string& option) {
    std::int64_t value = 0, unit = 1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
    if (error == std::errc() && rest.size() == 1) {
        const std::size_t power = std::string_view("KMG").find(rest.front());
        if (power != std::string_view::npos) {
            unit = std::int64_t{1} << (10 * (power + 1));
            rest = {};
        }
    }
    if (error != std::errc() || !rest.empty()) refuse(option, text, "is not a size");
    if (value < 1 || value > max_position / unit) refuse(option, text, "is not from 1 to 2^31");
    return value * unit;
}

std::vector<std::int64_t> parse_ladder(std::string_view text, const std::string& option) {
    std::vector<std::int64_t> sizes;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        const std::string_view part = text.substr(begin, end - begin);
        if (const std::size_t dots = part.find(".."); dots != std::string_view::npos) {
            add_range(sizes, part, dots, option);
        } else {
            sizes.push_back(parse_size(part, option));
        }
        begin = end + 1;
    }
    std::sort(sizes.begin(), sizes.end());
    sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
    if (sizes.size() > most_sizes) refuse(option, text, "has more than 64 sizes");
    return sizes;
}

}  // namespace dca::measure
