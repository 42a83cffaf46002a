// The products of mma, 16-bit elements and elementary functions: values, and the same bits in every build.
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "gpu/machine/emulated/mma.hpp"
#include "tests/gpu/machine/planted.hpp"

using namespace planted;

namespace {

/// What 32 lanes hold for `count` tiles.
template <class Word, class Real, int a_size, int b_size>
struct Fragments {
    int count;
    std::vector<Word> a, b;
    std::vector<Real> c;
    explicit Fragments(int n)
        : count(n),
          a(32 * a_size),
          b(static_cast<std::size_t>(32 * n * b_size)),
          c(static_cast<std::size_t>(32 * n * 4)) {}
    emulated::MmaOperands operands() {
        emulated::MmaOperands o;
        for (int l = 0; l < 32; ++l) {
            o.a[l] = &a[static_cast<std::size_t>(l * a_size)];
            o.b[l] = &b[static_cast<std::size_t>(l * count * b_size)];
            o.c[l] = &c[static_cast<std::size_t>(l * count * 4)];
        }
        return o;
    }
};
using Fragments16 = Fragments<std::uint32_t, float, 4, 2>;
using Fragments64 = Fragments<double, double, 8, 4>;

template <class F>
bool same_bits(const F& x, const F& y) {
    return std::memcmp(x.c.data(), y.c.data(), x.c.size() * sizeof(x.c[0])) == 0;
}

}  // namespace

TEST_CASE("Every instruction set forms the products of mma with the same bits") {
    const emulated::MmaKernels* sets[3];
    const int n = emulated::mma_kernel_sets(sets);
    REQUIRE(n >= 1);
    CHECK(std::string(sets[n - 1]->name) == "portable");
    std::mt19937 random(11);
    for (int trial = 0; trial < 60; ++trial) {
        // Any bits: subnormals, infinities and NaN too; every third trial moderate numbers alone.
        Fragments16 start(1 + trial % 19);
        const auto word = [&] {
            return trial % 3 == 0 ? (random() & 0x3fff3fffu) | (random() & 0x80008000u) : random();
        };
        for (auto& x : start.a) x = static_cast<std::uint32_t>(word());
        for (auto& x : start.b) x = static_cast<std::uint32_t>(word());
        for (auto& x : start.c) x = std::bit_cast<float>(static_cast<std::uint32_t>(word()));
        Fragments64 wide(1 + trial % 19);
        const auto real = [&] {
            return std::ldexp(static_cast<double>(random()) - 0x1p31, static_cast<int>(random() % 60) - 60);
        };
        for (auto& x : wide.a) x = real();
        for (auto& x : wide.b) x = real();
        for (auto& x : wide.c) x = real();
        if (trial % 5 == 0) wide.a[7] = std::numeric_limits<double>::infinity();
        Fragments16 bf16 = start, f16 = start;
        Fragments64 f64 = wide;
        sets[0]->bf16(bf16.count, bf16.operands());
        sets[0]->f16(f16.count, f16.operands());
        sets[0]->f64(f64.count, f64.operands());
        for (int s = 1; s < n; ++s) {
            INFO(sets[s]->name << " against " << sets[0]->name << ", trial " << trial);
            Fragments16 other_bf16 = start, other_f16 = start;
            Fragments64 other_f64 = wide;
            sets[s]->bf16(bf16.count, other_bf16.operands());
            sets[s]->f16(f16.count, other_f16.operands());
            sets[s]->f64(f64.count, other_f64.operands());
            CHECK(same_bits(bf16, other_bf16));
            CHECK(same_bits(f16, other_f16));
            CHECK(same_bits(f64, other_f64));
        }
    }
}

