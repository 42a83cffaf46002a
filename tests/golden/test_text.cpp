// Helpers of case texts and messages.
#include "golden/text.hpp"

#include <array>
#include <cstdint>
#include <limits>

#include "tests/support/catch.hpp"

using namespace dca::golden;

TEST_CASE("nearest finds misspelt names and leaves strangers alone") {
    constexpr std::array<std::string_view, 4> names{"rope_base", "rope", "chunk_size", "dtype"};
    CHECK(nearest("rope_bas", names) == "rope_base");
    CHECK(nearest("chunksize", names) == "chunk_size");
    CHECK(nearest("dtyp", names) == "dtype");
    CHECK(nearest("ropes", names) == "rope");
    CHECK_FALSE(nearest("foo", names));
    CHECK_FALSE(nearest("head", names));
    CHECK_FALSE(nearest(std::string(100000, 'x'), names));
    CHECK(suggestion("rope_bas", names) == ", did you mean rope_base?");
    CHECK(suggestion("zzz", names).empty());
}

TEST_CASE("printable keeps messages on one line of plain text") {
    CHECK(printable("a\nb\x1b[31m\xc3\xa4") == "a?b?[31m??");
    CHECK(printable(std::string(5000, 'x')).size() == 203);
}

TEST_CASE("shortest reads back exactly") {
    CHECK(shortest(0.1) == "0.1");
    CHECK(shortest(10000.0) == "10000");
    CHECK(shortest(-std::numeric_limits<double>::infinity()) == "-inf");
}

TEST_CASE("case ids cannot be paths") {
    CHECK(is_case_id("gqa_b2.v-1"));
    for (const char* bad : {"", ".", "..", "a/b", "a b", "a\nb", "\xc3\xa4"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_case_id(bad));
    }
}

TEST_CASE("shapes print as tuples") {
    constexpr std::array<std::int64_t, 3> extents{2, 17, 8};
    CHECK(shape_text(extents) == "(2, 17, 8)");
}
