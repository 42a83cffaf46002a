// The catalogue of hazards is complete, and what it names exists.
#include <algorithm>
#include <set>

#include "golden/case_text.hpp"
#include "reference/spec/dialect.hpp"
#include "tests/support/catch.hpp"
#include "verify/hazards/case_words.hpp"
#include "verify/hazards/hazard.hpp"
#include "verify/hazards/show.hpp"

using namespace dca;
using namespace dca::hazards;

TEST_CASE("the hazards are H1 to H63, in order, area by area") {
    const auto all = hazards::hazards();
    REQUIRE(all.size() == 63);
    for (std::size_t n = 0; n < all.size(); ++n) {
        CHECK(all[n].id == "H" + std::to_string(n + 1));
        if (n > 0) CHECK(all[n].area >= all[n - 1].area);
        CHECK(find_hazard(all[n].id) == &all[n]);
    }
    for (const Area area : all_areas) {
        CHECK(!title(area).empty());
        CHECK(std::any_of(all.begin(), all.end(), [&](const Hazard& one) { return one.area == area; }));
    }
}

TEST_CASE("a hazard is found by its exact number") {
    REQUIRE(find_hazard("h43") != nullptr);
    CHECK(find_hazard("h43")->id == "H43");
    for (const char* id : {"", "H", "H0", "H64", "H043", "43", "H4 ", "G4", "H1x"}) {
        CAPTURE(id);
        CHECK(find_hazard(id) == nullptr);
    }
}

TEST_CASE("every hazard says what it is, whom it affects, what happens, and how it shows or why not") {
    std::set<std::string_view> titles, consequences;
    for (const Hazard& hazard : hazards::hazards()) {
        CAPTURE(hazard.id);
        CHECK(titles.insert(hazard.title).second);
        CHECK(consequences.insert(hazard.consequence).second);
        CHECK(hazard.title.size() > 8);
        CHECK(hazard.consequence.size() > 60);
        CHECK(hazard.consequence.ends_with('.'));
        CHECK(!affected(hazard).empty());
        for (const std::string_view dialect : hazard.dialects) {
            CAPTURE(dialect);
            CHECK(find_dialect(dialect) != nullptr);
            CHECK(std::count(hazard.dialects.begin(), hazard.dialects.end(), dialect) == 1);
        }
        CHECK(hazard.demonstration.figures.empty() != hazard.demonstration.not_shown.empty());
        for (const Figure& figure : hazard.demonstration.figures) {
            CHECK(!figure.what.empty());
            CHECK(figure.what.find('|') == std::string_view::npos);  // would end a cell of the table
        }
    }
}

TEST_CASE("every minimal case is a case that can exist") {
    int cases = 0;
    for (const Hazard& hazard : hazards::hazards()) {
        if (hazard.minimal_case.empty()) continue;
        CAPTURE(hazard.id, hazard.minimal_case);
        const golden::CaseSpec spec = golden::parse_case(hazard.minimal_case);
        CHECK_NOTHROW(validate(spec.problem));
        CHECK(find_dialect(spec.problem.dialect) != nullptr);
        CHECK(changed(hazard.minimal_case, "") == hazard.minimal_case);
        ++cases;
    }
    CHECK(cases >= 40);
}

TEST_CASE("every command names a case that can be read") {
    int read = 0;
    for (const Hazard& hazard : hazards::hazards()) {
        for (const std::string& line : commands(hazard)) {
            CAPTURE(hazard.id, line);
            CHECK(line.starts_with("dca "));
            const std::size_t begin = line.find('\'');
            if (begin == std::string::npos) continue;
            const std::size_t end = line.find('\'', begin + 1);
            REQUIRE(end != std::string::npos);
            CHECK_NOTHROW(golden::parse_case(line.substr(begin + 1, end - begin - 1)));
            ++read;
        }
    }
    CHECK(read >= 40);
}
