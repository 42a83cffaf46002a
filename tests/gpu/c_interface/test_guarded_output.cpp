#include <algorithm>
#include <cmath>
#include <cstring>

#include "gpu/host/guarded_output.hpp"
#include "reference/spec/dtype.hpp"
#include "tests/support/catch.hpp"

using dca::gpu::host::GuardedOutput;

TEMPLATE_TEST_CASE("An output shows what was left unwritten and what was written beside it", "", std::uint16_t,
                   std::uint32_t, std::uint64_t) {
    constexpr auto guard = GuardedOutput<TestType>::guard;
    GuardedOutput<TestType> output(10);
    REQUIRE(output.values().size() == 10);
    REQUIRE(output.whole().size() == 10 + 2 * guard);
    CHECK(output.inspect("out") == "out: 10 elements were not written, the first at flat index 0");
    std::fill_n(output.whole().begin() + guard, 10, TestType{0});
    CHECK(output.inspect("out").empty());
    output = GuardedOutput<TestType>(10);
    std::fill_n(output.whole().begin() + guard, 7, TestType{1});
    CHECK(output.inspect("lse") == "lse: 3 elements were not written, the first at flat index 7");
    std::fill_n(output.whole().begin() + guard + 7, 4, TestType{1});
    CHECK(output.inspect("lse") == "lse: 1 elements beyond its end were written");
    output = GuardedOutput<TestType>(10);
    std::fill_n(output.whole().begin() + guard - 1, 11, TestType{1});
    CHECK(output.inspect("lse") == "lse: 1 elements before its start were written");
}

TEST_CASE("What no kernel wrote is a NaN in every type of its size") {
    const std::uint16_t half = GuardedOutput<std::uint16_t>(1).values()[0];
    CHECK(std::isnan(dca::decode(dca::Dtype::bf16, half)));
    CHECK(std::isnan(dca::decode(dca::Dtype::f16, half)));
    const std::uint32_t bits = GuardedOutput<std::uint32_t>(1).values()[0];
    float single;
    std::memcpy(&single, &bits, sizeof single);
    CHECK(std::isnan(single));
    const std::uint64_t wide_bits = GuardedOutput<std::uint64_t>(1).values()[0];
    double wide;
    std::memcpy(&wide, &wide_bits, sizeof wide);
    CHECK(std::isnan(wide));
}
