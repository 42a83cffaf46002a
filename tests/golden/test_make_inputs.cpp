// The input generator: frozen values, independence of order and slice, distribution, recipes, representability.
#include "golden/make_inputs.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "golden/case_text.hpp"
#include "golden/catalogue.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using namespace dca::golden;

TEST_CASE("unit elements are frozen: a change would change every golden file") {
    // Computed by a separate program from the published definition of Philox and exact rational arithmetic.
    CHECK(unit_element(0, InputTensor::q, 0) == 0x1.1f79150bec4b2p+1);
    CHECK(unit_element(0, InputTensor::q, 1) == 0x1.946f084f4ca3ep-2);
    CHECK(unit_element(0, InputTensor::v, 0) == -0x1.d45e85de4b652p-1);
    CHECK(unit_element(5, InputTensor::dout, 123456789) == -0x1.0aeaf7436dd08p-2);
    CHECK(unit_element(0xFEDCBA9876543210u, InputTensor::k, std::uint64_t{3} << 33) == -0x1.1560dedb550b1p+1);
}

TEST_CASE("unit elements have mean 0, variance 1, no correlation between neighbours and tensors") {
    constexpr int count = 400000;
    double sum = 0, squares = 0, neighbours = 0, tensors = 0, largest = 0;
    for (int i = 0; i < count; ++i) {
        const double x = unit_element(7, InputTensor::q, static_cast<std::uint64_t>(i));
        sum += x;
        squares += x * x;
        neighbours += x * unit_element(7, InputTensor::q, static_cast<std::uint64_t>(i) + 1);
        tensors += x * unit_element(7, InputTensor::k, static_cast<std::uint64_t>(i));
        largest = std::max(largest, std::abs(x));
    }
    // Five standard deviations of each estimate; the kurtosis of a sum of 8 uniforms is 3 - 6 / 40 = 2.85.
    const double n = count;
    CHECK(std::abs(sum / n) <= 5 / std::sqrt(n));
    CHECK(std::abs(squares / n - 1) <= 5 * std::sqrt(1.85 / n));
    CHECK(std::abs(neighbours / n) <= 5 / std::sqrt(n));
    CHECK(std::abs(tensors / n) <= 5 / std::sqrt(n));
    CHECK(largest < 4.9);
    CHECK(largest > 3.9);  // P(|x| > 3.9) is about 2e-5 for a sum of 8 uniforms
}

TEST_CASE("elements do not depend on the order in which they are made, nor on the rest of the tensor") {
    const CaseSpec spec = parse_case(
        "batch=2 seq_q=13 seq_k=17 heads_q=4 heads_kv=2 head_dim=8 head_dim_v=6 chunk_size=6 local_size=2 dtype=bf16 "
        "seed=3 "
        "qk_scale=2 v_offset=1");
    const Inputs inputs = make_inputs(spec);
    const auto compare = [&](InputTensor which, const Tensor4& tensor) {
        bool same = true;
        for (std::int64_t e = tensor.size() - 1; e >= 0; --e) {  // backwards
            same = same && tensor.values()[static_cast<std::size_t>(e)] == input_element(spec, which, e);
        }
        CHECK(same);
    };
    compare(InputTensor::q, inputs.q);
    compare(InputTensor::k, inputs.k);
    compare(InputTensor::v, inputs.v);
    compare(InputTensor::dout, inputs.dout.value());

    CaseSpec longer = spec;
    longer.problem.shape.batch = 5;
    CHECK(input_element(longer, InputTensor::q, 77) == input_element(spec, InputTensor::q, 77));
}

TEST_CASE("seeds and tensors have streams of their own") {
    std::set<double> seen;
    for (const InputTensor tensor : {InputTensor::q, InputTensor::k, InputTensor::v, InputTensor::dout}) {
        for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32}) {
            seen.insert(unit_element(seed, tensor, 4) + 10 * unit_element(seed, tensor, 5));
        }
    }
    CHECK(seen.size() == 12);
}

TEST_CASE("every value of every valid catalogue case is representable in its dtype and finite") {
    for (const std::string_view name : {"smoke", "ci"}) {
        for (const CaseSpec& spec : suite(name)) {
            if (spec.expectation != Expectation::valid) continue;
            CAPTURE(spec.id);
            const Inputs inputs = make_inputs(spec);
            bool representable = true;
            for (const Tensor4* tensor : {&inputs.q, &inputs.k, &inputs.v}) {
                for (double x : tensor->values()) representable = representable && round_to(spec.problem.dtype, x) == x;
            }
            CHECK(representable);
            CHECK(inputs.dout.has_value() == spec.recipe.gradient);
        }
    }
}

