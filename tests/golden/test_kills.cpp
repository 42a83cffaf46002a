// The attribute `kills`: its form, which cases have one, and what lint says of it.
#include "golden/kills.hpp"

#include <limits>

#include "golden/case_text.hpp"
#include "golden/catalogue.hpp"
#include "golden/lint.hpp"
#include "tests/golden/sample_case.hpp"
#include "tests/golden/scratch_folder.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using namespace dca::golden;
using namespace dca::test;

namespace {

std::string refusal(std::string_view text) {
    try {
        static_cast<void>(parse_kills(text));
    } catch (const FormatError& error) {
        return error.what();
    }
    return "";
}

bool mentions(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("kills are mutants with margins") {
    CHECK(parse_kills("detached-merge=33 one-nan=inf zeros=1.2e5") ==
          std::vector<Kill>{
              {"detached-merge", 33}, {"one-nan", std::numeric_limits<double>::infinity()}, {"zeros", 1.2e5}});
    CHECK(mentions(refusal(""), "is empty"));
    CHECK(mentions(refusal("zeros"), "expected MUTANT=MARGIN"));
    CHECK(mentions(refusal("=3"), "expected MUTANT=MARGIN"));
    CHECK(mentions(refusal("zeros="), "expected MUTANT=MARGIN"));
    CHECK(mentions(refusal("zeros=0.5"), "at least 1"));
    CHECK(mentions(refusal("zeros=nan"), "at least 1"));
    CHECK(mentions(refusal("zeros=3x"), "at least 1"));
}

TEST_CASE("every valid case of every suite kills something, and only as the suite has it") {
    for (const SuiteInfo& info : suites()) {
        for (CaseSpec spec : suite(info.name)) {
            INFO(info.name << " " << spec.id);
            if (spec.expectation == Expectation::must_reject) {
                CHECK_FALSE(known_kills(spec).has_value());
                continue;
            }
            const auto kills = known_kills(spec);
            REQUIRE(kills.has_value());
            CHECK_FALSE(parse_kills(*kills).empty());
            ++spec.recipe.seed;
            CHECK_FALSE(known_kills(spec).has_value());
        }
    }
    CHECK(kill_table("no such suite").empty());
}

TEST_CASE("lint refuses a case that says it kills nothing, or a suite's case that does not say") {
    const ScratchFolder folder;
    const std::filesystem::path path = folder / "a.h5";
    const std::string text = to_text(suite("smoke").front());
    const auto findings_with = [&](const std::optional<std::string>& kills, const std::string& id) {
        CaseData data = sample_case(text);
        data.id = id;
        data.problem.facts = {};
        if (kills) data.provenance["kills"] = *kills;
        write_file(path, {data});
        std::string all;
        for (const Finding& finding : lint(path).findings)
            if (finding.level == Finding::Level::error) all += finding.where + ": " + finding.message + '\n';
        return all;
    };
    const std::string id = suite("smoke").front().id;
    CHECK(findings_with("zeros=12", id).empty());
    CHECK(mentions(findings_with("", id), "attribute kills: is empty"));
    CHECK(mentions(findings_with("zeros", id), "attribute kills: has the word 'zeros'"));
    CHECK(mentions(findings_with(std::nullopt, id), "attribute kills: is missing"));
    CHECK(findings_with(std::nullopt, "mine").empty());
}
