// The JSON report reads back, whatever the numbers and names are.
#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/verify/report/rich_reports.hpp"

namespace {

using namespace dca::test;
using nlohmann::json;

/// What the writer writes of a report, checked against the schema.
json written_json(const dca::verify::RunReport& report) {
    const json result = json::parse(written(dca::verify::write_json, report));
    const std::vector<std::string> violations = JsonSchema::of_reports().violations(result);
    CAPTURE(violations);
    CHECK(violations.empty());
    return result;
}

TEST_CASE("json: everything in a report reads back") {
    const json report = written_json(everything());
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
    const json report = written_json(run_of({}));
    CHECK(report["cases"].empty());
    CHECK(report["verdict"] == "skipped");
    CHECK(report["exit_status"] == 3);
}

TEST_CASE("json: numbers keep every bit") {
    auto one = passing_case("bits");
    one.tensors[0].worst.expected = 0.1 + 0x1p-56;
    const json report = written_json(run_of({one}));
    CHECK(report["cases"][0]["tensors"][0]["worst_element"]["expected"].get<double>() == 0.1 + 0x1p-56);
}

TEST_CASE("json: where the error lies, the pictures as numbers, the noise and the golden's own error") {
    const json report = written_json(run_of({rich_case("rich"), passing_case("plain")}));
    const json& rich = report["cases"][0];
    CHECK(rich["problem"]["chunk_size"] == 10);
    CHECK(rich["problem"]["dialect"] == "exact");
    CHECK(rich["problem"]["heads_kv"] == 1);
    CHECK(rich["seconds"] == 0.125);
    const json& dq = rich["tensors"][2];
    CHECK(dq["golden_accuracy"] == json({{"error_radius", 2e-13}, {"proven", true}, {"correctly_rounded", false}}));
    CHECK(dq["histogram"]["first_exponent"] == -8);
    CHECK(dq["histogram"]["counts"].size() == 24);
    CHECK(dq["histogram"]["counts"][6] == 160);
    CHECK(dq["histogram"]["exact"] == 17);
    REQUIRE(dq["grids"].size() == 2);
    const json& grid = dq["grids"][1];
    CHECK(grid["column_axis"] == "key chunk");
    CHECK(grid["values"].size() == 33 * 6);
    CHECK(grid["values"][0] == 0.2);
    CHECK(grid["values"][1].is_null());
    const json& place = rich["localisations"][0];
    CHECK(place["tensor"] == "dq");
    CHECK(place["by_chunk"][1]["share"] == 0.4);
    CHECK(place["by_head"][1]["bad_rows"] == 9);
    CHECK(place["by_region"][0]["part"] == "intra");
    CHECK(place["by_border_distance"].size() == 2);
    CHECK(place["period"]["period"] == 8);
    CHECK(place["findings"].size() == 2);
    CHECK(rich["fingerprints"][1]["best"] == "P in e4m3");
    CHECK(rich["fingerprints"][1]["worse_than_declared"] == true);
    const json& plain = report["cases"][1];
    CHECK(plain["problem"].is_null());
    CHECK(plain["tensors"][0]["golden_accuracy"].is_null());
}

TEST_CASE("json: every report of these tests is valid, whatever its texts") {
    const json hostile_report = written_json(hostile_run());
    CHECK(hostile_report["cases"][1]["waiver"] == "");
    CHECK(hostile_report["cases"][2]["waiver"].get<std::string>().find("<script>") != std::string::npos);
    written_json(suite_run());
    dca::verify::RunReport unknown = run_of({rich_case("unknown")});
    unknown.cases[0].tensors[0].golden_accuracy->error_radius = std::numeric_limits<double>::infinity();
    CHECK(written_json(unknown)["cases"][0]["tensors"][0]["golden_accuracy"]["error_radius"] == "inf");
}

TEST_CASE("json: the schema check sees what a schema must see") {
    const JsonSchema schema = JsonSchema::of_reports();
    const json right = json::parse(written(dca::verify::write_json, run_of({rich_case("rich")})));
    REQUIRE(schema.violations(right).empty());
    const auto broken = [&](const char* pointer, const json& value) {
        json report = right;
        const json::json_pointer place(pointer);
        if (value.is_discarded()) {
            report[place.parent_pointer()].erase(place.back());
        } else {
            report[place] = value;
        }
        return schema.violations(report).size();
    };
    const json gone(json::value_t::discarded);
    for (const char* key : {"/golden", "/cases/0/waiver", "/cases/0/tensors/2/histogram", "/cases/0/problem/seq_q",
                            "/cases/0/tensors/2/worst_element/sigma", "/cases/0/localisations/0/period/period"}) {
        CAPTURE(key);
        CHECK(broken(key, gone) == 1);
    }
    CHECK(broken("/schema_version", 2) == 1);
    CHECK(broken("/verdict", "fine") == 1);
    CHECK(broken("/cases/0/tensors/2/regions/0/rows", -1) == 1);
    CHECK(broken("/cases/0/tensors/2/regions/0/rows", 1.5) == 1);
    CHECK(broken("/cases/0/tensors/2/histogram/counts", json::array({1, 2})) == 1);
    CHECK(broken("/cases/0/tensors/2/worst_element/ratio", "infinite") == 1);
    CHECK(broken("/cases/0/tensors/2/worst_element/ratio", nullptr) == 1);
    CHECK(broken("/cases/0/new_key", 1) == 1);
    CHECK_THROWS(JsonSchema(json{{"multipleOf", 2}}, false).violations(right));
}

}  // namespace
