// The one-line text of a case: round trip over random cases, defaults, aliases, and a clear message for every mistake.
#include "golden/case_text.hpp"

#include <bit>
#include <cmath>
#include <random>

#include "golden/catalogue.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using namespace dca::golden;

namespace {

class RandomCase {
public:
    explicit RandomCase(std::uint64_t seed) : engine_(seed) {}

    CaseSpec make() {
        CaseSpec spec;
        if (coin()) spec.id = "case-" + std::to_string(integer(0, 999)) + "_x.y";
        Shape& shape = spec.problem.shape;
        for (std::int64_t* size : {&shape.batch, &shape.seq_q, &shape.seq_k, &shape.heads_q, &shape.heads_kv,
                                   &shape.head_dim, &shape.head_dim_v}) {
            *size = coin() ? integer(1, 3) : integer(-5, std::int64_t{1} << 40);
        }
        spec.problem.chunk = {integer(-3, 100), integer(-3, 100)};
        spec.problem.dtype = static_cast<Dtype>(integer(0, 6));
        if (coin()) spec.problem.dialect = "vllm";
        facts(spec.problem.facts);
        rope(spec.problem.rope);
        if (coin()) spec.problem.softmax_scale = real();
        if (coin()) spec.problem.query_offset = integer(-100, 100);
        if (coin()) spec.problem.cu_seqlens = {0, static_cast<std::int32_t>(integer(-9, 9)), 2147483647};
        recipe(spec.recipe);
        if (coin()) spec.expectation = Expectation::must_reject;
        return spec;
    }

private:
    void facts(DialectFacts& facts) {
        if (coin()) facts.phase = coin() ? Phase::prefill : Phase::decode;
        if (coin()) facts.prompt_length.assign(static_cast<std::size_t>(integer(1, 3)), integer(1, 99));
        if (coin()) facts.max_position_embeddings = integer(1, std::int64_t{1} << 40);
        if (coin()) facts.max_seen_length = integer(0, 99);
        if (coin()) facts.original_max_position_embeddings = integer(0, 99);
        if (coin()) facts.table_rows = integer(1, 99);
        if (coin()) facts.page_size = integer(1, 99);
        if (coin()) facts.paper_window = integer(0, 99);
        if (coin()) facts.path = coin() ? MegatronPath::unfused : MegatronPath::flash;
        const auto sizes = [&](std::vector<std::int64_t>& list) {
            list.assign(static_cast<std::size_t>(integer(1, 3)), integer(1, 99));
        };
        if (coin()) sizes(facts.sparse_vertical_size);
        if (coin()) sizes(facts.sparse_slash_size);
        if (coin()) facts.sparse_last_q = integer(1, 99);
        if (coin()) facts.sparse_block = integer(1, 99);
        if (coin()) facts.sparse_forced_verticals = integer(0, 99);
        if (coin()) facts.sparse_forced_slashes = integer(0, 99);
        if (coin()) facts.sparse_threshold = integer(0, std::int64_t{1} << 40);
        if (coin()) facts.sparse_rules = coin() ? SparseRules::vllm : SparseRules::sglang_later;
    }
    bool coin() { return integer(0, 1) == 1; }
    std::int64_t integer(std::int64_t low, std::int64_t high) {
        return std::uniform_int_distribution<std::int64_t>(low, high)(engine_);
    }
    /// Any finite double, subnormal ones included.
    double real() {
        for (;;) {
            const double value = std::bit_cast<double>(engine_());
            if (std::isfinite(value)) return value;
        }
    }
    void rope(RopeConfig& config) {
        config.layout = static_cast<RopeLayout>(integer(0, 2));
        config.scaling = static_cast<RopeScaling>(integer(0, 5));
        if (coin()) config.rotary_dim = integer(0, 64);
        if (coin()) config.base = real();
        if (coin()) config.factor = real();
        if (coin()) config.original_max_position = real();
        if (coin()) config.beta_fast = real();
        if (coin()) config.beta_slow = real();
        if (coin()) config.low_freq_factor = real();
        if (coin()) config.high_freq_factor = real();
        if (coin()) config.mscale = real();
        if (coin()) config.inv_freq = {real(), real(), real()};
    }
    void recipe(InputRecipe& recipe) {
        recipe.seed = coin() ? engine_() : 0;
        if (coin()) recipe.qk_scale = real();
        if (coin()) recipe.v_offset = real();
        recipe.constant_v = coin();
        recipe.linear_v = coin();
        recipe.probe = coin();
        recipe.gradient = coin();
    }

    std::mt19937_64 engine_;
};

std::string message_of(std::string_view text) {
    try {
        static_cast<void>(parse_case(text));
    } catch (const InvalidProblem& error) {
        return error.what();
    }
    return "accepted";
}

const std::string minimal = "seq_q=4 head_dim=2 chunk_size=3 local_size=1";

}  // namespace

TEST_CASE("parse_case undoes to_text for random cases") {
    const std::uint64_t seed = 20240229;
    CAPTURE(seed);
    RandomCase random(seed);
    for (int i = 0; i < 3000; ++i) {
        CaseSpec spec = random.make();
        const std::string text = to_text(spec);
        CAPTURE(i, text);
        const CaseSpec back = parse_case(text);
        if (spec.id.empty()) spec.id = back.id;  // a case without id gets one from its text
        REQUIRE(back == spec);
        REQUIRE(to_text(back) == text);
        REQUIRE(text.find('\n') == std::string::npos);
    }
}

