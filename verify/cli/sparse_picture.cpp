#include "verify/cli/sparse_picture.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ostream>
#include <vector>

#include "reference/sparse/statistics.hpp"

namespace dca::cli {
namespace {

std::string number(std::int64_t value) {
    return std::to_string(value);
}

std::string list(const std::vector<std::int64_t>& values) {
    std::string out;
    for (std::int64_t value : values) out += (out.empty() ? "" : ",") + number(value);
    return out;
}

void write_row(std::ostream& out, const std::string& head, const std::string& mode, const sparse::PairCount& count,
               const std::string& empty) {
    const std::string share = count.visible == 0 ? "-" : [&] {
        std::array<char, 32> text{};
        std::snprintf(text.data(), text.size(), "%.4f",
                      static_cast<double>(count.attended) / static_cast<double>(count.visible));
        return std::string(text.data());
    }();
    std::array<char, 128> line{};
    std::snprintf(line.data(), line.size(), "%4s  %-5s %14s %14s %9s %11s", head.c_str(), mode.c_str(),
                  number(count.attended).c_str(), number(count.visible).c_str(), share.c_str(), empty.c_str());
    std::string text = line.data();
    text.erase(text.find_last_not_of(' ') + 1);
    out << text << '\n';
}

std::string name_of(Mode mode) {
    switch (mode) {
        case Mode::intra: return "intra";
        case Mode::succ: return "succ";
        case Mode::inter: return "inter";
    }
    return "";
}

char mark_of(Mode mode) {
    switch (mode) {
        case Mode::intra: return '#';
        case Mode::succ: return '+';
        case Mode::inter: return 'o';
    }
    return '?';
}

/// Row m of a plan's segment: one character per key up to the last visible one.
std::string picture_row(const sparse::SegmentPlan& plan, const sparse::SparseConfig& config, std::int64_t m) {
    std::string line(static_cast<std::size_t>(plan.segment.first_index + m + 1), '.');
    for (const sparse::ModeLists& lists : plan.modes) {
        for (std::int64_t key : sparse::tile_keys(plan, lists, m / config.block * config.block, config.block).keys()) {
            if (key >= sparse::visible_keys(lists, m)) break;
            line[static_cast<std::size_t>(lists.key_begin + key)] = mark_of(lists.mode);
        }
    }
    return line;
}

}  // namespace

void write_sparse_counts(std::ostream& out, const std::string& case_id, const Problem& problem,
                         const sparse::SparseConfig& config, std::span<const sparse::SegmentPlan> plans) {
    out << "case " << case_id << ": dialect " << problem.dialect << ", dtype " << name(problem.dtype) << ", chunk_len "
        << problem.chunk.chunk_len() << ", vertical_size " << list(config.vertical_size) << ", slash_size "
        << list(config.slash_size) << ", block " << config.block << ", last_q " << config.last_q << ", rules "
        << name(problem.facts.sparse_rules.value_or(SparseRules::vllm)) << "\n\n";
    out << "head  mode        attended        visible  of dense  empty rows\n";
    const auto all = sparse::attended_statistics(plans, config, problem.shape.heads_q);
    for (std::size_t head = 0; head < all.size(); ++head) {
        const std::string label = number(static_cast<std::int64_t>(head));
        for (Mode mode : all_modes) write_row(out, label, name_of(mode), all[head].of(mode), "");
        write_row(out, label, "all", all[head].total(), number(all[head].empty_rows));
    }
    const auto dense = std::count_if(plans.begin(), plans.end(), [](const auto& plan) { return plan.dense; });
    const auto open = std::count_if(plans.begin(), plans.end(), [](const auto& plan) { return !plan.settled(); });
    out << "\nselections: " << plans.size() << " (heads x segments), " << dense << " dense by threshold, " << open
        << " that a kernel in " << name(problem.dtype) << " may make otherwise (ties or close votes)\n";
}

void write_sparse_pictures(std::ostream& out, const Problem& problem, const sparse::SparseConfig& config,
                           std::span<const sparse::SegmentPlan> plans) {
    const std::vector<reference::Sequence> sequences = reference::sequences(problem);
    const auto drawn = [&](const sparse::SegmentPlan& plan) {
        return sequences[static_cast<std::size_t>(plan.sequence)].key_count() <= max_picture_keys;
    };
    if (std::any_of(plans.begin(), plans.end(), drawn)) {
        out << "\nA line per query, a column per key: # intra, + succ, o inter, . visible and not attended\n";
    } else {
        out << "\nno picture: no sequence has at most " << max_picture_keys << " keys\n";
    }
    const sparse::SegmentPlan* last = nullptr;
    for (const sparse::SegmentPlan& plan : plans) {
        if (!drawn(plan)) continue;
        if (last == nullptr || last->sequence != plan.sequence || last->head != plan.head) {
            out << "\nsequence " << plan.sequence << ", head " << plan.head << '\n';
        }
        last = &plan;
        for (std::int64_t m = 0; m < plan.segment.rows(); ++m) {
            std::string label = number(plan.segment.first_index + m);
            label.insert(0, 4 - std::min<std::size_t>(label.size(), 4), ' ');
            out << label << "  " << picture_row(plan, config, m) << '\n';
        }
    }
}

}  // namespace dca::cli
