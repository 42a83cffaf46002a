// docs/golden_format.md names everything the schema has.
#include "golden/dialect_facts.hpp"
#include "golden/schema.hpp"
#include "tests/golden/scratch_folder.hpp"
#include "tests/support/catch.hpp"

using namespace dca::golden;

TEST_CASE("the document of the file format names every attribute, dataset, axis and dialect") {
    const std::string document = dca::test::read_bytes(std::filesystem::path(DCA_SOURCE_DIR) / "docs/golden_format.md");
    REQUIRE(document.size() > 1000);
    const auto mentions = [&](const std::string& text) { return document.find(text) != std::string::npos; };
    for (const AttributeRule& rule : problem_attributes()) {
        CAPTURE(rule.name);
        CHECK(mentions("`" + std::string(rule.name) + "`"));
    }
    for (const DatasetRule& rule : datasets()) {
        CAPTURE(rule.path());
        CHECK((mentions("`" + rule.path() + "`") || mentions("`" + std::string(rule.name) + "`")));
        for (const Axis axis : axes_of(rule, false)) CHECK(mentions(std::string(name(axis))));
    }
    for (const FactName& fact : fact_names) {
        CAPTURE(fact.name);
        CHECK(mentions("`" + std::string(fact.name) + "`"));
    }
    for (const std::string_view dialect : dialect_names()) {
        CAPTURE(dialect);
        CHECK(mentions("`" + std::string(dialect) + "`"));
    }
    CHECK(mentions("| `schema_version` | `" + std::to_string(schema_version) + "`"));
}