TEST_CASE("parse_case undoes to_text for the catalogue") {
    for (const SuiteInfo& info : suites()) {
        for (const CaseSpec& spec : suite(info.name)) {
            const std::string text = to_text(spec);
            CAPTURE(text);
            CHECK(to_text(parse_case(text)) == text);
            const double scale = spec.problem.softmax_scale.value_or(0);
            if (!std::isnan(scale)) CHECK(parse_case(text) == spec);  // NaN does not equal itself
        }
    }
}

TEST_CASE("the canonical text leaves defaults out and keeps its order") {
    const CaseSpec spec = parse_case(
        " id=gqa_b2\tw=4  C=12 batch=2 head_dim=64 heads_q=8 heads_kv=2 seq_q=17 seq_k=17 dtype=bf16 head_dim_v=64 "
        "rope=neox rope_base=1e4 gradient=1 softmax_scale=0.4000 expect=valid\n");
    CHECK(to_text(spec) ==
          "id=gqa_b2 batch=2 seq_q=17 heads_q=8 heads_kv=2 head_dim=64 chunk_size=12 local_size=4 dtype=bf16 "
          "softmax_scale=0.4");
}

TEST_CASE("defaults follow the words they belong to") {
    const CaseSpec spec = parse_case("local_size=1 chunk_size=3 head_dim=6 heads_q=4 seq_q=9");
    CHECK(spec.problem.shape == Shape{1, 9, 9, 4, 4, 6, 6});
    CHECK(spec.recipe == InputRecipe{});
    CHECK(spec.problem.dtype == Dtype::f64);
}

TEST_CASE("an id left out follows from the rest of the text") {
    const CaseSpec spec = parse_case(minimal);
    CHECK(spec.id == "case_90dbb44e");
    CHECK(parse_case("C=3 w=1 head_dim=2 seq_q=4").id == spec.id);  // the same case in another order
    CHECK(parse_case(minimal + " seed=1").id != spec.id);
    CHECK(to_text(spec) == minimal);
}

TEST_CASE("every mistake in a case text has a message of its own") {
    CHECK(message_of("") == "case text: 'seq_q=' is missing");
    CHECK(message_of("seq_q=4 head_dim=2 chunk_size=3") == "case text: 'local_size=' is missing");
    CHECK(message_of(minimal + " rope_bas=3") == "case text: unknown word 'rope_bas', did you mean rope_base?");
    CHECK(message_of(minimal + " foo=3") == "case text: unknown word 'foo'");
    CHECK(message_of(minimal + " seq_q=4") == "case text: 'seq_q' is given twice");
    CHECK(message_of(minimal + " C=4") == "case text: 'chunk_size' is given twice");
    CHECK(message_of("id=a id=b " + minimal) == "case text: 'id' is given twice");
    CHECK(message_of("id=a/b " + minimal) == "case text: id 'a/b' must be made of A-Z a-z 0-9 _ . -");
    CHECK(message_of("id= " + minimal) == "case text: id '' must be made of A-Z a-z 0-9 _ . -");
    CHECK(message_of(minimal + " gradient") == "case text: 'gradient' is not of the form key=value");
    CHECK(message_of(minimal + " gradient=yes") == "case text: 'gradient=yes': expected 0 or 1");
    CHECK(message_of(minimal + " batch=2x") == "case text: 'batch=2x': expected an integer");
    CHECK(message_of(minimal + " batch=2.5") == "case text: 'batch=2.5': expected an integer");
    CHECK(message_of(minimal + " batch=") == "case text: 'batch=': expected an integer");
    CHECK(message_of(minimal + " batch=99999999999999999999") ==
          "case text: 'batch=99999999999999999999': expected an integer");
    CHECK(message_of(minimal + " mscale=1e999") == "case text: 'mscale=1e999': expected a number");
    CHECK(message_of(minimal + " inv_freq=1,,2") == "case text: 'inv_freq=1,,2': expected numbers separated by commas");
    CHECK(message_of(minimal + " cu_seqlens=0,4294967296") ==
          "case text: 'cu_seqlens=0,4294967296': expected 32-bit integers separated by commas");
    CHECK(message_of(minimal + " seed=-1") == "case text: 'seed=-1': expected an integer from 0 to 2^64 - 1");
    CHECK(message_of(minimal + " dtype=half") ==
          "case text: 'dtype=half': expected one of f64 f32 tf32 f16 bf16 e4m3 e5m2");
    CHECK(message_of(minimal + " rope=gptj") == "case text: 'rope=gptj': expected one of neox interleaved none");
    CHECK(message_of(minimal + " rope_scaling=su") ==
          "case text: 'rope_scaling=su': expected one of none linear ntk dynamic yarn llama3");
    CHECK(message_of(minimal + " dialect=") == "case text: 'dialect=': expected a name");
    CHECK(message_of(minimal + " expect=fail") == "case text: 'expect=fail': expected valid or reject");
}

TEST_CASE("probe may stand alone") {
    const CaseSpec spec = parse_case("seq_q=9 probe head_dim=4 C=4 w=1");
    CHECK(spec.recipe.probe);
    CHECK(to_text(spec).ends_with("chunk_size=4 local_size=1 probe=1"));
    CHECK(parse_case("seq_q=9 probe=1 head_dim=4 C=4 w=1") == spec);
    CHECK_FALSE(parse_case("seq_q=9 probe=0 head_dim=4 C=4 w=1").recipe.probe);
    CHECK_THROWS_AS(parse_case("seq_q=9 probe probe=1 head_dim=4 C=4 w=1"), InvalidProblem);
    CHECK_THROWS_AS(parse_case("seq_q=9 gradient head_dim=4 C=4 w=1"), InvalidProblem);
}
