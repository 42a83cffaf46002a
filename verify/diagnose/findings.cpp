#include "verify/diagnose/findings.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdio>
#include <set>

#include "verify/diagnose/offset_wrap.hpp"

namespace dca::verify {
namespace {

std::string number(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.4g", value);
    return text.data();
}

std::string percent(double share) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), share >= 0.9995 ? "%.0f %%" : "%.1f %%", 100 * share);
    return text.data();
}

/// "3", "3 and 5", "0..3", "1, 4, 6, 7"; more than eight that are no run: nothing.
std::string listed(const std::vector<std::int64_t>& numbers) {
    if (numbers.size() > 2 && numbers.back() - numbers.front() + 1 == static_cast<std::int64_t>(numbers.size())) {
        return std::to_string(numbers.front()) + ".." + std::to_string(numbers.back());
    }
    if (numbers.size() > 8) return {};
    std::string text;
    for (std::size_t n = 0; n < numbers.size(); ++n) {
        text += (n == 0 ? "" : n + 1 == numbers.size() ? " and " : ", ") + std::to_string(numbers[n]);
    }
    return text;
}

std::string plural(const std::string& word, std::size_t count) {
    if (count == 1) return word;
    return word == "batch entry" ? "batch entries" : word + "s";
}

class Findings {
public:
    Findings(const ErrorField& field, const Localisation& shares) : field_(field), shares_(shares) {}

    std::vector<std::string> all() {
        if (field_.total.bad_rows == 0) return {};
        multiple();
        few();
        heads();
        sequences();
        const std::size_t before = found_.size();
        period();
        ends();
        if (found_.size() == before) mode();
        chunk();
        channels();
        return std::move(found_);
    }

private:
    /// The candidate is the expected tensor times a factor, or plus a constant (lse).
    void multiple() {
        const ErrorField::Moments& m = field_.bad;
        if (field_.total.infinite || !(m.ee > 0) || field_.total.bad_rows < 2) return;
        // A factor or a constant may leave what 50 times less error would: one seventh of it.
        constexpr double left = 0.02;
        if (field_.tensor == "lse" && m.e * m.e / m.one >= (1 - left) * m.ee) {
            const double shift = m.e / m.one;
            found_.push_back("lse is the expected one " + std::string(shift < 0 ? "- " : "+ ") +
                             number(std::abs(shift)) +
                             (std::abs(std::abs(shift) - std::log(2.0)) < 1e-3 ? " = ln 2" : ""));
        } else if (m.xx > 0 && m.xe * m.xe / m.xx >= (1 - left) * m.ee) {
            const double factor = 1 + m.xe / m.xx;
            found_.push_back(field_.tensor + " is " + number(factor) + " times the expected one" +
                             (std::abs(factor) < 1e-3 ? ": it is zero" : ""));
        }
        if (!found_.empty() && field_.total.bad_rows < field_.total.rows) found_.back() += ", where it is wrong";
    }

    /// Three bad rows at most can be named.
    void few() {
        if (field_.total.bad_rows > 3 || field_.total.rows < 8) return;
        std::vector<std::int64_t> rows;
        for (std::size_t n = 0; n < field_.places.size(); ++n) {
            if (field_.by_row[n].bad_rows > 0) rows.push_back(field_.places[n].row);
        }
        found_.push_back("only " + std::to_string(field_.total.bad_rows) + " of " + std::to_string(field_.total.rows) +
                         " rows: " + plural(field_.row_word(), rows.size()) + " " + listed(rows));
    }

    void heads() {
        std::vector<std::int64_t> bad;
        for (std::size_t h = 0; h < field_.by_head.size(); ++h) {
            if (field_.by_head[h].bad_rows > 0) bad.push_back(static_cast<std::int64_t>(h));
        }
        subset("head", bad, field_.by_head.size());
    }

    void sequences() {
        std::set<std::int64_t> all, bad;
        for (std::size_t n = 0; n < field_.places.size(); ++n) {
            all.insert(field_.places[n].sequence);
            if (field_.by_row[n].bad_rows > 0) bad.insert(field_.places[n].sequence);
        }
        sequence_count_ = all.size();
        subset(field_.problem->packed() ? "sequence" : "batch entry", {bad.begin(), bad.end()}, all.size());
    }

    /// All errors in some of the heads or sequences. Where only a few rows are bad they say no more than those.
    void subset(const std::string& word, const std::vector<std::int64_t>& bad, std::size_t count) {
        if (bad.size() == count || bad.empty()) return;
        const std::string which = listed(bad);
        if (which.empty()) return;
        found_.push_back("only " + plural(word, bad.size()) + " " + which + " of " + std::to_string(count));
    }

    void period() {
        if (!shares_.period) return;
        const RowPeriod& p = *shares_.period;
        double inside = 0;
        for (std::size_t n = 0; n < field_.places.size(); ++n) {
            const std::int64_t phase = (field_.places[n].in_sequence - p.first_row + p.period) % p.period;
            if (phase < p.bad_per_period) inside += field_.by_row[n].energy;
        }
        const double share = field_.total.energy > 0 ? inside / field_.total.energy : 0;
        const std::int64_t last = p.first_row + p.bad_per_period - 1;
        std::string rows = p.bad_per_period == 1 ? " " + std::to_string(p.first_row)
                                                 : "s " + std::to_string(p.first_row) + ".." + std::to_string(last);
        const std::int64_t chunk_len = field_.problem->chunk.chunk_len();
        std::string text = percent(share) + " of the error is in " + field_.row_word() + rows + " of every " +
                           std::to_string(p.period);
        if (share < 0.6) {  // several runs in one period
            text = std::to_string(p.bad_per_period) + " of every " + std::to_string(p.period) + " " +
                   field_.row_word() + "s are bad";
        } else if (p.period == chunk_len) {
            text += ", the chunk length";
        } else if (p.period >= 8) {
            text += ": a tile of " + std::to_string(p.period) + " rows";
        }
        found_.push_back(text);
    }

