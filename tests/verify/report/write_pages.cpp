// Writes the HTML pages that pages.py opens in a browser, and the JSON that json_reports.py checks: write_pages FOLDER.
#include <fstream>
#include <iostream>

#include "tests/verify/report/rich_reports.hpp"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: write_pages FOLDER\n";
        return 2;
    }
    using namespace dca::test;
    const auto write = [&](const std::string& name, const dca::verify::RunReport& report, bool pictures = true) {
        std::ofstream file(std::string(argv[1]) + "/" + name + ".html", std::ios::binary);
        dca::verify::write_html(file, report, {.pictures = pictures});
        std::ofstream numbers(std::string(argv[1]) + "/" + name + ".json", std::ios::binary);
        dca::verify::write_json(numbers, report);
        return file.flush().good() && numbers.flush().good();
    };
    const auto write_matrix = [&](const std::string& name, const dca::verify::KillPage& matrix) {
        std::ofstream file(std::string(argv[1]) + "/" + name + ".html", std::ios::binary);
        dca::verify::write_kill_matrix_html(file, matrix);
        return file.flush().good();
    };
    std::vector<dca::verify::CaseReport> passing;
    for (int i = 0; i < 20; ++i) passing.push_back(passing_case("case_" + std::to_string(i)));
    const bool written = write("passing", run_of(passing)) && write("one", run_of({rich_case("wrong")})) &&
                         write("plain", run_of({rich_case("wrong")}), false) && write("suite", suite_run()) &&
                         write("hostile", hostile_run()) && write("everything", everything()) &&
                         write("empty", run_of({})) && write_matrix("matrix", kill_page());
    return written ? 0 : 2;
}
