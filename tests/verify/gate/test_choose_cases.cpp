// Which cases run: tags that follow from the case, filters, shards that are together all, other seeds.
#include <algorithm>
#include <set>

#include "golden/catalogue.hpp"
#include "golden/kills.hpp"
#include "golden/make_inputs.hpp"
#include "tests/support/catch.hpp"
#include "tests/verify/gate/candidates.hpp"
#include "verify/gate/choose_cases.hpp"
#include "verify/gate/predict.hpp"
#include "verify/gate/run_gate.hpp"
#include "verify/gate/tags.hpp"
#include "verify/hazards/hazard.hpp"
#include "verify/mutants/mutant.hpp"

using namespace dca;
using verify::CaseFilter;

namespace {

golden::CaseSpec case_of(const std::string& text) {
    return golden::parse_case(text);
}

bool has(const std::string& text, const std::string& tag) {
    const auto tags = verify::tags_of(case_of(text));
    return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

std::vector<std::string> ids(const std::vector<golden::CaseSpec>& cases) {
    std::vector<std::string> names;
    for (const auto& spec : cases) names.push_back(spec.id);
    return names;
}

std::vector<std::string> chosen(const CaseFilter& filter) {
    return ids(verify::choose_cases(golden::suite("ci"), filter).cases);
}

/// Pairs counted one by one, from the definition of the modes.
verify::CaseFacts counted(const Problem& problem) {
    verify::CaseFacts facts;
    const std::int64_t stride = problem.chunk.chunk_len(), offset = problem.resolved_query_offset();
    for (std::int64_t row = 0; row < problem.shape.seq_q; ++row) {
        const std::int64_t query = row + offset;
        for (std::int64_t key = 0; key < problem.shape.seq_k && key <= query; ++key) {
            const std::int64_t chunks = query / stride - key / stride;
            (chunks == 0 ? facts.intra : chunks == 1 ? facts.succ : facts.inter) += 1;
        }
    }
    return facts;
}

}  // namespace

TEST_CASE("Pairs are counted by mode") {
    for (const std::int64_t rows : {1, 5, 17}) {
        for (const std::int64_t keys : {1, 4, 9, 23}) {
            for (const std::int64_t offset : {0, 3, 20}) {
                for (const char* chunk :
                     {"chunk_size=4 local_size=1", "chunk_size=9 local_size=3", "chunk_size=2 local_size=1"}) {
                    const auto spec = case_of("seq_q=" + std::to_string(rows) + " seq_k=" + std::to_string(keys) +
                                              " head_dim=8 query_offset=" + std::to_string(offset) + " " + chunk);
                    const auto facts = verify::facts_of(spec), expected = counted(spec.problem);
                    CHECK(facts.intra == expected.intra);
                    CHECK(facts.succ == expected.succ);
                    CHECK(facts.inter == expected.inter);
                }
            }
        }
    }
    const auto packed = verify::facts_of(case_of("seq_q=9 head_dim=8 chunk_size=3 local_size=1 cu_seqlens=0,4,4,9"));
    CHECK(packed.pairs() == 10 + 15);
    CHECK(packed.longest == 5);
}

TEST_CASE("Tags follow from the case") {
    const std::string plain = "seq_q=33 head_dim=16 chunk_size=12 local_size=4";
    for (const char* tag : {"succ", "inter", "clamped", "ragged", "backward"}) CHECK(has(plain, tag));
    for (const verify::Tag& tag : verify::known_tags()) {
        CAPTURE(tag.name);
        const bool expected =
            std::set<std::string_view>{"succ", "inter", "clamped", "ragged", "backward"}.count(tag.name) > 0;
        CHECK(has(plain, std::string(tag.name)) == expected);
    }
    CHECK(has("seq_q=8 head_dim=16 chunk_size=12 local_size=4", "one-chunk"));
    CHECK_FALSE(has("seq_q=9 head_dim=16 chunk_size=12 local_size=4", "one-chunk"));
    CHECK_FALSE(has("seq_q=16 head_dim=16 chunk_size=12 local_size=4", "inter"));
    CHECK(has("seq_q=17 head_dim=16 chunk_size=12 local_size=4", "inter"));
    // C = 2 L - 1 and no position behind it: row 15 is at min(7 + 8, 15)
    CHECK_FALSE(has("seq_q=16 head_dim=16 chunk_size=15 local_size=7", "clamped"));
    CHECK(has("seq_q=16 head_dim=16 chunk_size=14 local_size=6", "clamped"));
    CHECK(has("seq_q=1 seq_k=9 head_dim=16 chunk_size=12 local_size=4", "decode"));
    CHECK(has("seq_q=2 seq_k=9 head_dim=16 chunk_size=12 local_size=4", "chunked-prefill"));
    CHECK(has("seq_q=9 seq_k=2 head_dim=16 chunk_size=12 local_size=4", "empty-rows"));
    CHECK(has(plain + " heads_q=4 heads_kv=1", "mqa"));
    CHECK(has(plain + " rope_scaling=yarn rope_factor=2", "yarn"));
    CHECK(has(plain + " rotary_dim=8", "partial-rotary"));
    CHECK_FALSE(has(plain + " gradient=0", "backward"));
    CHECK(verify::tags_of(case_of(plain + " expect=reject")) == std::vector<std::string>{"reject"});
    // every tag but those of other kinds of cases chooses something of the suites
    for (const verify::Tag& tag : verify::known_tags()) {
        CAPTURE(tag.name);
        if (tag.name == "dialect" || tag.name == "sparse" || tag.name == "probe" || tag.name == "work-types") continue;
        CaseFilter filter;
        filter.tags = {std::string(tag.name)};
        CHECK_FALSE(chosen(filter).empty());
    }
}

TEST_CASE("Filters narrow") {
    CaseFilter filter;
    CHECK_FALSE(filter.narrows());
    CHECK(chosen(filter).size() == golden::suite("ci").size());
    filter.tags = {"packed", "gqa"};
    CHECK(chosen(filter) == std::vector<std::string>{"packed_gqa_chunk_means"});
    filter.tags = {"packed", "!gqa", "!dynamic"};
    CHECK(chosen(filter) == std::vector<std::string>{"packed"});
    CHECK(filter.narrows());
    filter = {};
    filter.cases = {"dtype_f?2", "one_*"};
    CHECK(chosen(filter) == std::vector<std::string>{"dtype_f32", "one_key", "one_chunk"});
    filter.dtypes = {"bf16", "f16"};
    CHECK(chosen(filter) == std::vector<std::string>{"one_key", "one_chunk"});
    filter.start = "one_chunk";
    CHECK(chosen(filter) == std::vector<std::string>{"one_chunk"});
    filter = {};
    filter.cases = {"nothing*", "packed"};
    const auto choice = verify::choose_cases(golden::suite("ci"), filter);
    CHECK(choice.cases.size() == 1);
    CHECK(choice.unmatched == std::vector<std::string>{"no case matches 'nothing*'"});
}

TEST_CASE("Words that mean nothing are refused") {
    const auto refused = [](auto set) {
        CaseFilter filter;
        set(filter);
        CHECK_THROWS_AS(chosen(filter), InvalidProblem);
    };
    refused([](CaseFilter& f) { f.tags = {"pakced"}; });
    refused([](CaseFilter& f) { f.tags = {"!"}; });
    refused([](CaseFilter& f) { f.dtypes = {"fp32"}; });
    refused([](CaseFilter& f) { f.hazards = {"H99"}; });
    refused([](CaseFilter& f) { f.hazards = {"H49"}; });  // a serving engine's; no case can show it
    refused([](CaseFilter& f) { f.start = "nowhere"; });
    refused([](CaseFilter& f) { f.mutant = "nobody"; });
    for (const char* text : {"", "1", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "a/b", "1/2 "}) {
        CAPTURE(text);
        CHECK_THROWS_AS(verify::parse_shard(text), InvalidProblem);
    }
}

TEST_CASE("Hazards choose the cases that have what the trap needs") {
    CaseFilter filter;
    filter.hazards = {"h34"};
    const auto merged = chosen(filter);
    const std::set<std::string> set(merged.begin(), merged.end());
    CHECK(set.count("dtype_bf16") == 1);
    CHECK(set.count("one_chunk") == 0);         // nothing is merged
    CHECK(set.count("decode_mid_chunk") == 0);  // no gradients
    for (const verify::HazardNeed& need : verify::hazard_needs()) {
        CAPTURE(need.id);
        CHECK(hazards::find_hazard(need.id) != nullptr);
        filter.hazards = {std::string(need.id)};
        CHECK_FALSE(chosen(filter).empty());
    }
}

TEST_CASE("Where a trap's mutant can differ, the trap's filter chooses the case") {
    const auto cases = golden::suite("ci");
    for (const mutants::Mutant& mutant : mutants::catalogue()) {
        for (const verify::HazardNeed& need : verify::hazard_needs()) {
            if (need.id != mutant.hazard) continue;
            CaseFilter filter;
            filter.mutant = std::string(mutant.id);
            for (const auto& spec : verify::choose_cases(cases, filter).cases) {
                CAPTURE(mutant.id, need.id, spec.id);
                CHECK(verify::can_show(need, spec));
            }
        }
    }
}

TEST_CASE("A mutant chooses the cases that are known to catch it") {
    CaseFilter filter;
    filter.mutant = "detached-merge";
    const auto cases = verify::choose_cases(golden::suite("ci"), filter).cases;
    CHECK_FALSE(cases.empty());
    for (const auto& spec : cases) {
        CAPTURE(spec.id);
        const auto kills = golden::known_kills(spec);
        REQUIRE(kills);
        CHECK(kills->find("detached-merge=") != std::string::npos);
    }
    // what is not of a suite is chosen where the mutant can differ
    const auto others = test::cases_of({test::small_case, "id=merged_by_none seq_q=3 head_dim=8 C=6 w=2"});
    CHECK(ids(verify::choose_cases(others, filter).cases) == std::vector<std::string>{"small"});
}

TEST_CASE("Shards are disjoint, together all, and even") {
    const auto cases = golden::suite("ci");
    for (const int count : {1, 2, 3, 7, 100}) {
        std::vector<std::string> all;
        double least = 1e300, most = 0, dearest = 0;
        for (const auto& spec : cases) dearest = std::max(dearest, verify::predict(spec).work);
        for (int index = 1; index <= count; ++index) {
            const auto part = verify::shard_of(cases, {index, count});
            CHECK(ids(part) == ids(verify::shard_of(cases, {index, count})));
            double work = 0;
            for (const auto& spec : part) {
                all.push_back(spec.id);
                work += verify::predict(spec).work;
            }
            least = std::min(least, work);
            most = std::max(most, work);
        }
        std::vector<std::string> expected = ids(cases);
        std::sort(all.begin(), all.end());
        std::sort(expected.begin(), expected.end());
        CHECK(all == expected);
        CHECK(most - least <= dearest);  // what giving to the least loaded guarantees
    }
}

TEST_CASE("A dear case has a shard for itself") {
    std::vector<golden::CaseSpec> cases;
    for (const char* rows : {"8", "9", "3000", "10", "11"})
        cases.push_back(case_of(std::string("head_dim=16 chunk_size=6 local_size=2 seq_q=") + rows));
    CHECK(verify::shard_of(cases, {1, 2}).size() == 1);
    CHECK(verify::shard_of(cases, {1, 2}).front().problem.shape.seq_q == 3000);
    CHECK(verify::shard_of(cases, {2, 2}).size() == 4);
}

TEST_CASE("Another seed gives other inputs, and the same ones every time") {
    auto first = test::cases_of({test::small_case, test::other_case}), second = first, third = first;
    const auto before = first;
    verify::reseed(first, 1);
    verify::reseed(second, 1);
    verify::reseed(third, 2);
    CHECK(first == second);
    std::set<std::uint64_t> seeds;
    for (const auto& cases : {before, first, third}) {
        for (const auto& spec : cases) seeds.insert(spec.recipe.seed);
    }
    CHECK(seeds.size() == 6);
    auto alike = test::cases_of({test::small_case, test::other_case});
    alike[1].recipe.seed = alike[0].recipe.seed;
    verify::reseed(alike, 1);
    CHECK(alike[0].recipe.seed != alike[1].recipe.seed);
    CHECK(golden::make_inputs(first[0]) != golden::make_inputs(before[0]));
    CHECK(golden::parse_case(golden::to_text(first[0])) == first[0]);
}

TEST_CASE("Honest candidates pass with fresh seeds") {
    for (const std::uint64_t seed : {0ULL, 1ULL, 20260101ULL}) {
        CAPTURE(seed);
        verify::GateOptions options;
        options.cases = golden::suite("smoke");
        verify::reseed(options.cases, seed);
        test::Changed candidate;
        CHECK(verify::exit_status(run_gate(options, candidate).verdict) == 0);
    }
}
