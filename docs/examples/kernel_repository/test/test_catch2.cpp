#include <dca/judge.hpp>
#include <ostream>

#include "candidates.hpp"

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_test_macros.hpp>  // Catch2 3
#else
#include <catch2/catch.hpp>  // Catch2 2
#endif

using longctx::test::Kernel;

TEST_CASE("the kernel computes Dual Chunk Attention") {
    Kernel kernel;
    const dca::judge::Result result = dca::judge::run({.suite = "smoke", .dtype = dca::judge::Dtype::f32}, kernel);
    INFO(result.text());
    CHECK(result.passed());
    result.write_junit("dca_junit.xml");
}

TEST_CASE("a case of our own: sizes as the model has them") {
    Kernel kernel;
    const auto result = dca::judge::judge_case(
        "id=model seq_q=90 heads_q=4 heads_kv=2 head_dim=32 chunk_size=32 local_size=8 rope_base=1000000 dtype=f32",
        kernel);
    INFO(result.text());
    CHECK(result.passed());
}

TEST_CASE("the detached merge is rejected by name") {
    Kernel kernel(longctx::Delta::of_each_call);
    const auto result = dca::judge::judge_case(
        "id=detached seq_q=40 heads_q=2 head_dim=16 chunk_size=12 local_size=4 dtype=f32", kernel);
    INFO(result.text());
    CHECK(result.exit_status() == 1);
    CHECK(result.names("detached-merge"));
}

TEST_CASE("a write behind the end of a buffer is noticed") {
    longctx::test::WritesTooFar kernel;
    const auto result =
        dca::judge::judge_case("id=far seq_q=9 head_dim=16 chunk_size=6 local_size=2 dtype=f32", kernel);
    INFO(result.text());
    CHECK(result.exit_status() == 2);
}
