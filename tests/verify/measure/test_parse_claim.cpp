#include <string>

#include "reference/spec/error.hpp"
#include "tests/support/catch.hpp"
#include "verify/measure/claim.hpp"

using namespace dca::measure;

namespace {

std::string refusal(const std::string& text) {
    try {
        (void)parse_claim(text);
    } catch (const dca::InvalidProblem& error) {
        return error.what();
    }
    return "accepted";
}

}  // namespace

TEST_CASE("claims on growth") {
    const Claim memory = parse_claim("memory <= O(n*c)");
    CHECK(memory.quantity == Quantity::memory);
    CHECK(memory.relation == Relation::at_most);
    CHECK(memory.growth == std::vector<Growth>{{1, 1, 0}});
    CHECK(parse_claim("time == O(n^2)").growth == std::vector<Growth>{{2, 0, 0}});
    CHECK(parse_claim("time == O(n^2)").relation == Relation::equal);
    CHECK(parse_claim("elements >= O(n^1.5)").growth == std::vector<Growth>{{1.5, 0, 0}});
    CHECK(parse_claim("time<=O(n log n)").growth == std::vector<Growth>{{1, 0, 1}});
    CHECK(parse_claim("time <= O(n*log(n)^2)").growth == std::vector<Growth>{{1, 0, 2}});
    CHECK(parse_claim("memory <= O(1)").growth == std::vector<Growth>{{0, 0, 0}});
    CHECK(parse_claim("peak <= O(n*c + (n/c)^2)").growth == std::vector<Growth>{{1, 1, 0}, {2, -2, 0}});
    CHECK(parse_claim("peak <= O((n/c)*c^2)").growth == std::vector<Growth>{{1, 1, 0}});
}

TEST_CASE("claims on numbers") {
    const Claim peak = parse_claim("peak <= 20.1 KiB/token");
    CHECK(peak.growth.empty());
    CHECK(peak.limit == 20.1 * 1024);
    CHECK(peak.per_token);
    CHECK(peak.unit == "KiB/token");
    CHECK(peak.where == Where::largest);
    const Claim ratio = parse_claim("ratio(time, plain_causal) <= 1.05 at n >= 32K");
    CHECK(ratio.ratio_to == "plain_causal");
    CHECK(ratio.limit == 1.05);
    CHECK(ratio.where == Where::from);
    CHECK(ratio.n == 32768);
    CHECK(parse_claim("time >= 3 ms at n = 1024").limit == 3e-3);
    CHECK(parse_claim("time >= 3 ms at n = 1024").where == Where::exactly);
    CHECK(parse_claim("memory <= 1.5GB at every n").where == Where::every);
    CHECK(parse_claim("memory <= 1.5GB").limit == 1.5e9);
    CHECK(parse_claim("elements <= 4000/token").per_token);
    CHECK(parse_claim("elements <= 5050 at n = 100").limit == 5050);
}

TEST_CASE("names of growth laws") {
    CHECK(name(Growth{}) == "1");
    CHECK(name(Growth{1, 1, 0}) == "n*c");
    CHECK(name(Growth{2, -2, 0}) == "(n/c)^2");
    CHECK(name(Growth{1, -1, 0}) == "n/c");
    CHECK(name(Growth{2, -1, 0}) == "n^2/c");
    CHECK(name(Growth{1, 0, 1}) == "n*log n");
    CHECK(name(Growth{1.5, 0, 0}) == "n^1.5");
    CHECK(value(Growth{2, -2, 0}, 64, 16) == Approx(16).epsilon(1e-12));
}

TEST_CASE("what is no claim is refused with its column and a way out") {
    const std::pair<const char*, const char*> refusals[] = {
        {"", "column 1: expected time, cpu"},
        {"memry <= O(n)",
         "column 1: expected time, cpu, memory, peak, flops, elements or ratio(...), did you mean memory?"},
        {"memory < O(n)", "column 8: expected '<=', '>=' or '=='"},
        {"memory <= O(N)",
         "column 13: expected n, c, log n, 1 or a product in brackets; the number of tokens is written n"},
        {"memory <= O(n*L)",
         "column 15: expected n, c, log n, 1 or a product in brackets; the chunk_size is written c"},
        {"memory <= O(n", "expected ')' or '+'"},
        {"memory <= O(n**2)", "column 15"},
        {"memory <= O(n^)", "expected a power"},
        {"memory <= O(n^99)", "expected powers of 6 at most"},
        {"memory <= O(1/n)", "a law that does not fall with n"},
        {"memory <= O(n) at n = 4", "nothing after O(...)"},
        {"memory <= 20 kib/token", "did you mean KiB?"},
        {"memory <= 20", "expected a unit (B, KiB"},
        {"time <= 20 KiB", "expected a unit (s, ms, us)"},
        {"elements <= 20 B", "it is a count"},
        {"memory <= 20 KiB/tokens", "expected token"},
        {"memory == 20 KiB", "O(...) after =="},
        {"memory <= 0 B", "a number above 0"},
        {"memory <= -1 B", "O(...) or a number"},
        {"memory <= nan B", "O(...) or a number"},
        {"memory <= inf B", "O(...) or a number"},
        {"ratio(time) <= 1", "',' and the name of a candidate"},
        {"ratio(time, ) <= 1", "the name of a candidate"},
        {"ratio(time, a) <= O(n)", "held against a number"},
        {"ratio(time, a) <= 1 s", "no unit after a ratio"},
        {"ratio(time, a) <= 1 at m = 3", "'every n', 'n = ...'"},
        {"ratio(time, a) <= 1 at n = 1.5", "a whole number of tokens"},
        {"ratio(time, a) <= 1 at n = 4M and more", "nothing more"},
        {"memory <= O((((((((((((n))))))))))))", "fewer brackets"},
        {"time <= O(log(n)^0.5)", "a whole power of log n"},
    };
    for (const auto& [text, expected] : refusals) {
        INFO(text << ": " << refusal(text));
        CHECK(refusal(text).find(expected) != std::string::npos);
        CHECK(refusal(text).find('\n') == std::string::npos);
    }
    CHECK(refusal(std::string(501, 'n')).find("500 characters") != std::string::npos);
}

TEST_CASE("every beginning of a claim and every changed byte is a claim or a refusal") {
    for (const std::string claim : {"peak <= O(n*c + (n/c)^2)", "ratio(time, plain_causal) <= 1.05 at n >= 32K",
                                    "memory <= 20.1 KiB/token at every n"}) {
        for (std::size_t i = 0; i <= claim.size(); ++i) (void)refusal(claim.substr(0, i));
        for (std::size_t i = 0; i < claim.size(); ++i) {
            for (int byte = 1; byte < 256; byte += 3) {
                std::string changed = claim;
                changed[i] = static_cast<char>(byte);
                (void)refusal(changed);
            }
        }
    }
    SUCCEED();
}
