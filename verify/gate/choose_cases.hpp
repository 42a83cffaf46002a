// From the cases of a suite to those that run here: filters, a share of several machines, other seeds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "golden/case_spec.hpp"

namespace dca::verify {

/// Part `index` of `count`, from 1.
struct Shard {
    int index = 1, count = 1;
};

/// "2/5". Throws InvalidProblem saying what is expected.
[[nodiscard]] Shard parse_shard(const std::string& text);

/// Everything given must hold at once.
struct CaseFilter {
    std::vector<std::string> cases;    ///< globs of ids: any of them; empty: every case
    std::vector<std::string> tags;     ///< all of them; "!long": cases without it
    std::vector<std::string> dtypes;   ///< any of them; empty: every dtype
    std::vector<std::string> hazards;  ///< cases that can show any of them (tags.hpp); empty: every case
    std::string mutant;                ///< cases that catch this mutant (tags.hpp); empty: every case
    std::string start;                 ///< id of the first case; those before are left out; empty: the first
    Shard shard;                       ///< of what the other filters leave
    [[nodiscard]] bool narrows() const;
};

struct Choice {
    std::vector<golden::CaseSpec> cases;  ///< in the order they came in
    std::vector<std::string> unmatched;   ///< sentences: what was asked for and is not there
};

/// Throws InvalidProblem for a tag, dtype, hazard, mutant or start id that does not exist, naming what there is; and
/// what check_case throws.
[[nodiscard]] Choice choose_cases(const std::vector<golden::CaseSpec>& cases, const CaseFilter& filter);

/// The cases of one shard: whichever is dearest by predicted work goes to the share with the least so far. The shares
/// are disjoint, together all, and depend on nothing but the cases.
[[nodiscard]] std::vector<golden::CaseSpec> shard_of(const std::vector<golden::CaseSpec>& cases, Shard shard);

/// Gives every case a seed made from its own, its id and `seed`: other numbers, as reproducible as before.
void reseed(std::vector<golden::CaseSpec>& cases, std::uint64_t seed);

}  // namespace dca::verify
