#include "tests/support/catch.hpp"
#include "verify/candidate/element_type.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "reference/spec/error.hpp"

namespace {

using namespace dca::verify;

double decoded(ElementType type, std::vector<unsigned char> bytes, bool big_endian = false) {
    std::vector<std::byte> raw;
    for (unsigned char b : bytes) raw.push_back(std::byte{b});
    std::array<double, 1> value{};
    decode_elements(type, big_endian, raw, value);
    return value[0];
}

TEST_CASE("element types decode their bit patterns in both byte orders") {
    CHECK(decoded(ElementType::f64, {0, 0, 0, 0, 0, 0, 0xf8, 0x3f}) == 1.5);
    CHECK(decoded(ElementType::f64, {0x3f, 0xf8, 0, 0, 0, 0, 0, 0}, true) == 1.5);
    CHECK(decoded(ElementType::f32, {0, 0, 0xc0, 0xbf}) == -1.5);
    CHECK(decoded(ElementType::f32, {0xbf, 0xc0, 0, 0}, true) == -1.5);
    CHECK(decoded(ElementType::f16, {0x00, 0x3e}) == 1.5);
    CHECK(decoded(ElementType::f16, {0x3e, 0x00}, true) == 1.5);
    CHECK(decoded(ElementType::f16, {0x01, 0x00}) == 0x1p-24);
    CHECK(decoded(ElementType::bf16, {0xc0, 0x3f}) == 1.5);
    CHECK(decoded(ElementType::e4m3, {0x3c}) == 1.5);
    CHECK(decoded(ElementType::e5m2, {0x3e}) == 1.5);
    CHECK(decoded(ElementType::i32, {0xff, 0xff, 0xff, 0xff}) == -1);
    CHECK(decoded(ElementType::i64, {2, 1, 0, 0, 0, 0, 0, 0}) == 258);
    CHECK(decoded(ElementType::f32, {0, 0, 0x80, 0xff}) == -std::numeric_limits<double>::infinity());
    CHECK(std::isnan(decoded(ElementType::bf16, {0xc0, 0x7f})));
    CHECK(std::isnan(decoded(ElementType::e4m3, {0x7f})));
}

TEST_CASE("sizes and kinds of element types") {
    CHECK(size_of(ElementType::f64) == 8);
    CHECK(size_of(ElementType::bf16) == 2);
    CHECK(size_of(ElementType::e5m2) == 1);
    CHECK(is_floating(ElementType::e4m3));
    CHECK_FALSE(is_floating(ElementType::i32));
    std::array<std::byte, 3> three{};
    std::array<double, 1> one{};
    REQUIRE_THROWS_AS(decode_elements(ElementType::f32, false, three, one), dca::ContractError);
}

}  // namespace
