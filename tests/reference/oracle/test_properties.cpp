// Invariants of the definition that need no second implementation. Where both sides perform the same operations in the
// same order they must be equal to the last bit.
#include "tests/reference/oracle/bounds.hpp"
#include "tests/reference/oracle/cases.hpp"
#include "tests/reference/oracle/print_quad.hpp"
#include "tests/support/catch.hpp"

namespace dca::oracle {
namespace {

/// Rows [begin, end) of the sequence axis.
template <class T>
Tensor<T, 4> rows(const Tensor<T, 4>& tensor, std::int64_t begin, std::int64_t end) {
    Extents<4> extents = tensor.extents();
    extents[1] = end - begin;
    Tensor<T, 4> part(extents);
    for (std::int64_t b = 0; b < extents[0]; ++b)
        for (std::int64_t s = 0; s < extents[1]; ++s)
            for (std::int64_t h = 0; h < extents[2]; ++h)
                for (std::int64_t d = 0; d < extents[3]; ++d) part(b, s, h, d) = tensor(b, begin + s, h, d);
    return part;
}

TEST_CASE("packed sequences are computed each on its own (Def.11)") {
    for (RopeScaling scaling : {RopeScaling::none, RopeScaling::dynamic}) {
        Problem p;
        p.shape = {.seq_q = 15, .seq_k = 15, .heads_q = 2, .heads_kv = 1, .head_dim = 4, .head_dim_v = 3};
        p.chunk = {6, 2};
        p.rope.scaling = scaling;
        p.rope.factor = 2;
        p.rope.original_max_position = 4;
        p.cu_seqlens = {0, 5, 5, 6, 15};
        const Inputs inputs = random_inputs(p, 41);
        const auto packed = forward<Quad>(p, inputs);
        const auto packed_gradients = backward<Quad>(p, inputs);
        for (std::size_t s = 0; s + 1 < p.cu_seqlens.size(); ++s) {
            const std::int64_t begin = p.cu_seqlens[s], end = p.cu_seqlens[s + 1];
            if (begin == end) continue;
            CAPTURE(name(scaling), begin, end);
            Problem alone = p;
            alone.cu_seqlens.clear();
            alone.shape.seq_q = alone.shape.seq_k = end - begin;
            const Inputs part{rows(inputs.q, begin, end), rows(inputs.k, begin, end), rows(inputs.v, begin, end),
                              rows(*inputs.dout, begin, end)};
            const auto result = forward<Quad>(alone, part);
            CHECK(result.out == rows(packed.out, begin, end));
            for (std::int64_t row = begin; row < end; ++row) {
                CHECK(result.lse(0, 1, row - begin) == packed.lse(0, 1, row));
            }
            const auto gradients = backward<Quad>(alone, part);
            CHECK(gradients.dq == rows(packed_gradients.dq, begin, end));
            CHECK(gradients.dk == rows(packed_gradients.dk, begin, end));
            CHECK(gradients.dv == rows(packed_gradients.dv, begin, end));
        }
    }
}

TEST_CASE("decode steps and chunked prefill give the rows of one prefill (Def.12)") {
    const Problem p = feature_problems().front().problem;
    const Inputs inputs = random_inputs(p, 42);
    const auto whole = forward<Quad>(p, inputs);
    for (std::int64_t begin = 0; begin < p.shape.seq_q; ++begin) {
        for (std::int64_t end = begin + 1; end <= p.shape.seq_q; ++end) {
            CAPTURE(begin, end);
            Problem part = p;
            part.shape.seq_q = end - begin;
            part.shape.seq_k = end;  // the default query_offset is seq_k - seq_q = begin
            const Inputs cut{rows(inputs.q, begin, end), rows(inputs.k, 0, end), rows(inputs.v, 0, end), {}};
            CHECK(forward<Quad>(part, cut).out == rows(whole.out, begin, end));
        }
    }
}

TEST_CASE("later keys and values have no influence, earlier ones have") {
    const Problem p = feature_problems().front().problem;
    const Inputs inputs = random_inputs(p, 43);
    const auto before = forward<Quad>(p, inputs);
    for (std::int64_t changed = 0; changed < p.shape.seq_k; ++changed) {
        Inputs other = inputs;
        other.k(0, changed, 0, 0) += 1;
        other.v(0, changed, 0, 0) += 1;
        const auto after = forward<Quad>(p, other);
        CHECK(rows(after.out, 0, changed) == rows(before.out, 0, changed));
        for (std::int64_t i = changed; i < p.shape.seq_q; ++i) {
            CHECK(after.out(0, i, 0, 0) != before.out(0, i, 0, 0));
        }
    }
}

TEST_CASE("up to min(2L, C + 1) keys DCA is plain attention with RoPE, one more and it is not (P2)") {
    for (const ChunkConfig chunk : {ChunkConfig{6, 2}, {9, 3}, {5, 3}, {4, 0}, {2, 1}}) {
        const std::int64_t bound = std::min(2 * chunk.chunk_len(), chunk.chunk_size + 1);
        for (std::int64_t n : {bound, bound + 1}) {
            CAPTURE(chunk.chunk_size, chunk.local_size, n);
            Problem p;
            p.shape = {.seq_q = n, .seq_k = n, .head_dim = 4, .head_dim_v = 2};
            p.chunk = chunk;
            Problem plain = p;
            plain.chunk = {1000, 0};
            const Inputs inputs = random_inputs(p, 44);
            CHECK((forward<Quad>(p, inputs).out == forward<Quad>(plain, inputs).out) == (n == bound));
        }
    }
}

TEST_CASE("GQA is attention with repeated key heads, its dk and dv the sums over the group (P15)") {
    Problem p;
    p.shape = {.seq_q = 9, .seq_k = 9, .heads_q = 6, .heads_kv = 2, .head_dim = 4, .head_dim_v = 3};
    p.chunk = {5, 2};
    Problem repeated = p;
    repeated.shape.heads_kv = 6;
    const Inputs inputs = random_inputs(p, 45);
    Inputs wide{inputs.q, Tensor4(k_extents(repeated.shape)), Tensor4(v_extents(repeated.shape)), inputs.dout};
    for (std::int64_t j = 0; j < 9; ++j) {
        for (std::int64_t head = 0; head < 6; ++head) {
            for (std::int64_t d = 0; d < 4; ++d) wide.k(0, j, head, d) = inputs.k(0, j, head / 3, d);
            for (std::int64_t d = 0; d < 3; ++d) wide.v(0, j, head, d) = inputs.v(0, j, head / 3, d);
        }
    }
    CHECK(forward<Quad>(p, inputs).out == forward<Quad>(repeated, wide).out);
    const auto gqa = backward<Quad>(p, inputs);
    const auto mha = backward<Quad>(repeated, wide);
    CHECK(gqa.dq == mha.dq);
    Tensor<Quad, 4> dk(gqa.dk.extents()), dv(gqa.dv.extents());
    for (std::int64_t j = 0; j < 9; ++j) {
        for (std::int64_t head = 0; head < 6; ++head) {
            for (std::int64_t d = 0; d < 4; ++d) dk(0, j, head / 3, d) += mha.dk(0, j, head, d);
            for (std::int64_t d = 0; d < 3; ++d) dv(0, j, head / 3, d) += mha.dv(0, j, head, d);
        }
    }
    const double bound = 2 * rounding_bounds(p, 0x1p-113).gradient;  // sums in another order, on both sides
    CHECK(worst_difference(gqa.dk, dk) <= bound);
    CHECK(worst_difference(gqa.dv, dv) <= bound);
}

TEST_CASE("full rotary: mscale is a factor mscale^2 on softmax_scale, partial rotary: it is not (P14)") {
    for (std::int64_t rotary_dim : {4, 2}) {
        Problem p = feature_problems().front().problem;
        p.rope.rotary_dim = rotary_dim;
        p.softmax_scale = 0.5;
        p.rope.mscale = 1.5;
        Problem scaled = p;
        scaled.rope.mscale = 1;
        scaled.softmax_scale = 0.5 * 1.5 * 1.5;
        const Inputs inputs = random_inputs(p, 46);
        const Quad difference = worst_difference(forward<Quad>(p, inputs).out, forward<Quad>(scaled, inputs).out);
        CHECK((difference <= 2 * rounding_bounds(p, 0x1p-113).out) == (rotary_dim == 4));
    }
}

TEST_CASE("frequencies of zero are no rotation (P12)") {
    Problem p = feature_problems().front().problem;
    Problem none = p;
    p.rope.inv_freq = {0, 0};
    none.rope.layout = RopeLayout::none;
    const Inputs inputs = random_inputs(p, 47);
    CHECK(forward<Quad>(p, inputs).out == forward<Quad>(none, inputs).out);
}

}  // namespace
}  // namespace dca::oracle
