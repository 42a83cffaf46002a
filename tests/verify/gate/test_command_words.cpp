// How the text after --command becomes words, and what is put into them.
#include "reference/spec/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/process.hpp"
#include "verify/gate/command_words.hpp"

using namespace dca::verify;
using Words = std::vector<std::string>;

TEST_CASE("Words are split at blanks and joined by quotes") {
    CHECK(split_command("prog {input}  {output}\t-x") == Words{"prog", "{input}", "{output}", "-x"});
    CHECK(split_command("'a b' \"c d\" e\\ f g'h i'j") == Words{"a b", "c d", "e f", "gh ij"});
    CHECK(split_command("'' \"\" x''") == Words{"", "", "x"});
    CHECK(split_command("'a\\b' \"a\\b\" \"a\\\\b\" \"a\\\"b\" a\\'b") == Words{"a\\b", "a\\b", "a\\b", "a\"b", "a'b"});
    CHECK(split_command("$HOME * ~ ; | && > `x` #") == Words{"$HOME", "*", "~", ";", "|", "&&", ">", "`x`", "#"});
}

TEST_CASE("Quotes that never close are refused") {
    for (const char* text : {"", "  ", "a 'b", "a \"b", "a \"b\\\"", "a\\"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(split_command(text), dca::InvalidProblem);
    }
    CHECK_THROWS_AS(split_command(std::string("a\0b", 3)), dca::InvalidProblem);
}

TEST_CASE("Placeholders are replaced inside words and only once") {
    const Placeholders values{{"{input}", "/a b/{output}.h5"}, {"{output}", "o"}};
    CHECK(filled("--in={input}", values) == "--in=/a b/{output}.h5");
    CHECK(filled("{output}{output}{", values) == "oo{");
    CHECK(filled("{x} {Input} awk {print}", values) == "{x} {Input} awk {print}");
}

TEST_CASE("A shell reads quoted words as they were") {
    const Words words{"printf", "%s|", "a b", "it's", "", "$HOME", "`id`", "\"", "\\", "*", "plain-1.0", "new\nline"};
    const dca::test::Finished finished = dca::test::run_shell(shell_command(words));
    CHECK(finished.out == "a b|it's||$HOME|`id`|\"|\\|*|plain-1.0|new\nline|");
    CHECK(split_command(shell_command({"a", "b c", "d'e"})) == Words{"a", "b c", "d'e"});
}
