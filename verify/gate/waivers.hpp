// Known failures: what a waiver is, and what it does to the report of a case (docs/gate.md).
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "verify/run/result.hpp"

namespace dca::verify {

using Date = std::chrono::year_month_day;

/// "2027-01-31"; nothing where it is no day of the calendar or written otherwise.
[[nodiscard]] std::optional<Date> parse_date(std::string_view text);
[[nodiscard]] std::string date_text(Date date);
/// Of the system clock, in UTC.
[[nodiscard]] Date today();

/// "In these cases this fails, that is known." Every case it matches must fail: a pass is told, so that the waiver goes
/// when the fault does.
struct Waiver {
    std::string issue;                 ///< id or address of where the failure is tracked
    std::string reason;                ///< one sentence
    std::string cases;                 ///< glob of case ids
    std::string candidates = "*";      ///< glob of candidate names
    std::vector<std::string> tensors;  ///< that fail; empty: whichever
    std::vector<std::string> dtypes;   ///< of cases; empty: any
    bool errored = false;              ///< the candidate breaks, instead of computing something wrong
    Date expires{};                    ///< the last day on which it counts
};

/// {"waivers": [{"issue": ..., "reason": ..., "case": ..., "expires": ...}, ...]}; throws IoError, or FormatError
/// naming file, entry and field.
[[nodiscard]] std::vector<Waiver> read_waivers(const std::filesystem::path& path);

/// The waivers of a run.
class WaiverLedger {
public:
    WaiverLedger(const std::vector<Waiver>& waivers, std::string candidate, Date today);

    /// A failed case of which every failing tensor is waived becomes waived; a case that passes where it should fail
    /// becomes failed. Sets CaseReport::waiver where a waiver speaks of the case.
    void apply(CaseReport& report);
    /// What a reader should know of waivers that no longer count. full_run: no case was left out, so a waiver for this
    /// candidate that met no case is of no use.
    [[nodiscard]] std::vector<std::string> notes(bool full_run) const;

private:
    struct Entry {
        const Waiver* waiver;
        bool expired;
        bool met = false;
    };
    std::vector<Entry> entries_;  ///< those for the candidate
};

}  // namespace dca::verify
