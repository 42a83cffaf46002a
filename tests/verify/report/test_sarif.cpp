// The SARIF log: the properties that SARIF 2.1.0 requires, rules that results refer to, nothing hostile in a URI.
#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/catch.hpp"
#include "tests/verify/report/rich_reports.hpp"

namespace {

using namespace dca::test;
using nlohmann::json;

/// The only run of the log, whose structure is checked (SARIF 2.1.0, sections 3.13 to 3.49).
json run_in_log(const dca::verify::RunReport& report) {
    const json log = json::parse(written(dca::verify::write_sarif, report));
    CHECK(log["version"] == "2.1.0");
    CHECK(log["$schema"].is_string());
    REQUIRE(log["runs"].size() == 1);
    const json& run = log["runs"][0];
    const json& driver = run["tool"]["driver"];
    CHECK(driver["name"] == "dca");
    std::set<std::string> ids;
    for (const json& rule : driver["rules"]) {
        CHECK(ids.insert(rule["id"].get<std::string>()).second);
        CHECK(rule["shortDescription"]["text"].is_string());
    }
    REQUIRE(run["results"].is_array());
    for (const json& result : run["results"]) {
        const auto index = result["ruleIndex"].get<std::size_t>();
        REQUIRE(index < driver["rules"].size());
        CHECK(driver["rules"][index]["id"] == result["ruleId"]);
        CHECK(std::set<std::string>{"error", "warning", "note"}.count(result["level"]) == 1);
        CHECK(!result["message"]["text"].get<std::string>().empty());
        REQUIRE(result["locations"].size() == 1);
        const json& physical = result["locations"][0]["physicalLocation"];
        CHECK(physical["region"]["startLine"] == 1);
        const auto uri = physical["artifactLocation"]["uri"].get<std::string>();
        CHECK(uri.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/%:") ==
              std::string::npos);
    }
    REQUIRE(run["invocations"].size() == 1);
    CHECK(run["invocations"][0]["executionSuccessful"].is_boolean());
    return run;
}

TEST_CASE("sarif: one result per case that did not pass, its rule the mistake or the verdict") {
    const json run = run_in_log(everything());
    const json& results = run["results"];
    REQUIRE(results.size() == 4);
    CHECK(results[0]["ruleId"] == "dca/detached-merge");
    CHECK(results[0]["level"] == "error");
    CHECK(results[0]["message"]["text"].get<std::string>().rfind("wrong: dq: 512 of 1056 elements", 0) == 0);
    CHECK(results[0]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "wrong");
    CHECK(results[1]["ruleId"] == "dca/mistrusted");
    CHECK(results[1]["level"] == "warning");
    CHECK(results[3]["level"] == "error");
    CHECK(run["invocations"][0]["exitCode"] == 2);
    CHECK(run["invocations"][0]["executionSuccessful"] == false);
    CHECK(run["invocations"][0]["toolExecutionNotifications"].size() == 1);
    CHECK(run_in_log(run_of({passing_case("good")}))["results"].empty());
    CHECK(run_in_log(run_of({}))["invocations"][0]["executionSuccessful"] == false);
}

TEST_CASE("sarif: rules are shared, waived results are suppressed, paths are URIs") {
    dca::verify::RunReport report = suite_run();
    report.candidate = "/tmp/a b%/\xff#.h5";
    const json run = run_in_log(report);
    CHECK(run["tool"]["driver"]["rules"].size() == 3);
    const json& known = run["results"].back();
    CHECK(known["level"] == "note");
    CHECK(known["suppressions"][0]["kind"] == "external");
    CHECK(known["suppressions"][0]["justification"].get<std::string>().rfind("issue 123", 0) == 0);
    CHECK(known["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "file:///tmp/a%20b%25/%FF%23.h5");
    run_in_log(hostile_run());
}

}  // namespace
