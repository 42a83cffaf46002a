// Case texts said as changes, and inputs shared between cases of different lengths.
#include "golden/make_inputs.hpp"
#include "tests/support/catch.hpp"
#include "verify/hazards/case_words.hpp"
#include "verify/hazards/computed.hpp"

using namespace dca;
using namespace dca::hazards;

TEST_CASE("words replace, add and take out") {
    CHECK(changed("a=1 b=2", "b=3") == "a=1 b=3");
    CHECK(changed("a=1 b=2", "c=4 a=5") == "a=5 b=2 c=4");
    CHECK(changed("a=1 b=2", "a=") == "b=2");
    CHECK(changed("", "a=1") == "a=1");
    CHECK(changed("a=1", "") == "a=1");
    CHECK(word("a=1 bb=2", "bb") == "2");
    CHECK(word("a=1 bb=2", "b").empty());
}

TEST_CASE("cases of different lengths work on the first rows of the same inputs") {
    const golden::CaseSpec longer = changed_case("seq_q=9 heads_q=2 head_dim=4 C=6 w=2 seed=3", "");
    const golden::CaseSpec decoded = changed_case("seq_q=2 seq_k=7 heads_q=2 head_dim=4 C=6 w=2 seed=3", "");
    const Inputs all = golden::make_inputs(longer);
    const Computable part = computable(decoded, longer, 9);
    for (std::int64_t head = 0; head < 2; ++head) {
        for (std::int64_t channel = 0; channel < 4; ++channel) {
            for (std::int64_t row = 0; row < 2; ++row) {
                CHECK(part.inputs.q(0, row, head, channel) == all.q(0, row + 5, head, channel));
                CHECK((*part.inputs.dout)(0, row, head, channel) == (*all.dout)(0, row + 5, head, channel));
            }
            for (std::int64_t row = 0; row < 7; ++row) {
                CHECK(part.inputs.k(0, row, head, channel) == all.k(0, row, head, channel));
                CHECK(part.inputs.v(0, row, head, channel) == all.v(0, row, head, channel));
            }
        }
    }
    CHECK(common_length(longer, decoded) == 9);
    // The exact definition does not care how a sequence is cut (Def.12).
    CHECK(output_difference(decoded, longer, 0, last_row) <= 1e-14);
    CHECK_THROWS_AS(output_difference(decoded, longer, 0, 5), InvalidProblem);
    CHECK_THROWS_AS(computable(changed_case("batch=2 seq_q=2 head_dim=4 C=6 w=2", ""), longer, 9), InvalidProblem);
}