TEST_CASE("qk_scale multiplies q and k alone") {
    const CaseSpec plain = parse_case("seq_q=5 head_dim=4 chunk_size=3 local_size=1 seed=9");
    CaseSpec scaled = plain;
    scaled.recipe.qk_scale = 3;
    const Inputs a = make_inputs(plain), b = make_inputs(scaled);
    CHECK(b.q(0, 3, 0, 2) == 3 * a.q(0, 3, 0, 2));
    CHECK(b.k(0, 3, 0, 2) == 3 * a.k(0, 3, 0, 2));
    CHECK(b.v == a.v);
    CHECK(b.dout == a.dout);
}

TEST_CASE("v_offset alternates from chunk to chunk and restarts at each packed sequence") {
    // stride 2; sequences of 0, 3 and 4 tokens
    const std::string text = "seq_q=7 head_dim=4 chunk_size=3 local_size=1 seed=9 cu_seqlens=0,0,3,7";
    const Inputs plain = make_inputs(parse_case(text)), moved = make_inputs(parse_case(text + " v_offset=8"));
    const std::array<double, 7> expected{8, 8, -8, 8, 8, -8, -8};
    for (int row = 0; row < 7; ++row)
        CHECK(moved.v(0, row, 0, 1) == plain.v(0, row, 0, 1) + expected[std::size_t(row)]);
}

TEST_CASE("constant_v depends on head and channel only") {
    const Inputs inputs =
        make_inputs(parse_case("batch=2 seq_q=5 heads_q=2 head_dim=4 chunk_size=3 local_size=1 constant_v=1"));
    for (int row = 0; row < 5; ++row) {
        CHECK(inputs.v(1, row, 1, 3) == inputs.v(0, 0, 1, 3));
        CHECK(inputs.v(1, row, 0, 3) != inputs.v(0, 0, 1, 3));
    }
}

TEST_CASE("linear_v makes a triple whose third v is the exact sum of the others, in every dtype") {
    for (const char* dtype : {"f64", "f32", "tf32", "f16", "bf16", "e4m3", "e5m2"}) {
        for (const char* more : {"", " v_offset=3", " constant_v=1"}) {
            CAPTURE(dtype, more);
            const CaseSpec spec =
                parse_case(std::string("batch=3 seq_q=9 seq_k=7 query_offset=0 heads_q=2 head_dim=4 ") +
                           "head_dim_v=6 chunk_size=3 local_size=1 linear_v=1 dtype=" + dtype + more);
            const Inputs inputs = make_inputs(spec);
            const auto alike = [](const Tensor4& t, int b) {
                const auto size = static_cast<std::ptrdiff_t>(t.size() / 3);
                return std::equal(t.values().begin(), t.values().begin() + size, t.values().begin() + b * size);
            };
            for (int b : {1, 2}) CHECK((alike(inputs.q, b) && alike(inputs.k, b) && alike(*inputs.dout, b)));
            int nonzero = 0, wrong = 0;
            const auto v = inputs.v.values();
            for (std::size_t e = 0; e < v.size() / 3; ++e) {
                wrong += v[2 * v.size() / 3 + e] != v[e] + v[v.size() / 3 + e];
                nonzero += v[e] != 0;
            }
            CHECK(wrong == 0);
            CHECK(nonzero > 30);  // of 84; steps of e5m2 are 2, so that a third of its values is 0
        }
    }
    CHECK_THROWS_AS(make_inputs(parse_case("batch=2 seq_q=5 head_dim=4 C=3 w=1 linear_v=1")), InvalidProblem);
}

TEST_CASE("recipes that leave the dtype or are not finite are refused") {
    const std::string text = "seq_q=5 head_dim=4 chunk_size=3 local_size=1 dtype=f16 ";
    CHECK_THROWS_AS(make_inputs(parse_case(text + "qk_scale=1e6")), InvalidProblem);
    CHECK_THROWS_AS(make_inputs(parse_case(text + "qk_scale=nan")), InvalidProblem);
    CHECK_THROWS_AS(make_inputs(parse_case(text + "v_offset=inf")), InvalidProblem);
    CHECK_THROWS_AS(make_inputs(parse_case("seq_q=5 head_dim=4 chunk_size=3 local_size=3")), InvalidProblem);
}

TEST_CASE("every row of q and k of a probe is the first one of the same text without probe") {
    const std::string text =
        "batch=2 seq_q=5 seq_k=7 heads_q=4 heads_kv=2 head_dim=6 C=4 w=1 dtype=bf16 seed=8 qk_scale=2";
    const Inputs probe = make_inputs(parse_case(text + " probe")), plain = make_inputs(parse_case(text));
    CHECK(std::ranges::equal(probe.v.values(), plain.v.values()));
    CHECK(std::ranges::equal(probe.dout->values(), plain.dout->values()));
    for (const auto& [rows, first] : {std::pair{&probe.q, &plain.q}, std::pair{&probe.k, &plain.k}}) {
        const auto width = static_cast<std::size_t>(rows->extent(2) * rows->extent(3));
        for (std::size_t e = 0; e < rows->values().size(); ++e) {
            REQUIRE(rows->values()[e] == first->values()[e % width]);
        }
    }
}
