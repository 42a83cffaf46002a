// The JSON report reads back, whatever the numbers and names are.
#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"
#include "tests/verify/report/reports.hpp"

namespace {

using namespace dca::test;
using nlohmann::json;

TEST_CASE("json: everything in a report reads back") {
    const json report = json::parse(written(dca::verify::write_json, everything()));
    CHECK(report["schema"] == "dca-report");
    CHECK(report["schema_version"] == 1);
    CHECK(report["verdict"] == "errored");
    CHECK(report["exit_status"] == 2);
    CHECK(report["golden"] == "g.h5");
    REQUIRE(report["cases"].size() == 5);
    CHECK(report["notes"].size() == 1);

    const json& wrong = report["cases"][1];
    CHECK(wrong["id"] == "wrong");
    CHECK(wrong["verdict"] == "failed");
    CHECK(wrong["repro"] == "dca compare g.h5 c.h5 --case wrong");
    CHECK(wrong["explanations"][0]["id"] == "detached-merge");
    CHECK(wrong["explanations"][0]["tensors"] == json({"dq"}));
    const json& dq = wrong["tensors"][2];
    CHECK(dq["tensor"] == "dq");
    CHECK(dq["element_line"] == 6.0);
    CHECK(dq["row_line"] == 3.0);
    CHECK(dq["worst_element"]["index"] == json({0, 12, 1, 3}));
    CHECK(dq["worst_element"]["region"] == "+inter");
    CHECK(dq["worst_element"]["expected"] == 0.25);
    CHECK(dq["worst_element"]["got"] == "nan");
    CHECK(dq["worst_element"]["ratio"] == "inf");
    CHECK(dq["worst_row"]["ratio"] == 1234.5);
    CHECK(dq["regions"][1]["bad_elements"] == 512);
    CHECK(dq["regions"][1]["bad_rows"] == 40);
    CHECK(wrong["tensors"][1]["worst_row"].is_null());
}

TEST_CASE("json: a run without cases is an object like any other") {
    const json report = json::parse(written(dca::verify::write_json, run_of({})));
    CHECK(report["cases"].empty());
    CHECK(report["verdict"] == "skipped");
    CHECK(report["exit_status"] == 3);
}

TEST_CASE("json: numbers keep every bit") {
    auto one = passing_case("bits");
    one.tensors[0].worst.expected = 0.1 + 0x1p-56;
    const json report = json::parse(written(dca::verify::write_json, run_of({one})));
    CHECK(report["cases"][0]["tensors"][0]["worst_element"]["expected"].get<double>() == 0.1 + 0x1p-56);
}

}  // namespace