    /// All bad rows from some row on, and nearly all of those; or up to some row.
    void ends() {
        if (sequence_count_ != 1 && field_.problem->packed()) return;
        std::int64_t first = -1, last = -1, smallest = -1, largest = -1;
        for (std::size_t n = 0; n < field_.places.size(); ++n) {
            const std::int64_t row = field_.places[n].row;
            smallest = smallest < 0 ? row : std::min(smallest, row);
            largest = std::max(largest, row);
            if (field_.by_row[n].bad_rows == 0) continue;
            first = first < 0 ? row : std::min(first, row);
            last = std::max(last, row);
        }
        if (field_.total.bad_rows <= 3) return;
        std::int64_t between = 0, bad_between = 0;
        for (std::size_t n = 0; n < field_.places.size(); ++n) {
            if (field_.places[n].row < first || field_.places[n].row > last) continue;
            ++between;
            bad_between += field_.by_row[n].bad_rows > 0 ? 1 : 0;
        }
        // A period has said more; else most rows of the stretch must be bad, for the stretch to mean something.
        const bool dense = 2 * bad_between >= between;
        if (first > smallest && (dense || shares_.period)) {
            found_.push_back("starts at " + std::string(field_.row_word()) + " " + std::to_string(first) +
                             landmark(first));
            overflow(first);
        }
        if (last < largest && dense) {
            found_.push_back("ends after " + std::string(field_.row_word()) + " " + std::to_string(last) +
                             landmark(last + 1));
        }
    }

    /// What is special about a row: " = 2^12", a chunk border, the last tile.
    [[nodiscard]] std::string landmark(std::int64_t row) const {
        std::string text;
        if (row >= 64 && std::has_single_bit(static_cast<std::uint64_t>(row))) {
            text += " = 2^" + std::to_string(std::bit_width(static_cast<std::uint64_t>(row)) - 1);
        }
        std::int64_t index = row, extent = field_.keys ? field_.problem->shape.seq_k : field_.problem->shape.seq_q;
        for (const RowPlace& place : field_.places) {
            if (place.row == row) index = place.index;
        }
        const std::int64_t chunk_len = field_.problem->chunk.chunk_len();
        if (index > 0 && index % chunk_len == 0)
            text += ", where chunk " + std::to_string(index / chunk_len) + " begins";
        for (const std::int64_t tile : {256, 192, 128, 64, 32, 16}) {
            if (row > 0 && row < extent && row == (extent - 1) / tile * tile) {
                const std::int64_t rows = extent - row;
                return text + ": the last tile of " + std::to_string(tile) +
                       (rows < tile ? " rows, of which there are " + std::to_string(rows) : " rows");
            }
        }
        return text;
    }

    void overflow(std::int64_t row) {
        if (const auto wrap = offset_wrap_at(*field_.problem, row)) found_.push_back(*wrap);
    }

    /// Only rows with keys of the chunk before, or farther back, are bad.
    void mode() {
        std::string right, wrong;
        std::int64_t wrong_rows = 0, right_rows = 0;
        for (const EnergyShare& one : shares_.by_region) {
            if (one.part == name(Region::none)) continue;
            std::string& text = one.bad_rows > 0 ? wrong : right;
            text += (text.empty() ? "" : ", ") + one.part;
            (one.bad_rows > 0 ? wrong_rows : right_rows) += one.rows;
        }
        if (right.empty() || wrong.empty()) return;
        found_.push_back("only rows of region " + wrong + "; those of region " + right + " are right");
    }

    void chunk() {
        if (shares_.by_chunk.size() < 3) return;
        const auto most = std::max_element(shares_.by_chunk.begin(), shares_.by_chunk.end(),
                                           [](const auto& a, const auto& b) { return a.share < b.share; });
        if (most->share < 0.9) return;
        found_.push_back(percent(most->share) + " of the error is in " + most->part + " of " +
                         std::to_string(shares_.by_chunk.size()));
    }

    /// Channels with nearly all of the error, if they are half of them at most and one run.
    void channels() {
        const std::size_t count = field_.by_channel.size();
        if (count < 4 || !(field_.total.energy > 0)) return;
        std::size_t first = 0, last = count;
        double left = field_.total.energy;
        constexpr double outside = 0.001;
        double before = 0, after = 0;
        while (first < count && before + field_.by_channel[first] <= outside * left)
            before += field_.by_channel[first++];
        while (last > first && after + field_.by_channel[last - 1] <= outside * left)
            after += field_.by_channel[--last];
        if (2 * (last - first) > count || first >= last) return;
        found_.push_back(
            "only " + plural("channel", last - first) + " " +
            (last - first == 1 ? std::to_string(first) : std::to_string(first) + ".." + std::to_string(last - 1)) +
            " of " + std::to_string(count));
    }

    const ErrorField& field_;
    const Localisation& shares_;
    std::size_t sequence_count_ = 1;
    std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> findings_of(const ErrorField& field, const Localisation& shares) {
    return Findings(field, shares).all();
}

}  // namespace dca::verify
