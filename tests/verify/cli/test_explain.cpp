// dca list hazards and dialects, dca explain, and the documents that dca document writes.
#include "tests/verify/cli/support.hpp"

#include "reference/spec/dialect.hpp"

using namespace dca::test;

namespace {

std::size_t lines(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// The commands that explain prints under "see it with".
std::vector<std::string> commands_in(const std::string& explained) {
    std::vector<std::string> commands;
    std::istringstream stream(explained);
    for (std::string line; std::getline(stream, line);) {
        if (line.starts_with("  dca ")) commands.push_back(line.substr(6));
    }
    return commands;
}

}  // namespace

TEST_CASE("list hazards names number, title and whom it affects") {
    const Finished hazards = run_dca("list hazards");
    require_success(hazards);
    CHECK(lines(hazards.out) == 63);
    CHECK(hazards.out.starts_with("H1: "));
    CHECK(contains(hazards.out, "\nH43: "));
    CHECK(contains(hazards.out, "[megatron_pr4048]\n"));
    CHECK(contains(hazards.out, "\nH63: "));
}

TEST_CASE("list dialects has a line for each, with its source") {
    const Finished list = run_dca("list dialects");
    require_success(list);
    CHECK(lines(list.out) == dca::dialects().size());
    for (const dca::Dialect& dialect : dca::dialects()) {
        CAPTURE(dialect.name);
        CHECK(contains("\n" + list.out, "\n" + std::string(dialect.name) + ": "));
        CHECK(contains(list.out, "(" + std::string(dialect.source) + ")\n"));
    }
}

TEST_CASE("explain prints a hazard with the figures it has just measured") {
    const Finished shown = run_dca("explain H43");
    require_success(shown);
    for (const char* words : {"H43  Index out of range", "affected\n  megatron_pr4048\n", "minimal case\n  seq_q=5 ",
                              "what happens\n", "see it with\n  dca generate --case '", "measured now\n",
                              "5-6   (stated: 5-6)\n", "7169-8192   (stated: 7169-8192)\n"}) {
        CAPTURE(shown.out, words);
        CHECK(contains(shown.out, words));
    }
    CHECK(run_dca("explain h43").out == shown.out);

    const Finished not_shown = run_dca("explain H49");
    require_success(not_shown);
    CHECK(contains(not_shown.out, "not shown\n"));
    CHECK(!contains(not_shown.out, "measured now"));
}

TEST_CASE("an unknown hazard is one clear error with the range") {
    for (const char* id : {"H64", "H0", "43", "Hx", "hazard"})
        check_refused(run_dca(std::string("explain ") + id), "from H1 to H63");
    check_refused(run_dca("explain"), "HAZARD");
    check_refused(run_dca("explain H1 H2"), "H2");
}

TEST_CASE("every hazard is explained, and the commands printed run, or are refused by name where they say so") {
    const TemporaryFolder folder;
    int ran = 0;
    for (int n = 1; n <= 63; ++n) {
        const std::string id = "H" + std::to_string(n);
        const Finished shown = run_dca("explain " + id);
        CAPTURE(id);
        require_success(shown);
        CHECK(!contains(shown.out, "DIFFERS"));
        for (const std::string& command : commands_in(shown.out)) {
            CAPTURE(command);
            const Finished done =
                run_shell("cd " + shell_quoted(folder.path().string()) + " && " DCA_PROGRAM " " + command);
            if (contains(command, "refused.h5")) {
                check_refused(done, n == 7 && contains(command, "w=4") ? "local_size" : "(" + id + ")");
            } else {
                require_success(done);
            }
            ++ran;
        }
    }
    CHECK(ran >= 100);
}

TEST_CASE("the documents are what the program writes") {
    for (const char* page : {"dialects", "hazards"}) {
        const std::string path = std::string("docs/") + page + ".md";
        INFO(path << " is out of date; write it again with: dca document " << page << " >" << path);
        const Finished written = run_dca(std::string("document ") + page);
        require_success(written);
        CHECK(written.out.size() > 5000);
        CHECK(written.out == read_file(std::string(DCA_SOURCE_DIR "/") + path));
        CHECK(written.out == run_dca(std::string("document ") + page).out);
    }
    check_refused(run_dca("document"), "document needs one of dialects, hazards");
    check_refused(run_dca("document planets"), "planets");
}

TEST_CASE("the documents mention every dialect and every hazard") {
    const std::string dialects = read_file(DCA_SOURCE_DIR "/docs/dialects.md");
    const std::string hazards = read_file(DCA_SOURCE_DIR "/docs/hazards.md");
    for (const dca::Dialect& dialect : dca::dialects())
        CHECK(contains(dialects, "| `" + std::string(dialect.name) + "` |"));
    for (int n = 1; n <= 63; ++n) CHECK(contains(hazards, "\n### H" + std::to_string(n) + ". "));
}
