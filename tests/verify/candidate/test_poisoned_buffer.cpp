// Every element left unwritten and every element touched outside is seen, in each type.
#include <cstdint>
#include <cstring>

#include "tests/support/catch.hpp"
#include "verify/candidate/poisoned_buffer.hpp"

using dca::verify::BufferFault;
using dca::verify::ElementType;
using dca::verify::PoisonedBuffer;

namespace {

/// Row 2 of (1, 4, 2, 3) is elements 12 .. 17.
PoisonedBuffer buffer(ElementType type = ElementType::f32) {
    return {"out", type, {1, 4, 2, 3}, 8};
}

void write_all(PoisonedBuffer& buffer, ElementType type, std::size_t count = 24) {
    std::memset(buffer.data(), 0, count * size_of(type));
}

}  // namespace

TEST_CASE("A buffer that was written whole and nowhere else is clean") {
    for (const ElementType type : {ElementType::f64, ElementType::f32, ElementType::f16, ElementType::bf16,
                                   ElementType::e4m3, ElementType::e5m2}) {
        PoisonedBuffer out = buffer(type);
        CHECK(reinterpret_cast<std::uintptr_t>(out.data()) % 256 == 0);
        CHECK(out.inspect().find("any element of out") != std::string::npos);
        write_all(out, type);
        CHECK(out.inspect().empty());
        CHECK(out.values() == std::vector<double>(24, 0.0));
        out.poison();
        CHECK_FALSE(out.inspect().empty());
    }
}

TEST_CASE("Unwritten elements are found with their rows") {
    for (const ElementType type : {ElementType::f64, ElementType::f32, ElementType::f16, ElementType::bf16}) {
        PoisonedBuffer out = buffer(type);
        write_all(out, type, 15);
        CHECK(out.inspect() == "never wrote 9 elements of out, in rows 2 to 3");
        CHECK_THROWS_AS(out.values(), BufferFault);
    }
    PoisonedBuffer lse("lse", ElementType::f32, {1, 2, 4}, 8);
    std::memset(lse.data(), 0, 7 * sizeof(float));
    CHECK(lse.inspect() == "never wrote 1 element of lse, in row 3");
    PoisonedBuffer eight = buffer(ElementType::e4m3);
    write_all(eight, ElementType::e4m3, 23);
    CHECK(eight.inspect() == "never wrote, or wrote NaN to, 1 element of out, in row 3");
}

TEST_CASE("An output that is only added to stays poisoned") {
    PoisonedBuffer out = buffer();
    auto* values = static_cast<float*>(out.data());
    for (int i = 0; i < 24; ++i) values[i] += 1.0F;
    CHECK(out.inspect() == "never wrote any element of out");
}

TEST_CASE("Writes on either side are seen, stores and additions alike") {
    for (const bool add : {false, true}) {
        PoisonedBuffer out = buffer();
        write_all(out, ElementType::f32);
        auto* values = static_cast<float*>(out.data());
        for (const int at : {-3, -1, 24}) values[at] = add ? values[at] + 1e-30F : 0.0F;
        CHECK(out.inspect() ==
              "wrote 2 elements before the start of out, as far as 3 from it and wrote 1 element past the end of out, "
              "as far as 1 from it");
        CHECK_THROWS_AS(out.values(), BufferFault);
    }
}

TEST_CASE("The whole of the guards is looked at") {
    PoisonedBuffer out = buffer();
    const std::size_t guard = out.offset() / sizeof(float);
    CHECK(guard >= 8);
    CHECK(out.whole().size() == 2 * out.offset() + 24 * sizeof(float));
    write_all(out, ElementType::f32);
    out.whole().front() = std::byte{1};
    CHECK(out.inspect().find("as far as " + std::to_string(guard)) != std::string::npos);
    out.poison();
    write_all(out, ElementType::f32);
    out.whole().back() = std::byte{1};
    CHECK(out.inspect() == "wrote 1 element past the end of out, as far as " + std::to_string(guard) + " from it");
}
