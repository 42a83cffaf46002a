#include "verify/diagnose/row_period.hpp"

#include <algorithm>
#include <vector>

namespace dca::verify {
namespace {

/// Every residue is to be seen in three periods at least: of two rows that agree by chance, half do.
constexpr std::int64_t periods_needed = 3;
constexpr std::int64_t longest = 1024;
constexpr std::size_t most_rows = 65536;

struct Residues {
    std::vector<std::int64_t> bad, all;

    Residues(std::span<const RowFlag> rows, std::int64_t period)
        : bad(static_cast<std::size_t>(period)), all(static_cast<std::size_t>(period)) {
        for (const RowFlag& one : rows) {
            const auto r = static_cast<std::size_t>(one.row % period);
            ++all[r];
            bad[r] += one.bad ? 1 : 0;
        }
    }
    [[nodiscard]] bool is_bad(std::size_t r) const { return 2 * bad[r] > all[r]; }
    /// Rows that their residue predicts.
    [[nodiscard]] std::int64_t predicted() const {
        std::int64_t sum = 0;
        for (std::size_t r = 0; r < bad.size(); ++r) sum += std::max(bad[r], all[r] - bad[r]);
        return sum;
    }
};

}  // namespace

std::optional<RowPeriod> find_period(std::span<const RowFlag> rows) {
    const auto first = std::find_if(rows.begin(), rows.end(), [](const RowFlag& one) { return one.bad; });
    rows = rows.subspan(static_cast<std::size_t>(first - rows.begin()));
    rows = rows.first(std::min(rows.size(), most_rows));
    const auto total = static_cast<std::int64_t>(rows.size());
    const std::int64_t bad = std::count_if(rows.begin(), rows.end(), [](const RowFlag& one) { return one.bad; });
    const std::int64_t trivial = std::max(bad, total - bad);

    std::int64_t best = 0, period = 0;
    for (std::int64_t p = 2; p <= std::min(longest, total / periods_needed); ++p) {
        const std::int64_t predicted = Residues(rows, p).predicted();
        // A multiple of the true period predicts as much, and by overfitting a little more.
        if (predicted - best <= total / 500) continue;
        best = predicted;
        period = p;
    }
    if (period == 0 || best <= trivial || 20 * best < 19 * total || 2 * (total - best) > total - trivial)
        return std::nullopt;

    const Residues residues(rows, period);
    RowPeriod found{period, 0, 0, static_cast<double>(best) / static_cast<double>(total)};
    for (std::size_t r = 0; r < residues.bad.size(); ++r) {
        if (!residues.is_bad(r)) continue;
        ++found.bad_per_period;
        // The first bad residue that follows a good one, so that a run across the end of the period stays one run.
        if (!residues.is_bad((r + residues.bad.size() - 1) % residues.bad.size())) {
            found.first_row = static_cast<std::int64_t>(r);
        }
    }
    return found;
}

}  // namespace dca::verify
