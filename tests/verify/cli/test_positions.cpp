// dca positions against tables worked out by hand.
#include <sstream>
#include <vector>

#include "tests/verify/cli/support.hpp"

using namespace dca::test;

namespace {

struct Worked {
    const char* options;
    std::vector<const char*> rows;  // "i: relative positions of keys 0 .. i, | at chunk borders"
};

// chunk_size C, local_size w: the query positions are r, min(r + L, C), min(2L - 1, C) with r = i mod L, L = C - w.
const std::vector<Worked> worked = {
    {"--chunk-size 9 --local-size 3",
     {"5: 5 4 3 2 1 0", "6: 6 5 4 3 2 1 | 0", "8: 8 7 6 5 4 3 | 2 1 0", "9: 9 8 7 6 5 4 | 3 2 1 0",
      "10: 9 8 7 6 5 4 | 4 3 2 1 0", "11: 9 8 7 6 5 4 | 5 4 3 2 1 0"}},
    {"--chunk-size 10 --local-size 4", {"10: 10 9 8 7 6 5 | 4 3 2 1 0", "11: 10 9 8 7 6 5 | 5 4 3 2 1 0"}},
    {"--chunk-size 6 --local-size 2",
     {"3: 3 2 1 0", "4: 4 3 2 1 | 0", "5: 5 4 3 2 | 1 0", "6: 6 5 4 3 | 2 1 0", "7: 6 5 4 3 | 3 2 1 0",
      "8: 6 5 4 3 | 4 3 2 1 | 0", "9: 6 5 4 3 | 5 4 3 2 | 1 0", "10: 6 5 4 3 | 6 5 4 3 | 2 1 0",
      "11: 6 5 4 3 | 6 5 4 3 | 3 2 1 0"}},
    {"--chunk-size 4 --local-size 1", {"5: 4 3 2 | 2 1 0", "6: 4 3 2 | 3 2 1 | 0", "8: 4 3 2 | 4 3 2 | 2 1 0"}},
    {"--chunk-size 9 --local-size 4", {"10: 9 8 7 6 5 | 5 4 3 2 1 | 0"}},
    {"--chunk-size 5 --local-size 3", {"4: 3 2 | 2 1 | 0"}},
    {"--chunk-size 4 --local-size 0", {"5: 4 3 2 1 | 1 0", "7: 4 3 2 1 | 3 2 1 0"}},
};

/// Row i as above, from the lines of the CSV form.
std::string row_of_csv(const std::string& csv, const std::string& i) {
    std::istringstream lines(csv);
    std::string row = i + ":";
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::vector<std::string> field;
        for (std::string value; std::getline(fields, value, ',');) field.push_back(value);
        if (field[0] != i) continue;
        if (field[1] != "0" && field[4] == "0") row += " |";  // key_position 0: a chunk of keys begins
        row += " " + field[5];
    }
    return row;
}

/// The line of the text form that starts with "i=I: ", without padding.
std::string row_of_text(const std::string& text, const std::string& i) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind("i=", 0) != 0) continue;
        std::istringstream words(line.substr(2));
        std::string row, word;
        while (words >> word) row += (row.empty() ? "" : " ") + word;
        if (row.rfind(i + ":", 0) == 0) return row;
    }
    return "";
}

}  // namespace

TEST_CASE("text and csv agree with the tables worked by hand") {
    for (const Worked& table : worked) {
        const Finished csv = run_dca(std::string("positions --seq-len 12 --format csv ") + table.options);
        const Finished text = run_dca(std::string("positions --seq-len 12 ") + table.options);
        require_success(csv);
        require_success(text);
        for (const std::string expected : table.rows) {
            CAPTURE(table.options, expected);
            const std::string i = expected.substr(0, expected.find(':'));
            CHECK(row_of_csv(csv.out, i) == expected);
            CHECK(row_of_text(text.out, i) == expected);
        }
    }
}

TEST_CASE("csv has the header of the contract and one line per visible pair") {
    const Finished csv = run_dca("positions --chunk-size 2 --local-size 1 --seq-len 3 --format csv");
    require_success(csv);
    CHECK(csv.out ==
          "query,key,mode,query_position,key_position,relative_position\n"
          "0,0,intra,0,0,0\n"
          "1,0,succ,1,0,1\n"
          "1,1,intra,0,0,0\n"
          "2,0,inter,1,0,1\n"
          "2,1,succ,1,0,1\n"
          "2,2,intra,0,0,0\n");
}

TEST_CASE("text shows the position maps") {
    const Finished text = run_dca("positions --chunk-size 6 --local-size 2 --seq-len 6");
    require_success(text);
    CHECK(contains(text.out, "P_k     0 1 2 3 | 0 1\n"));
    CHECK(contains(text.out, "P_intra 0 1 2 3 | 0 1\n"));
    CHECK(contains(text.out, "P_succ  4 5 6 6 | 4 5\n"));
    CHECK(contains(text.out, "P_inter 6 6 6 6 | 6 6\n"));
}

TEST_CASE("svg is one document that fits light and dark viewers") {
    for (const char* length : {"1", "12", "200"}) {
        const Finished svg =
            run_dca(std::string("positions --chunk-size 6 --local-size 2 --format svg --seq-len ") + length);
        require_success(svg);
        CHECK(svg.out.rfind("<svg xmlns=\"http://www.w3.org/2000/svg\"", 0) == 0);
        CHECK(contains(svg.out, "prefers-color-scheme:dark"));
        CHECK(svg.out.substr(svg.out.size() - 7) == "</svg>\n");
    }
}

TEST_CASE("impossible settings and sizes are refused") {
    const std::string six = "positions --chunk-size 6 --local-size 2 ";
    check_refused(run_dca("positions --chunk-size 4 --local-size 4 --seq-len 5"),
                  "chunk_size 4 must be greater than local_size 4");
    check_refused(run_dca("positions --chunk-size 4 --local-size=-1 --seq-len 5"), "local_size is -1");
    check_refused(run_dca(six + "--seq-len 0"), "--seq-len");
    check_refused(run_dca(six + "--seq-len many"), "--seq-len");
    check_refused(run_dca(six + "--seq-len 257"), "--format csv");
    check_refused(run_dca(six + "--seq-len 513 --format svg"), "--format csv");
    check_refused(run_dca(six + "--seq-len 65537 --format csv"), "65536");
    check_refused(run_dca(six + "--seq-len 5 --format pdf"), "pdf");
    check_refused(run_dca(six + "--seq-len 5 --dialect nosuch"), "nosuch");
}
