#include "verify/gate/waivers.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace dca::verify {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& wanted) {
    return std::find(names.begin(), names.end(), wanted) != names.end();
}

bool matches(const std::string& pattern, const std::string& text) {
    return fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

bool is_pass(Verdict verdict) {
    return verdict == Verdict::passed || verdict == Verdict::marginal;
}

void add_clause(std::string& text, const std::string& clause) {
    text += (text.empty() ? "" : "; ") + clause;
}

/// Whether this waiver speaks for a failing tensor.
bool covers(const Waiver& waiver, const std::string& tensor) {
    return !waiver.errored && (waiver.tensors.empty() || contains(waiver.tensors, tensor));
}

bool all_covered(const std::vector<const Waiver*>& waivers, const CaseReport& report) {
    if (report.verdict == Verdict::errored) {
        return std::any_of(waivers.begin(), waivers.end(), [](const Waiver* waiver) { return waiver->errored; });
    }
    return std::all_of(report.tensors.begin(), report.tensors.end(), [&](const TensorReport& tensor) {
        return tensor.verdict != Verdict::failed ||
               std::any_of(waivers.begin(), waivers.end(), [&](const Waiver* w) { return covers(*w, tensor.tensor); });
    });
}

/// What passes although the waiver says that it fails; empty if nothing does.
std::string unexpected(const Waiver& waiver, const CaseReport& report) {
    if (waiver.errored || waiver.tensors.empty()) {
        const bool computed = is_pass(report.verdict) || (waiver.errored && report.verdict == Verdict::failed);
        return computed ? (waiver.errored ? "the candidate does not break" : "the case passes") : std::string();
    }
    for (const TensorReport& tensor : report.tensors) {
        if (contains(waiver.tensors, tensor.tensor) && is_pass(tensor.verdict)) return tensor.tensor + " passes";
    }
    return {};
}

}  // namespace

std::optional<Date> parse_date(std::string_view text) {
    const auto number = [&](std::size_t at, std::size_t digits) {
        int value = -1;
        const std::string_view part = text.substr(at, digits);
        if (!std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; })) return -1;
        std::from_chars(part.data(), part.data() + part.size(), value);
        return value;
    };
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    const int y = number(0, 4), m = number(5, 2), d = number(8, 2);
    if (y < 0 || m < 0 || d < 0) return std::nullopt;
    const Date date{std::chrono::year{y}, std::chrono::month(static_cast<unsigned>(m)),
                    std::chrono::day(static_cast<unsigned>(d))};
    return date.ok() ? std::optional(date) : std::nullopt;
}

std::string date_text(Date date) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    return text.data();
}

Date today() {
    return std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
}

WaiverLedger::WaiverLedger(const std::vector<Waiver>& waivers, std::string candidate, Date day) {
    for (const Waiver& waiver : waivers) {
        if (matches(waiver.candidates, candidate)) entries_.push_back({&waiver, waiver.expires < day});
    }
}

void WaiverLedger::apply(CaseReport& report) {
    std::vector<const Waiver*> active;
    for (Entry& entry : entries_) {
        const Waiver& waiver = *entry.waiver;
        if (!matches(waiver.cases, report.id)) continue;
        if (!waiver.dtypes.empty() && !contains(waiver.dtypes, report.dtype)) continue;
        entry.met = true;
        if (!entry.expired) {
            active.push_back(&waiver);
        } else if (report.verdict == Verdict::failed || report.verdict == Verdict::errored) {
            add_clause(report.waiver, waiver.issue + " expired on " + date_text(waiver.expires));
        }
    }
    const Verdict before = report.verdict;
    const bool bad = before == Verdict::failed || before == Verdict::errored;
    std::string passes;
    for (const Waiver* waiver : active) {
        const std::string what = unexpected(*waiver, report);
        if (!what.empty()) add_clause(passes, what + ", but waiver " + waiver->issue + " says otherwise: remove it");
        if (bad && what.empty()) {
            add_clause(report.waiver,
                       waiver->issue + " (" + waiver->reason + "; until " + date_text(waiver->expires) + ")");
        }
    }
    if (bad && !active.empty() && all_covered(active, report)) report.verdict = Verdict::waived;
    if (passes.empty()) return;
    report.verdict = join(report.verdict, Verdict::failed);
    add_clause(report.reason, "unexpected pass: " + passes);
}

std::vector<std::string> WaiverLedger::notes(bool full_run) const {
    std::vector<std::string> notes;
    for (const Entry& entry : entries_) {
        const Waiver& waiver = *entry.waiver;
        if (full_run && !entry.met) {
            notes.push_back("waiver " + waiver.issue + " matches no case that ran ('" + waiver.cases + "'): remove it");
        } else if (entry.met && entry.expired) {
            notes.push_back("waiver " + waiver.issue + " expired on " + date_text(waiver.expires) +
                            " and no longer counts");
        }
    }
    return notes;
}

}  // namespace dca::verify
