#include "verify/gate/choose_cases.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <numeric>

#include "golden/text.hpp"
#include "verify/gate/check_case.hpp"
#include "verify/gate/predict.hpp"
#include "verify/gate/tags.hpp"
#include "verify/hazards/hazard.hpp"
#include "verify/mutants/mutant.hpp"

namespace dca::verify {
namespace {

bool matches(const std::string& pattern, const std::string& id) {
    return fnmatch(pattern.c_str(), id.c_str(), 0) == 0;
}

Dtype dtype_of(const golden::CaseSpec& spec) {
    return spec.chunk_summary ? spec.chunk_summary->problem.dtype : spec.problem.dtype;
}

/// One word of --tag.
struct WantedTag {
    std::string name;
    bool present = true;
};

std::vector<WantedTag> wanted_tags(const std::vector<std::string>& words) {
    const std::vector<std::string_view> known = tag_names();
    std::vector<WantedTag> wanted;
    for (const std::string& word : words) {
        const bool present = !word.starts_with('!');
        const std::string name = present ? word : word.substr(1);
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            throw InvalidProblem("--tag: there is no tag '" + golden::printable(name) + "'" +
                                 golden::suggestion(name, known) + " (dca list tags)");
        }
        wanted.push_back({name, present});
    }
    return wanted;
}

std::vector<const HazardNeed*> wanted_hazards(const std::vector<std::string>& ids) {
    std::vector<const HazardNeed*> wanted;
    for (const std::string& id : ids) {
        const hazards::Hazard* hazard = hazards::find_hazard(id);
        if (hazard == nullptr) {
            throw InvalidProblem("--hazard: there is no hazard '" + golden::printable(id) + "' (dca list hazards)");
        }
        const auto& needs = hazard_needs();
        const auto found =
            std::find_if(needs.begin(), needs.end(), [&](const HazardNeed& need) { return need.id == hazard->id; });
        if (found == needs.end()) {
            throw InvalidProblem("--hazard: no case of a suite can show " + std::string(hazard->id) + " (" +
                                 std::string(hazard->title) + "); dca list tags names those that can be shown");
        }
        wanted.push_back(&*found);
    }
    return wanted;
}

std::vector<Dtype> wanted_dtypes(const std::vector<std::string>& names) {
    std::vector<Dtype> wanted;
    for (const std::string& name : names) {
        const auto dtype = parse_dtype(name);
        if (!dtype) {
            throw InvalidProblem("--dtype: there is no dtype '" + golden::printable(name) +
                                 "'; f64 f32 tf32 f16 bf16 e4m3 e5m2");
        }
        wanted.push_back(*dtype);
    }
    return wanted;
}

const mutants::Mutant* wanted_mutant(const std::string& id) {
    if (id.empty()) return nullptr;
    if (const mutants::Mutant* mutant = mutants::find(id)) return mutant;
    std::vector<std::string_view> ids;
    for (const mutants::Mutant& mutant : mutants::catalogue()) ids.push_back(mutant.id);
    throw InvalidProblem("--mutant: there is no mutant '" + golden::printable(id) + "'" + golden::suggestion(id, ids) +
                         " (dca list mutants)");
}

template <class Range, class Condition>
bool any_or_empty(const Range& range, const Condition& condition) {
    return range.empty() || std::any_of(range.begin(), range.end(), condition);
}

std::uint64_t mixed(std::uint64_t x) {
    x += 0x9E3779B97F4A7C15;  // SplitMix64, Steele, Lea and Flood (OOPSLA 2014)
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return x ^ (x >> 31);
}

}  // namespace

Shard parse_shard(const std::string& text) {
    const std::size_t slash = text.find('/');
    Shard shard;
    const auto number = [](std::string_view part, int& value) {
        const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
        return error == std::errc{} && end == part.data() + part.size();
    };
    const std::string_view all = text;
    if (slash != std::string::npos && number(all.substr(0, slash), shard.index) &&
        number(all.substr(slash + 1), shard.count) && shard.index >= 1 && shard.index <= shard.count) {
        return shard;
    }
    throw InvalidProblem("--shard: '" + golden::printable(text) + "' is not i/n with 1 <= i <= n");
}

bool CaseFilter::narrows() const {
    return !(cases.empty() && tags.empty() && dtypes.empty() && hazards.empty() && mutant.empty() && start.empty() &&
             shard.count == 1);
}

Choice choose_cases(const std::vector<golden::CaseSpec>& cases, const CaseFilter& filter) {
    const auto tags = wanted_tags(filter.tags);
    const auto dtypes = wanted_dtypes(filter.dtypes);
    const auto hazards = wanted_hazards(filter.hazards);
    const mutants::Mutant* mutant = wanted_mutant(filter.mutant);
    for (const golden::CaseSpec& spec : cases) check_case(spec);
    Choice choice;
    for (const std::string& pattern : filter.cases) {
        if (std::any_of(cases.begin(), cases.end(), [&](const auto& spec) { return matches(pattern, spec.id); }))
            continue;
        choice.unmatched.push_back("no case matches '" + golden::printable(pattern) + "'");
    }
    auto first = cases.begin();
    if (!filter.start.empty()) {
        first = std::find_if(cases.begin(), cases.end(), [&](const auto& spec) { return spec.id == filter.start; });
        if (first == cases.end())
            throw InvalidProblem("--start: there is no case '" + golden::printable(filter.start) + "'");
    }
    for (auto spec = first; spec != cases.end(); ++spec) {
        if (!any_or_empty(filter.cases, [&](const std::string& pattern) { return matches(pattern, spec->id); }))
            continue;
        if (!any_or_empty(dtypes, [&](Dtype dtype) { return dtype_of(*spec) == dtype; })) continue;
        if (!any_or_empty(hazards, [&](const HazardNeed* need) { return can_show(*need, *spec); })) continue;
        if (mutant != nullptr && !can_show(*mutant, *spec)) continue;
        const std::vector<std::string> has = tags_of(*spec);
        if (!std::all_of(tags.begin(), tags.end(), [&](const WantedTag& tag) {
                return (std::find(has.begin(), has.end(), tag.name) != has.end()) == tag.present;
            }))
            continue;
        choice.cases.push_back(*spec);
    }
    choice.cases = shard_of(choice.cases, filter.shard);
    return choice;
}

std::vector<golden::CaseSpec> shard_of(const std::vector<golden::CaseSpec>& cases, Shard shard) {
    if (shard.count == 1) return cases;
    std::vector<double> work;
    for (const golden::CaseSpec& spec : cases) work.push_back(predict(spec).work);
    std::vector<std::size_t> order(cases.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return work[a] > work[b]; });
    std::vector<double> load(static_cast<std::size_t>(shard.count), 0.0);
    std::vector<std::size_t> mine;
    for (const std::size_t at : order) {
        const auto least = std::min_element(load.begin(), load.end());
        *least += work[at];
        if (least - load.begin() == shard.index - 1) mine.push_back(at);
    }
    std::sort(mine.begin(), mine.end());
    std::vector<golden::CaseSpec> chosen;
    for (const std::size_t at : mine) chosen.push_back(cases[at]);
    return chosen;
}

void reseed(std::vector<golden::CaseSpec>& cases, std::uint64_t seed) {
    for (golden::CaseSpec& spec : cases) {
        std::uint64_t& own = spec.chunk_summary ? spec.chunk_summary->recipe.seed : spec.recipe.seed;
        std::uint64_t value = mixed(seed) ^ own;
        for (const char c : spec.id) value = mixed(value ^ static_cast<unsigned char>(c));
        own = mixed(value);
    }
}

}  // namespace dca::verify
