// The softmax of one row and the two gradients through it, against hand values, dual numbers and conservation laws.
#include "reference/oracle/dual.hpp"
#include "reference/oracle/softmax.hpp"
#include "tests/reference/oracle/cases.hpp"
#include "tests/reference/oracle/print_quad.hpp"
#include "tests/support/catch.hpp"

namespace dca::oracle {
namespace {

/// A handful of values of size at most 4, each operation wrong by 2^-113 relative, well under 64 operations deep.
constexpr double row_tolerance = 64 * 4 * 0x1p-113;

bool close(Quad a, Quad b) {
    return fabsq(a - b) <= row_tolerance;
}

struct ModeRow {
    std::vector<Quad> logits, dprobability;
    std::vector<Mode> modes;
};

ModeRow mode_row() {
    const std::vector<double> logits{1.5, -0.25, 0.75, 2.0, -1.0, 0.5};
    const std::vector<double> dprobability{0.5, 2.0, -1.5, 0.25, 1.0, -2.75};
    return {{logits.begin(), logits.end()},
            {dprobability.begin(), dprobability.end()},
            {Mode::inter, Mode::inter, Mode::inter, Mode::succ, Mode::succ, Mode::intra}};
}

TEST_CASE("softmax of log 1, log 2, log 5") {
    const Softmax<Quad> row = softmax<Quad>({log(Quad(1)), log(Quad(2)), log(Quad(5))});
    CHECK(close(row.probability[0], Quad(1) / 8));
    CHECK(close(row.probability[1], Quad(2) / 8));
    CHECK(close(row.probability[2], Quad(5) / 8));
    CHECK(close(row.lse, log(Quad(8))));
}

TEST_CASE("softmax of huge logits does not overflow, of none is empty") {
    const Softmax<double> row = softmax<double>({-1e308, 1e308, 1e308});
    CHECK(row.probability == std::vector<double>{0, 0.5, 0.5});
    CHECK(row.lse == 1e308);
    const Softmax<Quad> empty = softmax<Quad>({});
    CHECK(empty.probability.empty());
    CHECK(empty.lse == -Quad(std::numeric_limits<double>::infinity()));
}

TEST_CASE("a part whose probabilities underflow has zero gradients") {
    const std::vector<double> p{0, 1}, dp{3, 4};
    const std::vector<Mode> modes{Mode::succ, Mode::intra};
    CHECK(logit_gradients<double>(p, dp, modes, MergeGradient::detached) == std::vector<double>{0, 0});
}

TEST_CASE("logit gradients are the derivatives of sum P dP, detached, with the merge weights held constant") {
    const ModeRow row = mode_row();
    const Softmax<Quad> weights = softmax(row.logits);
    const auto exact = logit_gradients<Quad>(weights.probability, row.dprobability, row.modes, MergeGradient::exact);
    const auto detached =
        logit_gradients<Quad>(weights.probability, row.dprobability, row.modes, MergeGradient::detached);
    for (std::size_t varied = 0; varied < row.logits.size(); ++varied) {
        CAPTURE(varied);
        std::vector<Dual<Quad>> logits;
        for (std::size_t j = 0; j < row.logits.size(); ++j) logits.push_back({row.logits[j], Quad(j == varied)});

        Quad derivative = 0;
        const auto all = softmax(logits);
        for (std::size_t j = 0; j < logits.size(); ++j) {
            derivative += all.probability[j].derivative * row.dprobability[j];
        }
        CHECK(close(exact[varied], derivative));

        Quad merged_derivative = 0;
        for (Mode mode : all_modes) {
            std::vector<Dual<Quad>> part;
            std::vector<Quad> dpart;
            for (std::size_t j = 0; j < logits.size(); ++j) {
                if (row.modes[j] != mode) continue;
                part.push_back(logits[j]);
                dpart.push_back(row.dprobability[j]);
            }
            const auto within = softmax(part);
            const Quad merge_weight = exp(within.lse.value - weights.lse);
            for (std::size_t j = 0; j < part.size(); ++j) {
                merged_derivative += merge_weight * within.probability[j].derivative * dpart[j];
            }
        }
        CHECK(close(detached[varied], merged_derivative));
    }
}

TEST_CASE("P17: gradients sum to zero over the row, detached, over each mode") {
    const ModeRow row = mode_row();
    const auto p = softmax(row.logits).probability;
    Quad weight[3] = {}, moment[3] = {}, delta = 0;
    for (std::size_t j = 0; j < p.size(); ++j) {
        weight[int(row.modes[j])] += p[j];
        moment[int(row.modes[j])] += p[j] * row.dprobability[j];
        delta += p[j] * row.dprobability[j];
    }
    Quad exact_sum[3] = {}, detached_sum[3] = {};
    const auto exact = logit_gradients<Quad>(p, row.dprobability, row.modes, MergeGradient::exact);
    const auto detached = logit_gradients<Quad>(p, row.dprobability, row.modes, MergeGradient::detached);
    for (std::size_t j = 0; j < p.size(); ++j) {
        exact_sum[int(row.modes[j])] += exact[j];
        detached_sum[int(row.modes[j])] += detached[j];
    }
    CHECK(close(exact_sum[0] + exact_sum[1] + exact_sum[2], 0));
    for (int m = 0; m < 3; ++m) {
        CAPTURE(m);
        const Quad expected = weight[m] * (moment[m] / weight[m] - delta);
        CHECK(close(exact_sum[m], expected));
        CHECK(fabsq(expected) > 0.01);
        CHECK(close(detached_sum[m], 0));
    }
}

}  // namespace
}  // namespace dca::oracle
