// The suites: valid where they say so, refused where they say so, affordable, and covering what they promise.
#include "golden/catalogue.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include "golden/case_text.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using namespace dca::golden;

namespace {

/// Pairs (query, key) with j <= i of all sequences, for one head of one batch entry.
std::int64_t visible_pairs(const Problem& problem) {
    const auto sequence = [](std::int64_t queries, std::int64_t keys, std::int64_t offset) {
        std::int64_t pairs = 0;
        for (std::int64_t row = 0; row < queries; ++row) pairs += std::clamp<std::int64_t>(row + offset + 1, 0, keys);
        return pairs;
    };
    if (!problem.packed()) {
        return sequence(problem.shape.seq_q, problem.shape.seq_k, problem.resolved_query_offset());
    }
    std::int64_t pairs = 0;
    for (std::size_t s = 1; s < problem.cu_seqlens.size(); ++s) {
        const std::int64_t length = problem.cu_seqlens[s] - problem.cu_seqlens[s - 1];
        pairs += sequence(length, length, 0);
    }
    return pairs;
}

/// Multiply-adds of the pairwise oracle, forward and backward: about 6 d + 4 dv for each visible pair and head.
double oracle_work(const std::vector<CaseSpec>& cases) {
    double work = 0;
    for (const CaseSpec& spec : cases) {
        if (spec.expectation != Expectation::valid) continue;
        const Shape& shape = spec.problem.shape;
        work += static_cast<double>(visible_pairs(spec.problem)) * static_cast<double>(shape.batch * shape.heads_q) *
                static_cast<double>(6 * shape.head_dim + 4 * shape.head_dim_v);
    }
    return work;
}

bool any(const std::vector<CaseSpec>& cases, const std::function<bool(const Problem&)>& predicate) {
    return std::any_of(cases.begin(), cases.end(), [&](const CaseSpec& spec) {
        return spec.expectation == Expectation::valid && predicate(spec.problem);
    });
}

}  // namespace

TEST_CASE("catalogue cases are valid or refused, as they say, and have ids of their own") {
    for (const SuiteInfo& info : suites()) {
        std::set<std::string> ids;
        std::size_t rejects = 0;
        for (const CaseSpec& spec : suite(info.name)) {
            CAPTURE(info.name, spec.id);
            CHECK(ids.insert(spec.id).second);
            if (spec.expectation == Expectation::valid) {
                CHECK_NOTHROW(validate(spec.problem));
            } else {
                CHECK_THROWS_AS(validate(spec.problem), InvalidProblem);
                CHECK(spec.id.starts_with("reject_"));
                ++rejects;
            }
        }
        CHECK(rejects >= 8);
        CHECK(ids.size() > rejects);
    }
}

TEST_CASE("suites stay affordable for the binary128 oracle") {
    // A binary128 multiply-add of libquadmath takes about 40 ns on the slow machine this has to run on.
    constexpr double seconds_each = 40e-9;
    const double smoke = oracle_work(suite("smoke")) * seconds_each;
    const double ci = oracle_work(suite("ci")) * seconds_each;
    INFO("estimated seconds: smoke " << smoke << ", ci " << ci);
    CHECK(smoke <= 5);
    CHECK(ci <= 120);
}

TEST_CASE("an unknown suite is refused with the known ones") {
    try {
        static_cast<void>(suite("cii"));
        FAIL("accepted");
    } catch (const InvalidProblem& error) {
        CHECK(std::string(error.what()) == "there is no suite 'cii'; known suites: smoke ci");
    }
}

