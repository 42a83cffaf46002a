#include <algorithm>
#include <set>
#include <string>

#include "reference/spec/error.hpp"
#include "tests/support/catch.hpp"
#include "verify/measure/claims_file.hpp"

using namespace dca::measure;

namespace {

const std::string good = R"toml(schema = "dca-claims"
schema_version = 1

[ladder.small]
n = [512, 1024, 2048, 4096]
chunk_size = 256
chunk_sizes = [64, 256, 1024]
heads_q = 4
heads_kv = 2
repeats = 7

[[claim]]
id = "one"
claim = "memory <= O(n)"
candidates = ["reference", "three_call"]
ladder = "small"
who = "somebody"
source = "https://example.org"
says = "linear memory"
expect = "PASS"
)toml";

std::string refusal(const std::string& text) {
    try {
        (void)parse_claims(text, "claims.toml");
    } catch (const dca::FormatError& error) {
        return error.what();
    }
    return "accepted";
}

std::string repeated(const std::string& text, int times) {
    std::string made;
    for (int i = 0; i < times; ++i) made += text;
    return made;
}

std::string with(const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a file of claims") {
    const ClaimsFile file = parse_claims(good, "claims.toml");
    REQUIRE(file.ladders.size() == 1);
    const LadderPlan& plan = file.ladders[0];
    CHECK(plan.setting.heads_q == 4);
    CHECK(plan.setting.heads_kv == 2);
    CHECK(plan.setting.head_dim == 128);
    CHECK(plan.repeats == 7);
    // chunk_sizes are measured at the largest n; the 256 there is not measured twice.
    CHECK(plan.sizes ==
          std::vector<Size>{
              {512, 256, 32}, {1024, 256, 32}, {2048, 256, 32}, {4096, 64, 8}, {4096, 256, 32}, {4096, 1024, 128}});
    REQUIRE(file.claims.size() == 1);
    CHECK(file.claims[0].claim.growth == std::vector<Growth>{{1, 0, 0}});
    CHECK(file.claims[0].candidates == std::vector<std::string>{"reference", "three_call"});
    CHECK(file.claims[0].expect == ClaimOutcome::pass);
}

TEST_CASE("what is wrong with a file of claims is told with its line") {
    const struct {
        std::string text, expected;
    } refusals[] = {
        {with("schema = \"dca-claims\"", "schema = \"dca\""), "claims.toml:1: schema is not"},
        {with("schema_version = 1", "schema_version = 2"), "claims.toml:2: file: 'schema_version'"},
        {with("repeats = 7", "repeat = 7"),
         "claims.toml:10: ladder 'small': there is no key 'repeat', did you mean repeats?"},
        {with("repeats = 7", "repeats = 0"), "'repeats' is not a whole number from 1 to 1000"},
        {with("repeats = 7", "repeats = 7.5"), "'repeats' is not a whole number"},
        {with("repeats = 7", "dtype = \"f23\""), "there is no dtype 'f23'"},
        {with("repeats = 7", "pass = \"sideways\""), "pass is forward or backward"},
        {with("repeats = 7", "local_size = 64"), "'local_size' is not a whole number from 0 to 63"},
        {with("heads_kv = 2", "heads_kv = 3"), "heads_q is not a multiple of heads_kv"},
        {with("n = [512, 1024, 2048, 4096]", "n = [512, 512]"), "claims.toml:5: ladder 'small': 'n' does not ascend"},
        {with("n = [512, 1024, 2048, 4096]", "n = 512"), "not a list of 1 to 64 sizes"},
        {with("n = [512, 1024, 2048, 4096]", "n = []"), "not a list of 1 to 64 sizes"},
        {with("n = [512, 1024, 2048, 4096]", "n = [0]"), "'n' is not a whole number from 2"},
        {with("chunk_size = 256\n", ""), "'chunk_size' is missing"},
        {with("chunk_sizes = [64, 256, 1024]", "chunk_n = 512"), "'chunk_n' without 'chunk_sizes'"},
        {with("id = \"one\"\n", ""), "claims.toml:12: claim: 'id' is missing"},
        {with("id = \"one\"", "id = \"o ne\""), "an id is made of letters"},
        {with("memory <= O(n)", "memory <= O(m)"), "claims.toml:14: claim 'memory <= O(m)': column 13"},
        {with("[\"reference\", \"three_call\"]", "[]"), "'candidates' is not a list of names"},
        {with("ladder = \"small\"", "ladder = \"smal\""), "there is no [ladder.smal], did you mean small?"},
        {with("who = \"somebody\"\n", ""), "'who' is missing"},
        {with("expect = \"PASS\"", "expect = \"pass\""), "'expect' is PASS, FAIL or INCONCLUSIVE"},
        {with("expect = \"PASS\"", "expect = PASS"), "claims.toml:20: "},
        {good + good.substr(good.find("[[claim]]")), "claim 'one' is there twice"},
        {"", "'schema' is missing"},
        {std::string(std::size_t{1} << 20, ' ') + " ", "more than 1 MiB"},
        {good + "x = \"" + std::string(5000, 'y') + "\"\n", "claims.toml:21: a line of more than 4096 characters"},
        // Each part of a key is a table in a table: half a million of them would overflow the stack.
        {good + repeated("a.", 500000) + "b = 1\n", "a line of more than 4096 characters"},
        {repeated("a.", 2000) + "b = 1\n" + good, "there is no key 'a'"},
        {"a = " + repeated("[", 4000) + "\n" + good, "nested value depth"},
    };
    for (const auto& [text, expected] : refusals) {
        INFO(expected << "\n" << refusal(text));
        CHECK(refusal(text).find(expected) != std::string::npos);
        CHECK(refusal(text).find('\n') == std::string::npos);
    }
    CHECK_THROWS_AS(read_claims("/nonexistent/claims.toml"), dca::IoError);
}

TEST_CASE("every beginning of a file of claims is a file or a refusal") {
    for (std::size_t i = 0; i <= good.size(); ++i) (void)refusal(good.substr(0, i));
    SUCCEED();
}

TEST_CASE("the claims of the field can be read, and each says who makes it and where") {
    const ClaimsFile file = read_claims(std::string(DCA_SOURCE_DIR) + "/docs/claims.toml");
    CHECK(file.claims.size() >= 10);
    std::set<std::string> used;
    for (const FiledClaim& claim : file.claims) {
        INFO(claim.id);
        used.insert(claim.ladder);
        CHECK(claim.source.size() > 10);
        CHECK(claim.says.size() > 10);
    }
    for (const LadderPlan& plan : file.ladders) {
        INFO(plan.name);
        CHECK(used.count(plan.name) == 1);
        // An interval of a median, and of an exponent.
        CHECK(plan.repeats >= 5);
        const bool growth = std::any_of(file.claims.begin(), file.claims.end(), [&](const FiledClaim& claim) {
            return claim.ladder == plan.name && !claim.claim.growth.empty();
        });
        CHECK(plan.sizes.size() >= (growth ? 6U : 1U));
    }
}
