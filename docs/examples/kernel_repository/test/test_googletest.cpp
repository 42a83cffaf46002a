#include <dca/judge.hpp>
#include <ostream>
#include <string>

#include "candidates.hpp"
#include "gtest/gtest.h"

// One test for each case, so that a test runner shows which ones fail.
class SmokeSuite : public testing::TestWithParam<dca::judge::Case> {};

TEST_P(SmokeSuite, Kernel) {
    longctx::test::Kernel kernel;
    const dca::judge::Support support = kernel.supports(GetParam().problem);
    if (!support.yes) GTEST_SKIP() << support.reason;
    const dca::judge::Result result = dca::judge::judge_case(GetParam().text, kernel);
    EXPECT_TRUE(result.passed()) << result;
}

INSTANTIATE_TEST_SUITE_P(Dca, SmokeSuite,
                         testing::ValuesIn(dca::judge::cases({.suite = "smoke", .dtype = dca::judge::Dtype::f32})),
                         [](const auto& test) { return test.param.id; });

TEST(DetachedMerge, IsRejectedByName) {
    longctx::test::Kernel kernel(longctx::Delta::of_each_call);
    const dca::judge::Result result = dca::judge::judge_case(
        "id=detached seq_q=40 heads_q=2 head_dim=16 chunk_size=12 local_size=4 dtype=f32", kernel);
    EXPECT_EQ(result.exit_status(), 1) << result;
    EXPECT_TRUE(result.names("detached-merge")) << result;
}
