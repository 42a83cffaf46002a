// P6-P9, P11: causality, prefixes, decode, suffixes and permutations of far chunks.
#include <algorithm>

#include "reference/backward.hpp"
#include "reference/forward.hpp"
#include "tests/support/agreement.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

namespace {

constexpr double both_sides = 2 * test::reference_agreement;
constexpr ChunkConfig chunk{7, 2};  // L = 5

/// Rows [begin, end) of a (1, seq, heads, dim) tensor.
Tensor4 rows(const Tensor4& tensor, std::int64_t begin, std::int64_t end) {
    Tensor4 out({1, end - begin, tensor.extent(2), tensor.extent(3)});
    const auto width = static_cast<std::size_t>(tensor.extent(2) * tensor.extent(3));
    std::ranges::copy(
        tensor.values().subspan(static_cast<std::size_t>(begin) * width, static_cast<std::size_t>(end - begin) * width),
        out.values().begin());
    return out;
}

/// The queries [q_begin, q_end) against the keys [k_begin, q_end) of a problem, with the given offset.
Outputs slice(const Problem& whole, const Inputs& inputs, std::int64_t q_begin, std::int64_t q_end,
              std::int64_t k_begin) {
    Problem problem = whole;
    problem.shape.seq_q = q_end - q_begin;
    problem.shape.seq_k = q_end - k_begin;
    problem.query_offset = q_begin - k_begin;
    return reference::forward(problem, {rows(inputs.q, q_begin, q_end), rows(inputs.k, k_begin, q_end),
                                        rows(inputs.v, k_begin, q_end), std::nullopt});
}

struct Whole {
    Problem problem = test::plain_problem(32, chunk, 4, 2);
    Inputs inputs = test::random_inputs(problem, 77);
    Outputs outputs = reference::forward(problem, inputs);
};

}  // namespace

TEST_CASE("P6: no output depends on a later token, and no gradient reaches one") {
    const Whole whole;
    const std::int64_t row = 13;
    Inputs changed = whole.inputs;
    for (Tensor4* tensor : {&changed.q, &changed.k, &changed.v}) {
        const auto width = static_cast<std::size_t>(tensor->extent(2) * tensor->extent(3));
        for (double& x : tensor->values().subspan(static_cast<std::size_t>(row + 1) * width)) x = -2 * x + 1;
    }
    const Outputs again = reference::forward(whole.problem, changed);
    CHECK(rows(again.out, 0, row + 1) == rows(whole.outputs.out, 0, row + 1));
    CHECK_FALSE(rows(again.out, row + 1, 32) == rows(whole.outputs.out, row + 1, 32));

    Inputs one_row = whole.inputs;
    std::ranges::fill(one_row.dout->values(), 0.0);
    for (std::int64_t c = 0; c < one_row.dout->extent(3); ++c) (*one_row.dout)(0, row, 1, c) = 1.0;
    const Gradients gradients = reference::backward(whole.problem, one_row, whole.outputs);
    for (const Tensor4* tensor : {&gradients.dq, &gradients.dk, &gradients.dv}) {
        const Tensor4 after = rows(*tensor, row + 1, 32);
        CHECK(std::ranges::all_of(after.values(), [](double x) { return x == 0.0; }));
    }
    CHECK_FALSE(std::ranges::all_of(rows(gradients.dk, 0, row).values(), [](double x) { return x == 0.0; }));
}

TEST_CASE("P7: a prefix of the rows is the run of the prefix") {
    const Whole whole;
    for (std::int64_t t : {1, 4, 5, 6, 11, 31}) {
        CAPTURE(t);
        CHECK(slice(whole.problem, whole.inputs, 0, t, 0).out == rows(whole.outputs.out, 0, t));
    }
}

TEST_CASE("P8: decode steps and any chunked prefill give the rows of the prefill") {
    const Whole whole;
    for (std::int64_t t = 0; t < 32; ++t) {
        CAPTURE(t);
        CHECK(test::relative_l2(slice(whole.problem, whole.inputs, t, t + 1, 0).out,
                                rows(whole.outputs.out, t, t + 1)) <= both_sides);
    }
    for (const auto& [begin, end] : {std::pair<std::int64_t, std::int64_t>{3, 17}, {5, 10}, {9, 32}, {0, 2}}) {
        CAPTURE(begin, end);
        CHECK(test::relative_l2(slice(whole.problem, whole.inputs, begin, end, 0).out,
                                rows(whole.outputs.out, begin, end)) <= both_sides);
    }
}

