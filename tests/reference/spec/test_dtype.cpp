// Number formats: every bit pattern of the small ones, ties to even between all neighbours, the borders of the large
// ones.
#include "reference/spec/dtype.hpp"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "reference/spec/error.hpp"
#include "tests/support/catch.hpp"

using namespace dca;

namespace {

constexpr std::array small_formats{Dtype::f16, Dtype::bf16, Dtype::e4m3, Dtype::e5m2};
constexpr double inf = std::numeric_limits<double>::infinity();

std::uint32_t pattern_count(Dtype dtype) {
    return 1u << traits(dtype).storage_bits;
}

/// All finite values that are not negative, in increasing order; the value of pattern p is at index p.
std::vector<double> finite_values(Dtype dtype) {
    std::vector<double> values;
    for (std::uint32_t bits = 0; bits < pattern_count(dtype) / 2; ++bits) {
        const double value = decode(dtype, static_cast<std::uint16_t>(bits));
        if (std::isfinite(value)) values.push_back(value);
    }
    return values;
}

}  // namespace

TEST_CASE("every bit pattern of the 8- and 16-bit formats survives decode and encode") {
    for (const Dtype dtype : small_formats) {
        CAPTURE(name(dtype));
        int nans = 0, infinities = 0, wrong = 0;
        for (std::uint32_t bits = 0; bits < pattern_count(dtype); ++bits) {
            const auto pattern = static_cast<std::uint16_t>(bits);
            const double value = decode(dtype, pattern);
            if (std::isnan(value)) {
                ++nans;
                wrong += std::isnan(decode(dtype, encode(dtype, value))) ? 0 : 1;
                continue;
            }
            infinities += std::isinf(value) ? 1 : 0;
            wrong += encode(dtype, value) == pattern && round_to(dtype, value) == value ? 0 : 1;
        }
        CHECK(wrong == 0);
        const int nan_fractions = (1 << (traits(dtype).precision - 1)) - 1;
        CHECK(nans == (dtype == Dtype::e4m3 ? 2 : 2 * nan_fractions));
        CHECK(infinities == (dtype == Dtype::e4m3 ? 0 : 2));
    }
}

