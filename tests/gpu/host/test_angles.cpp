// Frequencies against both truths, angles against binary128, and the table's rows.
#include <quadmath.h>

#include <cmath>
#include <random>

#include "gpu/host/angle_table.hpp"
#include "gpu/host/frequencies.hpp"
#include "reference/math/rope_frequencies.hpp"
#include "reference/oracle/frequencies.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;
using namespace dca::gpu::host;

TEST_CASE("frequencies and mscale have the bits of the reference and of the oracle") {
    std::int64_t compared = 0;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        const Problem problem = test::random_problem(seed);
        for (const std::int64_t keys : {1, 20, 64, 3000}) {
            CAPTURE(seed, keys);
            const auto own = inverse_frequencies(problem, keys);
            REQUIRE(own == reference::inv_freq(problem, keys));
            REQUIRE(own == oracle::inverse_frequencies(problem, keys));
            compared += static_cast<std::int64_t>(own.size());
        }
        CHECK(length_factor(problem.rope) == oracle::mscale(problem.rope));
    }
    CHECK(compared > 3000);
}

TEST_CASE("frequencies of settings as models use them") {
    Problem problem;
    problem.shape = {1, 1, 1, 1, 1, 128, 128};
    for (const RopeScaling scaling : {RopeScaling::none, RopeScaling::linear, RopeScaling::ntk, RopeScaling::dynamic,
                                      RopeScaling::yarn, RopeScaling::llama3}) {
        for (const double base : {1e4, 5e5, 1e6, 1e7}) {
            CAPTURE(name(scaling), base);
            problem.rope.scaling = scaling;
            problem.rope.base = base;
            problem.rope.factor = 8;
            problem.rope.original_max_position = scaling == RopeScaling::dynamic ? std::optional(4096.0) : std::nullopt;
            CHECK(inverse_frequencies(problem, 131072) == oracle::inverse_frequencies(problem, 131072));
            CHECK(length_factor(problem.rope) == oracle::mscale(problem.rope));
        }
    }
}

TEST_CASE("cos and sin of any angle are within 3 * 2^-53 of binary128") {
    std::mt19937_64 engine(20261121);
    INFO("seed 20261121");
    double worst = 0;
    for (int n = 0; n < 40000; ++n) {
        // Positions of every length up to 2^31, frequencies from 2^-60 to 2^40: angles beyond 2^52 turn by the
        // product's low part alone.
        const std::int64_t position = static_cast<std::int64_t>((engine() >> 33) >> (engine() % 31));
        const double unit = static_cast<double>(engine() >> 11) * 0x1p-53;
        const double frequency = std::ldexp(unit + 0x1p-53, static_cast<int>(engine() % 100) - 59);
        const double mscale = n % 3 == 0 ? 1.25 : 1.0;
        const auto [cosine, sine] = turned(position, frequency, mscale);
        __float128 exact_sine = 0, exact_cosine = 0;
        sincosq(__float128(position) * __float128(frequency), &exact_sine, &exact_cosine);
        const auto error = [&](double got, __float128 want) {
            return static_cast<double>(fabsq(__float128(got) / mscale - want)) / 0x1p-53;
        };
        const double here = std::fmax(error(cosine, exact_cosine), error(sine, exact_sine));
        CAPTURE(position, frequency, here);
        REQUIRE(here <= 3);
        worst = std::fmax(worst, here);
    }
    CHECK(worst > 0.5);  // roundings were looked at
}

TEST_CASE("positions are joined into intervals and keep consecutive rows") {
    PositionRows rows;
    rows.add(10, 5);
    rows.add(0, 3);
    rows.add(14, 2);  // overlaps
    rows.add(3, 2);   // touches
    rows.add(2147483646, 2);
    rows.add(10, 1);
    CHECK(rows.number(100) == 5 + 6 + 2);
    CHECK(rows.intervals().size() == 3);
    CHECK(rows.row(0) == 100);
    CHECK(rows.row(4) == 104);
    CHECK(rows.row(10) == 105);
    CHECK(rows.row(15) == 110);
    CHECK(rows.row(2147483647) == 112);
    for (const std::int64_t missing : {5, 9, 16, 2147483645}) CHECK_THROWS_AS(rows.row(missing), ContractError);
}

TEST_CASE("a million tiles at the same positions need no memory of their own") {
    PositionRows rows;
    for (int n = 0; n < 1000000; ++n) rows.add(64 * (n % 16), 64);
    CHECK(rows.intervals().size() < 64);
    CHECK(rows.number(0) == 1024);
}
