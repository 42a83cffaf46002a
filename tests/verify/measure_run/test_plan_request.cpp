#include "reference/spec/error.hpp"
#include "tests/support/catch.hpp"
#include "verify/measure/plan_request.hpp"

using dca::measure::parse_plan_request;
using dca::measure::PlanRequest;

TEST_CASE("the words after --predict") {
    const PlanRequest given = parse_plan_request(
        "n=1M C=256K w=16K heads=40 kv_heads=8 head_dim=64 layers=48 batch=2 bytes=1 gpu_flops=4e14 other_gb=16");
    CHECK(given.size == dca::measure::Size{1 << 20, 1 << 18, 1 << 14});
    CHECK(given.heads_q == 40);
    CHECK(given.heads_kv == 8);
    CHECK(given.head_dim == 64);
    CHECK(given.layers == 48);
    CHECK(given.batch == 2);
    CHECK(given.element_bytes == 1);
    CHECK(given.flops_per_second == 4e14);
    CHECK(given.other_bytes == 16e9);
    const PlanRequest usual = parse_plan_request("n=128K");
    CHECK(usual.size == dca::measure::Size{131072, 32768, 4096});
    CHECK(usual.heads_kv == 8);
    CHECK(parse_plan_request("n=1K heads=4").heads_kv == 4);
    CHECK(parse_plan_request("n=1K").size == dca::measure::Size{1024, 1024, 128});
    CHECK(parse_plan_request("n=1K C=64 w=0").size.local_size == 0);
}

TEST_CASE("words that --predict does not know are named") {
    for (const char* text : {"", "n", "n=", "C=4", "n=1M n=2M", "n=1M head=3", "n=1M heads=x", "n=0", "n=1M C=0",
                             "n=1M gpu_flops=-1", "n=1M other_gb=nan", "n=1M gpu_flops=1e14x"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(parse_plan_request(text), dca::InvalidProblem);
    }
}
