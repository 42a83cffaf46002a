#include "verify/cli/gate_preview.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ostream>
#include <string>

#include "golden/case_text.hpp"
#include "verify/gate/predict.hpp"
#include "verify/gate/tags.hpp"

namespace dca::cli {
namespace {

template <class... Values>
std::string formatted(const char* format, Values... values) {
    std::array<char, 256> line{};
    std::snprintf(line.data(), line.size(), format, values...);
    return line.data();
}

std::string row(const std::string& name, std::int64_t input, std::int64_t golden, double memory, double seconds) {
    return formatted("%-34s %14lld %14lld %9.1f %10.4f\n", name.c_str(), static_cast<long long>(input),
                     static_cast<long long>(golden), memory / 0x1p20, seconds);
}

}  // namespace

void list_cases(std::ostream& out, const std::vector<golden::CaseSpec>& cases) {
    for (const golden::CaseSpec& spec : cases) {
        std::string tags;
        for (const std::string& tag : verify::tags_of(spec)) tags += (tags.empty() ? "" : ",") + tag;
        out << spec.id << '\t' << tags << '\t' << golden::to_text(spec) << '\n';
    }
}

void predict_cases(std::ostream& out, const std::vector<golden::CaseSpec>& cases) {
    const double seconds_per_work = verify::seconds_per_work();
    out << formatted("%-34s %14s %14s %9s %10s\n", "case", "input bytes", "golden bytes", "MiB", "seconds");
    verify::Prediction sum;
    std::size_t refused = 0;
    for (const golden::CaseSpec& spec : cases) {
        if (spec.expectation == golden::Expectation::must_reject) {
            ++refused;
            continue;
        }
        const verify::Prediction one = verify::predict(spec);
        out << row(spec.id, one.input_bytes, one.golden_bytes, static_cast<double>(one.memory_bytes),
                   one.work * seconds_per_work);
        sum.input_bytes += one.input_bytes;
        sum.golden_bytes += one.golden_bytes;
        sum.memory_bytes = std::max(sum.memory_bytes, one.memory_bytes);
        sum.work += one.work;
    }
    out << row(std::to_string(cases.size() - refused) + " cases", sum.input_bytes, sum.golden_bytes,
               static_cast<double>(sum.memory_bytes), sum.work * seconds_per_work)
        << "\nA prediction; nothing was run. Bytes are those of the tensors, exactly; memory is the largest at a time; "
           "seconds are those\nof the expected values on this machine (docs/gate.md says how well they fit), without "
           "the candidate's own.\n";
    if (refused > 0) out << refused << " cases must be rejected and cost nothing.\n";
}

}  // namespace dca::cli