TEST_CASE("P8: every short block of rows of one chunk, wherever it ends among the panels of keys") {
    const Problem problem = test::plain_problem(50, {60, 4}, 2, 1);
    const Inputs inputs = test::random_inputs(problem, 78);
    const Outputs outputs = reference::forward(problem, inputs);
    for (std::int64_t begin = 0; begin < 48; ++begin) {
        for (std::int64_t count : {1, 2, 3}) {
            const std::int64_t end = std::min<std::int64_t>(begin + count, 50);
            CAPTURE(begin, end);
            CHECK(test::relative_l2(slice(problem, inputs, begin, end, 0).out, rows(outputs.out, begin, end)) <=
                  both_sides);
        }
    }
}

TEST_CASE("P9: dropping whole chunks from the front equals masking them, dropping part of one does not") {
    // Masking keys j < cut is done by the values: with v one-hot in "kept", the ratio of two outputs is the masked
    // mean.
    Problem problem = test::plain_problem(32, chunk, 1, 1);
    const Inputs inputs = test::random_inputs(problem, 21);
    for (std::int64_t cut : {5, 10, 3}) {
        Inputs masked = inputs;
        masked.v = Tensor4({1, 32, 1, problem.shape.head_dim + 1});
        Problem wider = problem;
        wider.shape.head_dim_v = problem.shape.head_dim + 1;
        masked.dout.reset();
        for (std::int64_t j = cut; j < 32; ++j) {
            for (std::int64_t c = 0; c < problem.shape.head_dim; ++c) masked.v(0, j, 0, c) = inputs.v(0, j, 0, c);
            masked.v(0, j, 0, problem.shape.head_dim) = 1.0;
        }
        const Outputs with_mask = reference::forward(wider, masked);
        const Outputs dropped = slice(problem, inputs, cut, 32, cut);
        Tensor4 expected(dropped.out.extents());
        for (std::int64_t i = cut; i < 32; ++i) {
            for (std::int64_t c = 0; c < problem.shape.head_dim; ++c) {
                expected(0, i - cut, 0, c) = with_mask.out(0, i, 0, c) / with_mask.out(0, i, 0, problem.shape.head_dim);
            }
        }
        const double difference = test::relative_l2(dropped.out, expected);
        CAPTURE(cut, difference);
        if (cut % chunk.chunk_len() == 0) {
            // The kept keys hold at least 1e-2 of the mass here, so the division magnifies the error by 1e2 at most.
            CHECK(difference <= 100 * both_sides);
        } else {
            CHECK(difference >= 1e-3);
        }
    }
}

TEST_CASE("P11: far chunks are a bag of residues") {
    Whole whole;
    const std::int64_t len = chunk.chunk_len(), last_chunk = 4;  // rows from 20 on
    const auto exchange = [&](Inputs& inputs, std::int64_t a, std::int64_t b) {
        for (Tensor4* tensor : {&inputs.k, &inputs.v}) {
            for (std::int64_t h = 0; h < tensor->extent(2); ++h) {
                for (std::int64_t c = 0; c < tensor->extent(3); ++c)
                    std::swap((*tensor)(0, a, h, c), (*tensor)(0, b, h, c));
            }
        }
    };
    Inputs chunks_permuted = whole.inputs;
    for (std::int64_t r = 0; r < len; ++r) exchange(chunks_permuted, r, 2 * len + r);
    Inputs tokens_swapped = whole.inputs;
    exchange(tokens_swapped, 1, len + 1);
    Inputs residues_mixed = whole.inputs;
    exchange(residues_mixed, 1, len + 2);
    const Tensor4 expected = rows(whole.outputs.out, last_chunk * len, 25);
    const auto result = [&](const Inputs& inputs) {
        return rows(reference::forward(whole.problem, inputs).out, last_chunk * len, 25);
    };
    CHECK(test::relative_l2(result(chunks_permuted), expected) <= both_sides);
    CHECK(test::relative_l2(result(tokens_swapped), expected) <= both_sides);
    CHECK(test::relative_l2(result(residues_mixed), expected) >= 1e-3);
}
