// Every rule of validate() and its message; the border that is still allowed beside the first that is not.
#include <cmath>
#include <functional>
#include <limits>

#include "reference/spec/problem.hpp"
#include "tests/support/catch.hpp"

using namespace dca;

namespace {

Problem good() {
    Problem problem;
    problem.shape = {.batch = 2, .seq_q = 8, .seq_k = 8, .heads_q = 4, .heads_kv = 2, .head_dim = 16, .head_dim_v = 12};
    problem.chunk = {6, 2};
    return problem;
}

std::string verdict(const std::function<void(Problem&)>& change) {
    Problem problem = good();
    change(problem);
    try {
        validate(problem);
    } catch (const InvalidProblem& error) {
        return error.what();
    }
    return "valid";
}

constexpr double inf = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("sizes are at least 1") {
    CHECK(verdict([](Problem&) {}) == "valid");
    CHECK(verdict([](Problem& p) { p.shape.batch = 0; }) == "batch is 0, must be at least 1");
    CHECK(verdict([](Problem& p) { p.shape.seq_q = -1; }) == "seq_q is -1, must be at least 1");
    CHECK(verdict([](Problem& p) { p.shape.seq_k = 0; }) == "seq_k is 0, must be at least 1");
    CHECK(verdict([](Problem& p) { p.shape.heads_q = 0; }) == "heads_q is 0, must be at least 1");
    CHECK(verdict([](Problem& p) { p.shape.heads_kv = 0; }) == "heads_kv is 0, must be at least 1");
    CHECK(verdict([](Problem& p) { p.shape.head_dim = 0; }) == "head_dim is 0, must be at least 1");
    CHECK(verdict([](Problem& p) { p.shape.head_dim_v = std::numeric_limits<std::int64_t>::min(); }) ==
          "head_dim_v is -9223372036854775808, must be at least 1");
}

TEST_CASE("query heads come in equal groups") {
    CHECK(verdict([](Problem& p) { p.shape.heads_kv = 3; }) == "heads_q 4 is not a multiple of heads_kv 3");
    CHECK(verdict([](Problem& p) { p.shape.heads_kv = 8; }) == "heads_q 4 is not a multiple of heads_kv 8");
    CHECK(verdict([](Problem& p) { p.shape.heads_kv = 1; }) == "valid");
}

TEST_CASE("element counts cannot overflow") {
    CHECK(verdict([](Problem& p) { p.shape.seq_q = p.shape.seq_k = max_position + 1; }) ==
          "seq_q and seq_k must be at most 2^31");
    const auto tokens = [](std::int64_t batch, std::int64_t seq_q, std::int64_t seq_k, std::int64_t dim_v) {
        return verdict([=](Problem& p) {
            p.shape = {batch, seq_q, seq_k, 1, 1, 16, dim_v};
            p.query_offset = 0;
        });
    };
    CHECK(tokens(std::int64_t{1} << 36, 1, 1, 1) == "valid");
    CHECK(tokens((std::int64_t{1} << 36) + 1, 1, 1, 1) == "q would have more than 2^40 elements");
    CHECK(tokens(std::numeric_limits<std::int64_t>::max(), 8, 1, 1) == "q would have more than 2^40 elements");
    CHECK(tokens(std::int64_t{1} << 10, 1, max_position, 1) == "k would have more than 2^40 elements");
    CHECK(tokens(std::int64_t{1} << 30, 1, 1, 1025) == "v would have more than 2^40 elements");
    CHECK(verdict([](Problem& p) {
              p.shape = {.batch = 1 << 20,
                         .seq_q = 1,
                         .seq_k = 1,
                         .heads_q = 1 << 10,
                         .heads_kv = 1,
                         .head_dim = 2,
                         .head_dim_v = 1 << 11};
          }) == "out would have more than 2^40 elements");
}

TEST_CASE("chunk_size > local_size >= 0") {
    CHECK(verdict([](Problem& p) { p.chunk = {1, 0}; }) == "valid");
    CHECK(verdict([](Problem& p) {
              p.chunk = {4, 4};
          }) ==
          "chunk_size 4 must be greater than local_size 4 (H7: the stride chunk_size - local_size must be at least 1)");
    CHECK(verdict([](Problem& p) { p.chunk = {4, -1}; }) == "local_size is -1, must be at least 0");
    CHECK(verdict([](Problem& p) {
              p.chunk = {0, 0};
          }).substr(0, 51) == "chunk_size 0 must be greater than local_size 0 (H7:");
    CHECK(verdict([](Problem& p) { p.chunk = {max_position, 0}; }) == "valid");
    CHECK(verdict([](Problem& p) {
              p.chunk = {max_position + 1, 0};
          }) == "chunk_size is 2147483649, must be at most 2^31");
    CHECK(verdict([](Problem& p) { p.chunk = {std::numeric_limits<std::int64_t>::min(), 1}; }) != "valid");
}

TEST_CASE("rotary_dim is even and within the head") {
    const auto rotary = [](std::int64_t dim) { return verdict([=](Problem& p) { p.rope.rotary_dim = dim; }); };
    CHECK(rotary(2) == "valid");
    CHECK(rotary(16) == "valid");
    for (const std::int64_t dim : {0, -2, 7, 18}) {
        CHECK(rotary(dim) ==
              "rotary_dim is " + std::to_string(dim) +
                  ", must be even, at least 2 and at most head_dim 16 (rope none switches rotation off)");
    }
    CHECK(verdict([](Problem& p) { p.shape.head_dim = 7; }).substr(0, 15) == "rotary_dim is 7");
    CHECK(verdict([](Problem& p) {
              p.shape.head_dim = 7;
              p.rope.layout = RopeLayout::none;
          }) == "valid");
}

TEST_CASE("rotary parameters are finite, most of them positive") {
    CHECK(verdict([](Problem& p) { p.rope.base = NAN; }) == "rope_base is nan, must be finite");
    CHECK(verdict([](Problem& p) { p.rope.base = 0; }) == "rope_base is 0.000000, must be greater than 0");
    CHECK(verdict([](Problem& p) { p.rope.factor = inf; }) == "rope_factor is inf, must be finite");
    CHECK(verdict([](Problem& p) { p.rope.factor = -2; }) == "rope_factor is -2.000000, must be greater than 0");
    CHECK(verdict([](Problem& p) { p.rope.original_max_position = 0; }) ==
          "original_max_position is 0.000000, must be greater than 0");
    CHECK(verdict([](Problem& p) { p.rope.beta_fast = -inf; }) == "beta_fast is -inf, must be finite");
    CHECK(verdict([](Problem& p) { p.rope.beta_slow = 0; }) == "beta_slow is 0.000000, must be greater than 0");
    CHECK(verdict([](Problem& p) { p.rope.low_freq_factor = NAN; }) == "low_freq_factor is nan, must be finite");
    CHECK(verdict([](Problem& p) { p.rope.high_freq_factor = -1; }) ==
          "high_freq_factor is -1.000000, must be greater than 0");
    CHECK(verdict([](Problem& p) { p.rope.mscale = NAN; }) == "mscale is nan, must be finite");
    CHECK(verdict([](Problem& p) { p.rope.mscale = -1; }) == "valid");
    CHECK(verdict([](Problem& p) { p.softmax_scale = inf; }) == "softmax_scale is inf, must be finite");
    CHECK(verdict([](Problem& p) { p.softmax_scale = 0; }) == "valid");
}

TEST_CASE("inv_freq has one finite value per rotated pair, and something to rotate") {
    const auto frequencies = [](std::vector<double> values) {
        return verdict([&](Problem& p) {
            p.rope.rotary_dim = 4;
            p.rope.inv_freq = std::move(values);
        });
    };
    CHECK(frequencies({1, 0.5}) == "valid");
    CHECK(frequencies({1, 0.5, 0.25}) == "inv_freq has 3 values, rotary_dim / 2 is 2");
    CHECK(frequencies({1, NAN}) == "inv_freq is nan, must be finite");
    CHECK(verdict([](Problem& p) {
              p.rope.layout = RopeLayout::none;
              p.rope.inv_freq = {1};
          }) == "inv_freq is given but rope is none");
}

TEST_CASE("every rope_scaling has the parameters it needs") {
    const auto scaling = [](RopeScaling scheme, const std::function<void(RopeConfig&)>& change) {
        return verdict([&](Problem& p) {
            p.rope.scaling = scheme;
            p.rope.factor = 4;
            change(p.rope);
        });
    };
    for (const RopeScaling scheme : {RopeScaling::linear, RopeScaling::ntk, RopeScaling::yarn, RopeScaling::llama3}) {
        CHECK(scaling(scheme, [](RopeConfig&) {}) == "valid");
        CHECK(scaling(scheme, [](RopeConfig& r) { r.factor.reset(); }) ==
              "rope_scaling " + std::string(name(scheme)) + " needs rope_factor");
    }
    CHECK(scaling(RopeScaling::dynamic, [](RopeConfig&) {}) == "rope_scaling dynamic needs original_max_position");
    CHECK(scaling(RopeScaling::dynamic, [](RopeConfig& r) { r.original_max_position = 8; }) == "valid");
    CHECK(scaling(RopeScaling::ntk, [](RopeConfig& r) { r.rotary_dim = 2; }) ==
          "rope_scaling ntk needs rotary_dim greater than 2, it is 2");
    CHECK(scaling(RopeScaling::yarn, [](RopeConfig& r) { r.beta_fast = 0.5; }) ==
          "beta_fast 0.500000 must not be less than beta_slow 1.000000");
    CHECK(scaling(RopeScaling::yarn, [](RopeConfig& r) { r.base = 1; }) ==
          "rope_base is 1.000000, rope_scaling yarn needs more than 1");
    CHECK(scaling(RopeScaling::llama3, [](RopeConfig& r) { r.low_freq_factor = 4; }) ==
          "high_freq_factor 4.000000 must be greater than low_freq_factor 4.000000");
}

TEST_CASE("cu_seqlens starts at 0, never decreases and ends at the tokens") {
    const auto packed = [](std::vector<std::int32_t> cu) {
        return verdict([&](Problem& p) {
            p.shape.batch = 1;
            p.cu_seqlens = std::move(cu);
        });
    };
    CHECK(packed({0, 8}) == "valid");
    CHECK(packed({0, 0, 3, 3, 8, 8}) == "valid");
    CHECK(packed({0}) == "cu_seqlens needs at least 2 values, it has 1");
    CHECK(packed({1, 8}) == "cu_seqlens must start with 0, it starts with 1");
    CHECK(packed({0, 5, 4, 8}) == "cu_seqlens decreases at entry 2");
    CHECK(packed({0, 7}) == "cu_seqlens ends with 7 but there are 8 tokens");
    CHECK(packed({0, 9}) == "cu_seqlens ends with 9 but there are 8 tokens");
    CHECK(verdict([](Problem& p) {
              p.cu_seqlens = {0, 8};
          }) == "a packed problem has batch 1 and as many query as key tokens");
    CHECK(verdict([](Problem& p) {
              p.shape.batch = 1;
              p.shape.seq_k = 9;
              p.cu_seqlens = {0, 8};
          }) == "a packed problem has batch 1 and as many query as key tokens");
    CHECK(verdict([](Problem& p) {
              p.shape.batch = 1;
              p.cu_seqlens = {0, 8};
              p.query_offset = 1;
          }) == "query_offset must be 0 in a packed problem");
}

TEST_CASE("query_offset stays within the positions that are exact") {
    CHECK(verdict([](Problem& p) { p.query_offset = -max_position; }) == "valid");
    CHECK(verdict([](Problem& p) { p.query_offset = max_position; }) == "valid");
    CHECK(verdict([](Problem& p) { p.query_offset = max_position + 1; }) ==
          "query_offset is 2147483649, must be within 2^31 of 0");
    CHECK(verdict([](Problem& p) { p.query_offset = std::numeric_limits<std::int64_t>::min(); }) ==
          "query_offset is -9223372036854775808, must be within 2^31 of 0");
}
