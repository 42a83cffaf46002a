#include "golden/catalogue.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "golden/case_text.hpp"
#include "golden/catalogue_tables.hpp"
#include "golden/text.hpp"

namespace dca::golden {
namespace {

struct Suite {
    SuiteInfo info;
    std::span<const std::string_view> (*cases)();
};

constexpr std::array suite_table{
    Suite{{"smoke", "one small case of every kind; seconds"}, smoke_cases},
    Suite{{"ci", "awkward sizes, every option, every dtype; minutes on 2 cores"}, ci_cases},
};

}  // namespace

std::vector<SuiteInfo> suites() {
    std::vector<SuiteInfo> infos;
    for (const Suite& entry : suite_table) infos.push_back(entry.info);
    return infos;
}

std::vector<CaseSpec> suite(std::string_view name) {
    const auto found = std::find_if(suite_table.begin(), suite_table.end(),
                                    [&](const Suite& entry) { return entry.info.name == name; });
    if (found == suite_table.end()) {
        std::string known;
        for (const Suite& entry : suite_table) known += " " + std::string(entry.info.name);
        throw InvalidProblem("there is no suite '" + printable(name) + "'; known suites:" + known);
    }
    std::vector<CaseSpec> cases;
    for (const auto texts : {found->cases(), reject_cases()}) {
        for (std::string_view text : texts) cases.push_back(parse_case(text));
    }
    return cases;
}

}  // namespace dca::golden
