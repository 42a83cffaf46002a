#include "verify/measure/plan_request.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <sstream>

#include "golden/text.hpp"
#include "reference/spec/error.hpp"
#include "verify/measure/ladder.hpp"

namespace dca::measure {
namespace {

constexpr std::int64_t usual_chunk = 32768;

double parse_positive(const std::string& key, const std::string& value) {
    double number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    const bool good = error == std::errc() && end == value.data() + value.size() && std::isfinite(number) && number > 0;
    if (!good) {
        throw InvalidProblem("--predict: " + key + "=" + golden::printable(value) + " is not a positive number");
    }
    return number;
}

}  // namespace

PlanRequest parse_plan_request(std::string_view text) {
    PlanRequest request;
    const std::array<std::pair<std::string_view, std::int64_t*>, 9> sizes{{{"n", &request.size.n},
                                                                           {"C", &request.size.chunk_size},
                                                                           {"w", &request.size.local_size},
                                                                           {"heads", &request.heads_q},
                                                                           {"kv_heads", &request.heads_kv},
                                                                           {"head_dim", &request.head_dim},
                                                                           {"layers", &request.layers},
                                                                           {"batch", &request.batch},
                                                                           {"bytes", &request.element_bytes}}};
    std::vector<std::string_view> keys{"gpu_flops", "other_gb"};
    for (const auto& [key, to] : sizes) keys.push_back(key);
    std::set<std::string> seen;
    std::istringstream words{std::string(text)};
    for (std::string word; words >> word;) {
        const std::size_t equals = std::min(word.find('='), word.size());
        const std::string key = word.substr(0, equals);
        const std::string value = equals < word.size() ? word.substr(equals + 1) : "";
        if (std::find(keys.begin(), keys.end(), key) == keys.end() || value.empty()) {
            throw InvalidProblem(
                "--predict: '" + golden::printable(word) + "' is none of n=, C=, w=, heads=, kv_heads=" +
                ", head_dim=, layers=, batch=, bytes=, gpu_flops=, other_gb=" + golden::suggestion(key, keys));
        }
        if (!seen.insert(key).second) throw InvalidProblem("--predict: " + key + "= is given twice");
        for (const auto& [name, to] : sizes) {
            const bool none = name == "w" && value == "0";
            if (key == name) *to = none ? 0 : parse_size(value, "--predict: " + key);
        }
        if (key == "gpu_flops") request.flops_per_second = parse_positive(key, value);
        if (key == "other_gb") request.other_bytes = 1e9 * parse_positive(key, value);
    }
    if (!seen.contains("n")) throw InvalidProblem("--predict: n= is missing, such as n=1M");
    if (!seen.contains("C")) request.size.chunk_size = std::min(usual_chunk, request.size.n);
    if (!seen.contains("w")) request.size.local_size = request.size.chunk_size / 8;
    if (seen.contains("heads") && !seen.contains("kv_heads")) request.heads_kv = request.heads_q;
    return request;
}

}  // namespace dca::measure