TEST_CASE("rounding between all neighbours is to nearest, ties to even, in both signs") {
    for (const Dtype dtype : small_formats) {
        CAPTURE(name(dtype));
        const std::vector<double> values = finite_values(dtype);
        int wrong = 0;
        for (std::size_t low = 0; low + 1 < values.size(); ++low) {
            const double middle = (values[low] + values[low + 1]) / 2;  // exact: double has far more bits
            const double even = low % 2 == 0 ? values[low] : values[low + 1];
            wrong += round_to(dtype, middle) == even && round_to(dtype, -middle) == -even ? 0 : 1;
            wrong += round_to(dtype, std::nextafter(middle, 0)) == values[low] ? 0 : 1;
            wrong += round_to(dtype, std::nextafter(middle, inf)) == values[low + 1] ? 0 : 1;
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("the traits agree with the bit patterns") {
    for (const Dtype dtype : small_formats) {
        CAPTURE(name(dtype));
        const std::vector<double> values = finite_values(dtype);
        CHECK(std::is_sorted(values.begin(), values.end()));
        CHECK(values[1] == subnormal_spacing(dtype));
        CHECK(values.back() == traits(dtype).max_finite);
        CHECK(values[std::size_t{1} << (traits(dtype).precision - 1)] == std::ldexp(1.0, traits(dtype).min_exponent));
        CHECK(round_to(dtype, 1 + unit_roundoff(dtype)) == 1);  // a tie
        CHECK(round_to(dtype, 1 + 1.01 * unit_roundoff(dtype)) == 1 + 2 * unit_roundoff(dtype));
    }
}

TEST_CASE("known values of the small formats") {
    CHECK(decode(Dtype::f16, 0x3C00) == 1);
    CHECK(decode(Dtype::f16, 0x0001) == 0x1p-24);
    CHECK(decode(Dtype::bf16, 0x3F80) == 1);
    CHECK(decode(Dtype::bf16, 0xC049) == -3.140625);
    CHECK(decode(Dtype::e4m3, 0x38) == 1);
    CHECK(decode(Dtype::e4m3, 0x7E) == 448);
    CHECK(decode(Dtype::e5m2, 0x3C) == 1);
    CHECK(decode(Dtype::e5m2, 0x7B) == 57344);
    CHECK(std::signbit(decode(Dtype::f16, 0x8000)));
}

TEST_CASE("overflow starts half a spacing above the largest finite number") {
    struct Border {
        Dtype dtype;
        double stays, leaves;
    };
    for (const Border& border :
         {Border{Dtype::f16, 65519.99, 65520}, Border{Dtype::bf16, 0x1.feffffp127, 0x1.ffp127},
          Border{Dtype::e5m2, 61439.99, 61440}, Border{Dtype::f32, 0x1.fffffeffffffp127, 0x1.ffffffp127},
          Border{Dtype::tf32, 0x1.ffdfffffffp127, 0x1.ffep127}}) {
        CAPTURE(name(border.dtype));
        CHECK(round_to(border.dtype, border.stays) == traits(border.dtype).max_finite);
        CHECK(round_to(border.dtype, border.leaves) == inf);
        CHECK(round_to(border.dtype, -border.leaves) == -inf);
        CHECK(round_to(border.dtype, 1e300) == inf);
    }
    // e4m3 has no infinity: 464 is a tie between 448 (even) and the pattern of NaN.
    CHECK(round_to(Dtype::e4m3, 464) == 448);
    CHECK(std::isnan(round_to(Dtype::e4m3, 464.01)));
    CHECK(std::isnan(round_to(Dtype::e4m3, -1e9)));
}

TEST_CASE("infinities, NaN and signed zeros pass through rounding") {
    for (const Dtype dtype : {Dtype::f64, Dtype::f32, Dtype::tf32, Dtype::f16, Dtype::bf16, Dtype::e5m2}) {
        CHECK(round_to(dtype, -inf) == -inf);
        CHECK(std::isnan(round_to(dtype, NAN)));
        CHECK(std::signbit(round_to(dtype, -0.0)));
        const double tiny = dtype == Dtype::f64 ? 0.0 : -std::numeric_limits<double>::denorm_min();
        CHECK(round_to(dtype, tiny) == 0);
    }
    CHECK(std::signbit(round_to(Dtype::f16, -1e-30)));
}

TEST_CASE("float32 rounding agrees with the processor's") {
    const std::uint64_t seed = 42;
    CAPTURE(seed);
    std::mt19937_64 engine(seed);
    std::uniform_real_distribution<double> fraction(1, 2);
    std::uniform_int_distribution<int> exponent(-160, 130);  // below the subnormal numbers up to overflow
    int wrong = 0;
    for (int i = 0; i < 200000; ++i) {
        const double value = std::ldexp(fraction(engine), exponent(engine)) * (i % 2 == 0 ? 1 : -1);
        wrong += round_to(Dtype::f32, value) == static_cast<double>(static_cast<float>(value)) ? 0 : 1;
    }
    CHECK(wrong == 0);
}

TEST_CASE("tf32 keeps 10 fraction bits") {
    CHECK(round_to(Dtype::tf32, 1 + 0x1p-10) == 1 + 0x1p-10);
    CHECK(round_to(Dtype::tf32, 1 + 0x1p-11) == 1);
    CHECK(round_to(Dtype::tf32, 1 + 3 * 0x1p-11) == 1 + 0x1p-9);
}

TEST_CASE("formats have names, and only those names") {
    for (const Dtype dtype : {Dtype::f64, Dtype::f32, Dtype::tf32, Dtype::f16, Dtype::bf16, Dtype::e4m3, Dtype::e5m2}) {
        CHECK(parse_dtype(name(dtype)) == dtype);
    }
    CHECK_FALSE(parse_dtype("half"));
    CHECK_FALSE(parse_dtype(""));
    CHECK_THROWS_AS(encode(Dtype::f32, 1.0), ContractError);
    CHECK_THROWS_AS(decode(Dtype::f64, 0), ContractError);
}
