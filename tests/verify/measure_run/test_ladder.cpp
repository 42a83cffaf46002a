#include "reference/spec/problem.hpp"
#include "tests/support/catch.hpp"
#include "verify/measure/ladder.hpp"

using dca::measure::parse_ladder;
using Sizes = std::vector<std::int64_t>;

TEST_CASE("ladders of sizes") {
    CHECK(parse_ladder("1024..8192", "--n") == Sizes{1024, 2048, 4096, 8192});
    CHECK(parse_ladder("1K..8K", "--n") == Sizes{1024, 2048, 4096, 8192});
    CHECK(parse_ladder("1K..7K", "--n") == Sizes{1024, 2048, 4096});
    CHECK(parse_ladder("1K..64K*4", "--n") == Sizes{1024, 4096, 16384, 65536});
    CHECK(parse_ladder("100..400*1.5", "--n") == Sizes{100, 150, 225, 338});
    CHECK(parse_ladder("7", "--n") == Sizes{7});
    CHECK(parse_ladder("8,1K..2K,8,3", "--n") == Sizes{3, 8, 1024, 2048});
    CHECK(parse_ladder("2G", "--n") == Sizes{dca::max_position});
}

TEST_CASE("what is no ladder is refused with the option's name") {
    for (const char* text : {"",
                             ",",
                             "1,",
                             "x",
                             "1..",
                             "..2",
                             "1...2",
                             "0",
                             "-1",
                             "4..2",
                             "1..8*1",
                             "1..8*x",
                             "1..8*",
                             "1T",
                             "1KK",
                             "3G",
                             "9223372036854775807",
                             "1..1000000*1.1",
                             " 1",
                             "1 ",
                             "1..8*inf",
                             "1..8*nan"}) {
        CAPTURE(text);
        try {
            const Sizes sizes = parse_ladder(text, "--n");
            FAIL("gave " << sizes.size() << " sizes");
        } catch (const dca::InvalidProblem& why) {
            CHECK(std::string(why.what()).find("--n: '") == 0);
        }
    }
}
