// What a probe is for: mistakes of positions and masks, by how many sigma its worst row shows them.
#include <cmath>
#include <cstdio>
#include <functional>
#include <optional>

#include "reference/math/rope.hpp"
#include "reference/math/rope_frequencies.hpp"
#include "tests/reference/probe/probe_problem.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

namespace {

constexpr std::int64_t chunk_size = 640, window = 128, chunk_len = chunk_size - window, tokens = 1769, dim = 32;

/// Position of the query for a pair, or nothing where the kernel does not see it.
using PairPosition = std::function<std::optional<std::int64_t>(std::int64_t i, std::int64_t j)>;

std::optional<std::int64_t> right(std::int64_t i, std::int64_t j) {
    if (j > i) return std::nullopt;
    const std::int64_t r = i % chunk_len, apart = i / chunk_len - j / chunk_len;
    return apart == 0 ? r : apart == 1 ? std::min(r + chunk_len, chunk_size) : std::min(2 * chunk_len - 1, chunk_size);
}

std::int64_t apart(std::int64_t i, std::int64_t j) {
    return i / chunk_len - j / chunk_len;
}

/// Attention with these positions, pair by pair.
Tensor4 attend(const test::ProbeCase& probe, const PairPosition& position, bool bf16_positions) {
    const reference::RotaryTable table(reference::inv_freq(probe.problem, tokens), 1, RopeLayout::neox, 2 * chunk_size);
    const auto rotated = [&](const double* row, std::int64_t at) {
        if (bf16_positions) at = static_cast<std::int64_t>(round_to(Dtype::bf16, static_cast<double>(at)));
        std::vector<double> angles(table.angles_size()), out(dim);
        table.angles(RotaryPosition(at), angles.data());
        table.rotate(angles.data(), row, out.data(), dim);
        return out;
    };
    std::vector<std::vector<double>> queries, keys;
    for (std::int64_t p = 0; p < 2 * chunk_len; ++p) queries.push_back(rotated(&probe.inputs.q(0, 0), p));
    for (std::int64_t p = 0; p < chunk_len; ++p) keys.push_back(rotated(&probe.inputs.k(0, 0), p));
    std::vector<double> weights(queries.size() * keys.size());
    for (std::size_t a = 0; a < queries.size(); ++a) {
        for (std::size_t b = 0; b < keys.size(); ++b) {
            double s = 0;
            for (std::size_t e = 0; e < dim; ++e) s += queries[a][e] * keys[b][e];
            weights[a * keys.size() + b] = std::exp(s * probe.problem.resolved_softmax_scale());
        }
    }
    Tensor4 out(out_extents(probe.problem.shape));
    for (std::int64_t i = 0; i < tokens; ++i) {
        double total = 0;
        for (std::int64_t j = 0; j < tokens; ++j) {
            const auto p = position(i, j);
            if (!p) continue;
            const double w = weights[static_cast<std::size_t>(*p * chunk_len + j % chunk_len)];
            total += w;
            for (std::int64_t c = 0; c < dim; ++c) out(0, i, 0, c) += w * probe.inputs.v(0, j, 0, c);
        }
        for (std::int64_t c = 0; c < dim && total > 0; ++c) out(0, i, 0, c) /= total;
    }
    return out;
}

/// rms of the error over rms of sigma, in the worst row.
double worst_row(const Tensor4& got, const reference::probe::ProbeResults& golden) {
    double worst = 0;
    for (std::int64_t i = 0; i < tokens; ++i) {
        double error = 0, sigma = 0;
        for (std::int64_t c = 0; c < dim; ++c) {
            error += std::pow(got(0, i, 0, c) - (*golden.out)(0, i, 0, c), 2);
            sigma += std::pow(double{(*golden.sigma_out)(0, i, 0, c)}, 2);
        }
        worst = std::max(worst, std::sqrt(error / sigma));
    }
    return worst;
}

}  // namespace

TEST_CASE("mistakes of positions and masks break a probe") {
    Problem problem = test::plain_problem(tokens, {chunk_size, window}, 1, 1, dim);
    problem.dtype = Dtype::bf16;
    const test::ProbeCase probe = test::make_probe(problem, 11, 1);
    const auto golden = reference::probe::probe(problem, probe.inputs, {true, true, false, false, false});
    CHECK(worst_row(attend(probe, right, false), golden) < 1e-6);

    const auto in_mode = [](std::int64_t chunks, const PairPosition& other) -> PairPosition {
        return [=](std::int64_t i, std::int64_t j) {
            return j <= i && (chunks == 2 ? apart(i, j) >= 2 : apart(i, j) == chunks) ? other(i, j) : right(i, j);
        };
    };
    const auto at = [](std::int64_t position) -> PairPosition { return [=](auto, auto) { return position; }; };
    const PairPosition nowhere = [](auto, auto) { return std::nullopt; };
    struct Mistake {
        const char* name;
        PairPosition position;
        bool bf16_positions = false;
    };
    const Mistake mistakes[] = {
        {"inter dropped", in_mode(2, nowhere)},
        {"succ dropped", in_mode(1, nowhere)},
        {"succ at the inter position", in_mode(1, at(chunk_size))},
        {"succ not clipped", in_mode(1, [](auto i, auto) { return i % chunk_len + chunk_len; })},
        {"inter off by one", in_mode(2, at(chunk_size - 1))},
        {"inter at 0", in_mode(2, at(0))},
        {"causal + 1", [](auto i, auto j) { return j == i + 1 ? std::optional(i % chunk_len) : right(i, j); }},
        {"no diagonal", [](auto i, auto j) { return j == i ? std::nullopt : right(i, j); }},
        {"ragged tail tile lost", [](auto i, auto j) { return j >= tokens / 64 * 64 ? std::nullopt : right(i, j); }},
        {"one far tile lost", [](auto i, auto j) { return i >= 512 && j / 64 == 1 ? std::nullopt : right(i, j); }},
        {"bf16 positions", right, true},
    };
    for (const Mistake& mistake : mistakes) {
        const double ratio = worst_row(attend(probe, mistake.position, mistake.bf16_positions), golden);
        std::printf("%-28s worst row %.1f sigma\n", mistake.name, ratio);
        INFO(mistake.name);
        CHECK(ratio > 2);  // the row line of out
    }
}
