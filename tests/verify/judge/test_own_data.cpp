// Tensors of one's own, and the numbers a kernel may ask the judge for.
#include <cmath>

#include "golden/case_text.hpp"
#include "golden/make_inputs.hpp"
#include "tests/support/catch.hpp"
#include "tests/verify/judge/kernels.hpp"

using namespace dca::judge;
using dca::test::PeerKernel;

namespace {

const std::string text = "id=own seq_q=17 heads_q=2 head_dim=16 chunk_size=7 local_size=2 dtype=bf16";

/// A kernel that only takes notes.
class Notes final : public Candidate {
public:
    [[nodiscard]] std::string name() const override { return "notes"; }
    [[nodiscard]] Support supports(const Problem& problem) const override {
        seen = problem;
        return Support::no("only looking");
    }
    void run(const Problem&, const Inputs&, const Outputs&) override {}
    mutable Problem seen;
};

Problem problem_of(const std::string& words) {
    Notes notes;
    (void)judge_case(words, notes);
    return notes.seen;
}

}  // namespace

TEST_CASE("tensors of one's own are judged like those of a case") {
    const dca::Inputs inputs = dca::golden::make_inputs(dca::golden::parse_case(text + " seed=9"));
    PeerKernel kernel(text);
    Data data{inputs.q.values(), inputs.k.values(), inputs.v.values(), inputs.dout->values()};
    const Result passed = judge_case(text, data, kernel);
    INFO(passed.text());
    CHECK(passed.passed());

    kernel.afterwards = [](const Inputs&, const Outputs& to) { to.out.as<std::uint16_t>()[40] = 0x4110; };  // 9
    CHECK(judge_case(text, data, kernel).exit_status() == 1);
    kernel.afterwards = [](const Inputs&, const Outputs&) { throw std::runtime_error("no"); };
    CHECK(judge_case(text, data, kernel).exit_status() == 2);
    kernel.support = Support::no("not today");
    CHECK(judge_case(text, data, kernel).exit_status() == 3);
}

TEST_CASE("without dout no gradients are asked for") {
    const dca::Inputs inputs = dca::golden::make_inputs(dca::golden::parse_case(text));
    PeerKernel kernel(text);
    kernel.afterwards = [](const Inputs& in, const Outputs& to) {
        CHECK_FALSE(in.dout);
        CHECK_FALSE(to.dq);
        CHECK(to.lse);
    };
    CHECK(judge_case(text, {inputs.q.values(), inputs.k.values(), inputs.v.values()}, kernel).passed());
}

TEST_CASE("tensors that do not fit the case are refused") {
    const dca::Inputs inputs = dca::golden::make_inputs(dca::golden::parse_case(text));
    PeerKernel kernel(text);
    const auto q = inputs.q.values(), k = inputs.k.values(), v = inputs.v.values();
    CHECK_THROWS_AS(judge_case(text, {q.first(q.size() - 1), k, v}, kernel), std::runtime_error);
    CHECK_THROWS_AS(judge_case(text, {q, k, v, v.first(3)}, kernel), std::runtime_error);
    std::vector<double> inexact(v.begin(), v.end());
    inexact[5] = 0.1;  // no bf16
    CHECK_THROWS_AS(judge_case(text, {q, k, inexact}, kernel), std::runtime_error);
    inexact[5] = std::nan("");
    CHECK_THROWS_AS(judge_case(text, {q, k, inexact}, kernel), std::runtime_error);
    inexact[5] = INFINITY;
    CHECK_THROWS_AS(judge_case(text, {q, k, inexact}, kernel), std::runtime_error);
    CHECK(kernel.runs == 0);
}

TEST_CASE("a problem as the kernel sees it") {
    const Problem plain =
        problem_of("seq_q=3 seq_k=8 heads_q=4 heads_kv=2 head_dim=64 chunk_size=12 local_size=4 dtype=e4m3");
    CHECK(plain.seq_k == 8);
    CHECK(plain.query_offset == 5);
    CHECK(plain.chunk_len() == 8);
    CHECK(plain.softmax_scale == 0.125);
    CHECK(plain.head_dim_v == 64);
    CHECK(plain.rope.rotary_dim == 64);
    CHECK_FALSE(plain.rope.mscale.has_value());
    CHECK(plain.accumulator == Dtype::f32);
    CHECK(plain.output_dtype == Dtype::bf16);
    CHECK(mscale(plain) == 1);
    const std::vector<double> frequencies = inverse_frequencies(plain, 8);
    REQUIRE(frequencies.size() == 32);
    CHECK(frequencies[0] == 1);
    CHECK(frequencies[16] == 0.01);  // 10000^(-1/2)

    const Problem none = problem_of("seq_q=3 head_dim=16 chunk_size=12 local_size=4 rope=none");
    CHECK(none.rope.layout == RopeLayout::none);
    CHECK(none.rope.rotary_dim == 0);
    CHECK(inverse_frequencies(none, 3).empty());

    const Problem yarn = problem_of(
        "seq_q=3 head_dim=32 chunk_size=12 local_size=4 rope=interleaved rotary_dim=16 rope_scaling=yarn "
        "rope_factor=4");
    CHECK(yarn.rope.layout == RopeLayout::interleaved);
    CHECK(yarn.rope.scaling == "yarn");
    CHECK(yarn.rope.factor == 4.0);
    CHECK(yarn.rope.original_max_position == 4096.0);
    CHECK(std::abs(mscale(yarn) - (0.1 * std::log(4.0) + 1)) < 1e-15);  // two roundings near 1
    CHECK(inverse_frequencies(yarn, 3).size() == 8);

    Problem own;
    own.head_dim = own.head_dim_v = 8;
    own.chunk_size = 4;
    own.rope.rotary_dim = 8;
    CHECK(inverse_frequencies(own, 1).size() == 4);
    own.rope.scaling = "jarn";
    CHECK_THROWS_AS(inverse_frequencies(own, 1), std::runtime_error);
}
