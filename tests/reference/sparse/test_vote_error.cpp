// When picks can be predicted (V.10): kernels in narrow types against the bound, and the picks they make.
#include "reference/sparse/vote_error.hpp"

#include <cmath>
#include <limits>

#include "reference/math/parallel.hpp"
#include "reference/sparse/plan.hpp"
#include "tests/reference/sparse/sparse_cases.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;
using namespace dca::sparse_test;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Votes as a kernel forms them: operands and scores in the dtype, sums and softmax in float32.
sparse::Votes narrow_votes(const sparse::PlannedSegment& planned, std::int64_t last_q, Dtype dtype) {
    const auto& plan = planned.plan;
    const std::int64_t end = plan.segment.key_end(), dim = planned.rows.problem().shape.head_dim;
    std::vector<float> vertical(static_cast<std::size_t>(end)), slash(static_cast<std::size_t>(end));
    for (std::int64_t from_last = std::min(plan.segment.rows(), last_q) - 1; from_last >= 0; --from_last) {
        const std::int64_t visible = end - from_last;
        std::vector<float> p(static_cast<std::size_t>(visible));
        float maximum = -INFINITY, sum = 0;
        std::vector<double> query(static_cast<std::size_t>(dim));
        for (const auto& span : reference::key_spans(planned.rows.problem().chunk, plan.segment.chunk, visible)) {
            planned.rows.query(plan.segment.row_end - 1 - from_last, plan.head, span.mode, sparse::QueryKind::critical,
                               query.data());
            for (std::int64_t j = span.begin; j < span.end; ++j) {
                float score = 0;
                for (std::int64_t c = 0; c < dim; ++c) {
                    const double key = planned.keys[static_cast<std::size_t>(j * dim + c)];
                    score += static_cast<float>(round_to(dtype, query[static_cast<std::size_t>(c)])) *
                             static_cast<float>(round_to(dtype, key));
                }
                p[static_cast<std::size_t>(j)] = static_cast<float>(round_to(dtype, score));
                maximum = std::max(maximum, p[static_cast<std::size_t>(j)]);
            }
        }
        for (float& x : p) sum += x = std::exp(x - maximum);
        for (std::int64_t j = 0; j < visible; ++j) {
            vertical[static_cast<std::size_t>(j)] += p[static_cast<std::size_t>(j)] / sum;
            slash[static_cast<std::size_t>(j + from_last)] += p[static_cast<std::size_t>(j)] / sum;
        }
    }
    return {{vertical.begin(), vertical.end()}, {slash.begin(), slash.end()}};
}

double largest_log_ratio(const std::vector<double>& a, const std::vector<double>& b) {
    double largest = 0;
    for (std::size_t n = 0; n < a.size(); ++n) {
        if (b[n] > 1e-30) largest = std::max(largest, std::abs(std::log(a[n] / b[n])));
    }
    return largest;
}

}  // namespace

TEST_CASE("the margin is the ratio at the border of the picks") {
    const sparse::Votes votes{{0.5, 0.25, 0.125, infinity}, {4, 1, 2, 3}};
    CHECK(std::abs(sparse::margin(votes, {{0, 3}, {0, 1, 2, 3}}) - std::log(2)) <= 0x1p-53);
    CHECK(std::abs(sparse::margin(votes, {{0, 3}, {0, 3}}) - std::log(1.5)) <= 0x1p-53);
    CHECK(sparse::margin(votes, {{0, 1, 2, 3}, {0, 1, 2, 3}}) == infinity);
    CHECK(sparse::margin(votes, {{3}, {0, 1, 2, 3}}) == infinity);  // forced, and nothing else
    CHECK(sparse::margin({{infinity, infinity}, {1, 2}}, {{0}, {0, 1}}) == 0);
    CHECK(sparse::margin({{1, 1}, {1, 2}}, {{0}, {0, 1}}) == 0);
    CHECK(sparse::margin({{1e-40, 0}, {1, 2}}, {{0}, {0, 1}}) == 0);  // votes that float32 does not hold
}

TEST_CASE("votes of narrow kernels are within the bound, and settled picks are the ones they make") {
    const int threads = reference::thread_count();
    reference::use_threads(1);
    for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
        std::size_t settled = 0, open = 0, other = 0;
        double closest = 0;
        for (std::uint64_t seed = 1; seed <= 60; ++seed) {
            CAPTURE(name(dtype), seed);
            SparseCase given = plain_sparse_case(80, 20, 9, 8, seed, 2);
            given.config.forced_verticals = given.config.forced_slashes = 2;
            given.config.last_q = 1 + static_cast<std::int64_t>(seed % 20);
            given.config.rules = sparse::sglang_later_rules;
            given.problem.dtype = dtype;
            // Peaked and flat votes, so that some borders are wide and some narrow.
            const double scale = seed % 3 == 0 ? 2 : 0.5;
            for (double& x : given.inputs.q.values()) x = round_to(dtype, scale * x);
            for (double& x : given.inputs.k.values()) x = round_to(dtype, scale * x);
            sparse::for_each_plan(given.problem, given.inputs, given.config, [&](const auto& planned) {
                const auto& plan = planned.plan;
                const auto exact =
                    sparse::votes(planned.rows, plan.segment, plan.head, given.config.last_q, planned.keys);
                const auto narrow = narrow_votes(planned, given.config.last_q, dtype);
                const double off = std::max(largest_log_ratio(narrow.vertical, exact.vertical),
                                            largest_log_ratio(narrow.slash, exact.slash));
                CHECK(off <= plan.vote_error);
                closest = std::max(closest, off / plan.vote_error);
                const bool same = sparse::picks(sparse::forced(narrow, given.config), plan.sizes) == plan.picks;
                if (plan.settled()) CHECK(same);
                (plan.settled() ? settled : open) += 1;
                other += same ? 0 : 1;
            });
        }
        CAPTURE(name(dtype), settled, open, other, closest);
        CHECK(closest >= 0.005);  // a bound, but not a mere formality
        if (dtype == Dtype::f32) CHECK(settled >= 300);
        if (dtype == Dtype::bf16) CHECK(other >= 10);  // why picks of narrow types are not relied on
        if (dtype == Dtype::bf16) CHECK(open >= other);
    }
    reference::use_threads(threads);
}