TEST_CASE("mma adds exact products one by one, in ascending k, each sum rounded") {
    // Row 0 of A times column 0 of B, element by element: lane t holds k = 2 t + 8 h + e, see test_layouts.cpp.
    std::mt19937 random(12);
    const emulated::MmaKernels* sets[3];
    const int n = emulated::mma_kernel_sets(sets);
    for (int trial = 0; trial < 50; ++trial)
        for (const bool bf16 : {true, false}) {
            float a[16], b[16];
            std::normal_distribution<float> normal;
            for (int k = 0; k < 16; ++k) {
                a[k] = emulated::from_element(bf16, emulated::to_element(bf16, normal(random)));
                b[k] = emulated::from_element(bf16, emulated::to_element(bf16, normal(random)));
            }
            const float start = normal(random);
            float expected = start;
            for (int k = 0; k < 16; ++k) {
                const double exact = static_cast<double>(a[k]) * b[k];
                REQUIRE(static_cast<double>(static_cast<float>(exact)) == exact);
                expected = static_cast<float>(expected + exact);  // of 53 bits before: double rounding is harmless here
            }
            const auto pair = [&](const float* x, int k) {
                return emulated::to_element(bf16, x[k]) |
                       static_cast<std::uint32_t>(emulated::to_element(bf16, x[k + 1])) << 16;
            };
            for (int s = 0; s < n; ++s) {
                Fragments16 f(1);
                for (int t = 0; t < 4; ++t)
                    for (int h = 0; h < 2; ++h) {
                        f.a[static_cast<std::size_t>(t * 4 + 2 * h)] = pair(a, 2 * t + 8 * h);
                        f.b[static_cast<std::size_t>(t * 2 + h)] = pair(b, 2 * t + 8 * h);
                    }
                f.c[0] = start;
                (bf16 ? sets[s]->bf16 : sets[s]->f16)(1, f.operands());
                CHECK(f.c[0] == expected);
            }
        }
}

TEST_CASE("16-bit elements: every one comes back, and floats between two go to the nearer, ties to even") {
    for (const bool bf16 : {true, false}) {
        const std::uint32_t infinity = bf16 ? 0x7f80 : 0x7c00;
        const auto value = [&](std::uint32_t bits) {
            return emulated::from_element(bf16, static_cast<std::uint16_t>(bits));
        };
        for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
            const float x = value(bits);
            if ((bits & 0x7fff) > infinity) {
                REQUIRE(x != x);
                REQUIRE(emulated::to_element(bf16, x) == 0x7fff);
                continue;
            }
            REQUIRE(emulated::to_element(bf16, x) == bits);
            if ((bits & 0x7fff) >= infinity) continue;
            // The next element away from zero; beyond the largest, what it would be were there no infinity.
            const std::uint32_t next = bits + 1;
            const double after =
                (next & 0x7fff) == infinity ? (bf16 ? 0x1p128 : 0x1p16) * (bits >> 15 ? -1 : 1) : value(next);
            const double middle = (static_cast<double>(x) + after) / 2;
            const float tie = static_cast<float>(middle);
            REQUIRE(static_cast<double>(tie) == middle);
            REQUIRE(emulated::to_element(bf16, tie) == (bits % 2 == 0 ? bits : next));
            REQUIRE(emulated::to_element(bf16, std::nextafter(tie, 0.0f)) == bits);
            REQUIRE(emulated::to_element(bf16, std::nextafter(tie, static_cast<float>(2 * after))) == next);
        }
    }
    // Known values of IEEE 754 binary16 and of bf16.
    CHECK(emulated::to_element(false, 1.0f) == 0x3c00);
    CHECK(emulated::to_element(false, 65504.0f) == 0x7bff);
    CHECK(emulated::to_element(false, 65520.0f) == 0x7c00);
    CHECK(emulated::to_element(false, -0x1p-24f) == 0x8001);
    CHECK(emulated::to_element(true, 1.0f) == 0x3f80);
    CHECK(emulated::to_element(true, -2.5f) == 0xc020);
    CHECK(M::pack<Bf16>(1.0f, -2.5f) == 0xc0203f80u);
    CHECK(M::pack<F16>(1.0f, -1.0f) == 0xbc003c00u);
}

namespace {

/// Distance to the truth in units of the last place of the truth.
template <class T>
double ulps(T got, long double truth) {
    int exponent;
    std::frexp(truth, &exponent);
    const int digits = std::numeric_limits<T>::digits;
    exponent = std::max(exponent, std::numeric_limits<T>::min_exponent);
    return static_cast<double>(
        std::fabs((static_cast<long double>(got) - truth) / std::ldexp(1.0L, exponent - digits)));
}

}  // namespace