TEST_CASE("ci covers every option") {
    const std::vector<CaseSpec> ci = suite("ci");
    for (const Dtype dtype : {Dtype::f64, Dtype::f32, Dtype::tf32, Dtype::f16, Dtype::bf16, Dtype::e4m3, Dtype::e5m2}) {
        CAPTURE(name(dtype));
        CHECK(any(ci, [&](const Problem& p) { return p.dtype == dtype; }));
    }
    for (const RopeScaling scaling : {RopeScaling::none, RopeScaling::linear, RopeScaling::ntk, RopeScaling::dynamic,
                                      RopeScaling::yarn, RopeScaling::llama3}) {
        CAPTURE(name(scaling));
        CHECK(any(ci, [&](const Problem& p) { return p.rope.scaling == scaling; }));
    }
    for (const RopeLayout layout : {RopeLayout::none, RopeLayout::neox, RopeLayout::interleaved}) {
        CAPTURE(name(layout));
        CHECK(any(ci, [&](const Problem& p) { return p.rope.layout == layout; }));
    }
    for (const std::int64_t head_dim : {64, 80, 128, 256}) {
        CAPTURE(head_dim);
        CHECK(any(ci, [&](const Problem& p) { return p.shape.head_dim == head_dim; }));
    }
    CHECK(any(ci, [](const Problem& p) { return p.rope.mscale.has_value(); }));
    CHECK(any(ci, [](const Problem& p) { return !p.rope.inv_freq.empty(); }));
    CHECK(any(ci, [](const Problem& p) { return p.softmax_scale.has_value(); }));
    CHECK(any(ci, [](const Problem& p) { return p.rope.rotary_dim && *p.rope.rotary_dim < p.shape.head_dim; }));
    CHECK(any(ci, [](const Problem& p) { return p.shape.head_dim_v < p.shape.head_dim; }));
    CHECK(any(ci, [](const Problem& p) { return p.shape.head_dim_v > p.shape.head_dim; }));
}

TEST_CASE("ci covers the awkward sizes") {
    const std::vector<CaseSpec> ci = suite("ci");
    const auto n = [](const Problem& p) { return p.shape.seq_q; };
    const auto plain_limit = [](const Problem& p) { return std::min(2 * p.chunk.chunk_len(), p.chunk.chunk_size + 1); };
    CHECK(any(ci, [&](const Problem& p) { return n(p) > p.chunk.chunk_len() && n(p) <= p.chunk.chunk_size; }));
    CHECK(any(ci, [&](const Problem& p) { return n(p) % p.chunk.chunk_len() == 0 && n(p) > p.chunk.chunk_len(); }));
    CHECK(any(ci, [&](const Problem& p) { return n(p) == plain_limit(p) && n(p) == p.chunk.chunk_size + 1; }));
    CHECK(any(ci, [&](const Problem& p) { return n(p) == plain_limit(p) && n(p) == 2 * p.chunk.chunk_len(); }));
    CHECK(any(ci, [&](const Problem& p) { return n(p) == plain_limit(p) + 1; }));
    CHECK(any(ci, [](const Problem& p) { return p.shape.seq_k == 1; }));
    CHECK(any(ci, [](const Problem& p) { return p.chunk.chunk_len() == 1; }));
    CHECK(any(ci, [](const Problem& p) { return p.chunk.local_size == 0; }));
    CHECK(any(ci, [](const Problem& p) { return p.chunk.local_size >= p.chunk.chunk_len(); }));
    CHECK(any(ci, [](const Problem& p) { return p.shape.heads_q == 8 && p.shape.heads_kv == 2; }));
    CHECK(any(ci, [](const Problem& p) { return p.shape.heads_q > 1 && p.shape.heads_kv == 1; }));
    CHECK(any(ci, [](const Problem& p) { return p.shape.seq_q == 1 && p.shape.seq_k > 1; }));
    CHECK(any(ci, [](const Problem& p) { return p.resolved_query_offset() < 0; }));
    CHECK(any(ci, [](const Problem& p) { return p.resolved_query_offset() > p.shape.seq_k; }));
    CHECK(any(ci, [](const Problem& p) {
        return p.packed() && std::adjacent_find(p.cu_seqlens.begin(), p.cu_seqlens.end()) != p.cu_seqlens.end();
    }));
}
