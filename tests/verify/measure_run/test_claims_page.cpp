// docs/claims.md is what `dca measure --claims docs/claims.toml --page` writes: here what of it no machine changes.
#include <fstream>
#include <sstream>

#include "reference/spec/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/verify/measure_run/sample_report.hpp"
#include "verify/measure_report/claims_page.hpp"

using namespace dca::measure;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

std::string file_text(const std::string& name) {
    std::ifstream file(DCA_SOURCE_DIR "/docs/" + name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// Rows of the table of claims, without its header.
std::vector<std::string> rows(const std::vector<std::string>& lines) {
    std::vector<std::string> all;
    for (const std::string& line : lines) {
        if (line.starts_with("| ") && !line.starts_with("| id |") && !line.starts_with("| --- |")) all.push_back(line);
    }
    return all;
}

}  // namespace

TEST_CASE("docs/claims.md has every claim of docs/claims.toml, in order, with the verdict that the file knows") {
    const ClaimsFile file = read_claims(DCA_SOURCE_DIR "/docs/claims.toml");
    const std::vector<std::string> table = rows(lines_of(file_text("claims.md")));
    std::size_t row = 0;
    for (const FiledClaim& filed : file.claims) {
        for (const std::string& candidate : filed.candidates) {
            CAPTURE(filed.id, candidate);
            REQUIRE(row < table.size());
            const std::string& line = table[row++];
            CHECK(line.starts_with(row_beginning(filed, candidate)));
            if (filed.expect) CHECK(line.ends_with("| " + std::string(name(*filed.expect)) + " |"));
        }
    }
    CHECK(row == table.size());
}

TEST_CASE("the page is written from a report, and needs every claim judged") {
    const ClaimsFile file = read_claims(DCA_SOURCE_DIR "/docs/claims.toml");
    MeasureReport report = dca::test::sample_report();
    std::ostringstream out;
    CHECK_THROWS_AS(write_claims_page(out, file, report), dca::ContractError);
    report.claims.clear();
    for (const FiledClaim& filed : file.claims) {
        for (const std::string& candidate : filed.candidates) {
            ClaimReport& made = report.claims.emplace_back();
            made.id = claim_id(filed, candidate);
            made.verdict.measured_name = "a|b";
            made.verdict.measured = Estimate{1, 1, 1};
        }
    }
    out.str("");
    write_claims_page(out, file, report);
    const std::vector<std::string> table = rows(lines_of(out.str()));
    CHECK(table.size() == report.claims.size());
    for (const std::string& line : table) CHECK(line.ends_with("| a\\|b: 1 (1 .. 1) | INCONCLUSIVE |"));
}