// Truths are the C library's in long double: 64 bits, wrong by at most 2 ulp (glibc manual, known maximum errors),
// which is 2^-10 ulp of double and less of float.
TEST_CASE("exp2, log2, exp and log are within what they promise") {
    std::mt19937_64 random(13);
    const auto uniform = [&](double low, double high) {
        return std::uniform_real_distribution<double>(low, high)(random);
    };
    double worst[4] = {};
    for (int i = 0; i < 100000; ++i) {
        const float x = static_cast<float>(i % 2 == 0 ? uniform(-126, 128) : uniform(-2, 2));
        worst[0] = std::max(worst[0], ulps(M::exp2(x), std::exp2(static_cast<long double>(x))));
        const float y = std::ldexp(static_cast<float>(uniform(0.5, 1)), static_cast<int>(random() % 270) - 145);
        worst[1] = std::max(worst[1], ulps(M::log2(y), std::log2(static_cast<long double>(y))));
        const double z = i % 2 == 0 ? uniform(-708, 709) : uniform(-1, 1);
        worst[2] = std::max(worst[2], ulps(M::exp(z), std::exp(static_cast<long double>(z))));
        const double w =
            i % 2 == 0 ? std::ldexp(uniform(0.5, 1), static_cast<int>(random() % 2100) - 1072) : uniform(0.9, 1.1);
        worst[3] = std::max(worst[3], ulps(M::log(w), std::log(static_cast<long double>(w))));
    }
    CHECK(worst[0] <= 0.5001);
    CHECK(worst[1] <= 0.501);
    CHECK(worst[2] <= 0.6 + 0x1p-9);
    CHECK(worst[3] <= 1.0 + 0x1p-9);
}

TEST_CASE("exp2, log2, exp and log at their ends") {
    constexpr float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    for (int k = -126; k < 128; ++k) {
        CHECK(M::exp2(static_cast<float>(k)) == std::ldexp(1.0f, k));
        CHECK(M::log2(std::ldexp(1.0f, k)) == static_cast<float>(k));
    }
    // ex2.approx.ftz gives 0 below the normal numbers (PTX ISA).
    CHECK(M::exp2(-126.5f) == 0.0f);
    CHECK(M::exp2(-1e30f) == 0.0f);
    CHECK(M::exp2(-inf) == 0.0f);
    CHECK(M::exp2(128.0f) == inf);
    CHECK(M::exp2(inf) == inf);
    CHECK(std::isnan(M::exp2(nan)));
    CHECK(M::log2(0.0f) == -inf);
    CHECK(std::isnan(M::log2(-1.0f)));
    CHECK(M::log2(inf) == inf);
    CHECK(M::log2(0x1p-149f) == -149.0f);
    CHECK(M::exp(0.0) == 1.0);
    CHECK(M::exp(-inf) == 0.0);
    CHECK(M::exp(709.79) == std::numeric_limits<double>::infinity());
    CHECK(M::exp(-745.2) == 0.0);
    CHECK(M::exp(-745.1) == 0x1p-1074);
    CHECK(M::log(1.0) == 0.0);
    CHECK(M::log(0.0) == -std::numeric_limits<double>::infinity());
    CHECK(std::isnan(M::log(-1.0)));
    CHECK(ulps(M::log(0x1p-1074), std::log(0x1p-1074L)) <= 1.0);
    CHECK(M::max(nan, 1.0f) == 1.0f);
    CHECK(M::max(1.0f, nan) == 1.0f);
    CHECK(!std::signbit(M::max(-0.0f, 0.0f)));
    CHECK(std::signbit(M::max(-0.0f, -0.0f)));
    CHECK(M::max(-inf, -3.0f) == -3.0f);
    CHECK(M::fma(0x1.000002p0f, 0x1.000002p0f, -0x1.000004p0f) == 0x1p-46f);
}

TEST_CASE("Elementary functions have the bits they had when this was written") {
    // A sum over results of many arguments: it changes if one bit of one result does, on this machine or another.
    std::uint64_t sum = 0;
    for (int i = 0; i < 20000; ++i) {
        const double x = (i - 10000) * 0.0123;
        sum = sum * 31 + std::bit_cast<std::uint32_t>(M::exp2(static_cast<float>(x)));
        sum = sum * 31 + std::bit_cast<std::uint64_t>(M::exp(x));
        sum = sum * 31 + std::bit_cast<std::uint32_t>(M::log2(static_cast<float>(i) + 0.5f));
        sum = sum * 31 + std::bit_cast<std::uint64_t>(M::log(i * 0.37 + 0.01));
    }
    CHECK(sum == 0xd25f27bd9052ec44u);
}
