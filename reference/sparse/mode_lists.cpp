#include "reference/sparse/mode_lists.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "reference/spec/error.hpp"

namespace dca::sparse {
namespace {

void fill(std::vector<std::int64_t>& list, const char* what, const ModeLists& mode, Fallback rule, std::int64_t size,
          std::int64_t capacity) {
    if (!list.empty()) return;
    list = fallback_list(rule, mode.key_count, size);
    if (static_cast<std::int64_t>(list.size()) <= capacity) return;
    throw Unsupported("sparse prefill: mode " + std::string(name(mode.mode)) + " has no " + what +
                      " and its fallback of " + std::to_string(list.size()) + " does not fit the table of " +
                      std::to_string(capacity) + ", the published code fails here (H55); ask for at least 5");
}

}  // namespace

std::vector<std::int64_t> fallback_list(Fallback rule, std::int64_t key_count, std::int64_t size) {
    std::int64_t count = 0, stride = 1;
    if (rule == Fallback::fifths) {
        const double step = std::max(1.0, static_cast<double>(key_count) / 5);
        count = static_cast<std::int64_t>(std::ceil(static_cast<double>(key_count) / step));
        stride = static_cast<std::int64_t>(step);
    } else {
        const std::int64_t wanted = std::min(size, key_count);
        stride = (key_count + wanted - 1) / wanted;
        count = std::min(wanted, (key_count + stride - 1) / stride);
    }
    std::vector<std::int64_t> out;
    for (std::int64_t n = 0; n < count; ++n) out.push_back(n * stride);
    return out;
}

std::vector<ModeLists> mode_lists(const ChunkConfig& chunk, const Segment& segment, const Picks& picks,
                                  const Rules& rules, const HeadSizes& sizes, const HeadSizes& capacity) {
    std::vector<ModeLists> out;
    for (const reference::KeySpan& span : reference::key_spans(chunk, segment.chunk, segment.key_end())) {
        ModeLists lists{span.mode, span.begin, span.end - span.begin, segment.rows(), {}, {}};
        for (std::int64_t key : picks.vertical) {
            if (key >= span.begin && key < span.end) lists.vertical.push_back(key - span.begin);
        }
        // The last row meets absolute key t on slash last - t; a diagonal of a negative number lies right of the mode.
        const std::int64_t last = lists.key_begin + lists.base() + lists.rows - 1;
        for (std::int64_t t : picks.slash) {
            if (t >= span.begin && t <= last) lists.slash.push_back(last - t);
        }
        fill(lists.vertical, "vertical", lists, rules.fallback, sizes.vertical, capacity.vertical);
        if (span.mode != Mode::intra || rules.intra_slash_fallback) {
            fill(lists.slash, "slash", lists, rules.fallback, sizes.slash, capacity.slash);
        } else if (lists.slash.empty()) {
            throw Unsupported("sparse prefill: none of the " + std::to_string(sizes.slash) +
                              " slashes of a head lies within the chunk of queries " +
                              std::to_string(segment.first_index) + " to " + std::to_string(segment.key_end() - 1) +
                              ", the published index builder does not end then (H54); ask for more slashes");
        }
        std::sort(lists.slash.begin(), lists.slash.end(), std::greater<>());
        out.push_back(std::move(lists));
    }
    return out;
}

}  // namespace dca::sparse
