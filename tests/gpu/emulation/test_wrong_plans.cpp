// Kernels that are told the wrong thing: the gate fails them, and says which mistake it was. Every mistake is a plan,
// so it goes through the kernels as they ship.
#include <functional>
#include <string>

#include "golden/case_text.hpp"
#include "gpu/emulation/run_plan.hpp"
#include "tests/support/catch.hpp"
#include "verify/candidate/candidate.hpp"
#include "verify/gate/run_gate.hpp"
#include "verify/run/results.hpp"

using namespace dca;
using namespace dca::gpu;

namespace {

using Change = std::function<void(const Problem&, host::Plan&)>;

class WrongPlan final : public verify::Candidate {
public:
    explicit WrongPlan(Change change) : change_(std::move(change)) {}
    [[nodiscard]] std::string name() const override { return "wrong plan"; }
    [[nodiscard]] verify::Support supports(const Problem& problem) const override {
        const Support support = emulation_supports(problem);
        return {support.ok(), support.reason};
    }
    [[nodiscard]] golden::Results run(const Problem& problem, const Inputs& inputs) override {
        host::Plan plan = host::make_plan(problem);
        change_(problem, plan);
        return verify::results_of(emulation::run_plan(problem, inputs, plan, {}, nullptr), std::nullopt);
    }

private:
    Change change_;
};

// Peaked, so that a position off by one moves whole weights; P_succ reaches the clamp 88 within every chunk of 70 rows,
// which are more than a tile.
constexpr const char* long_case =
    "id=long seq_q=260 heads_q=2 heads_kv=1 head_dim=64 chunk_size=88 local_size=18 dtype=bf16 qk_scale=3 gradient=0 "
    "seed=7";
constexpr const char* piece_case =
    "id=piece seq_q=60 seq_k=200 heads_q=2 heads_kv=1 head_dim=64 chunk_size=40 local_size=8 dtype=f16 qk_scale=3 "
    "gradient=0 seed=8";

verify::CaseReport judged(const char* text, Change change) {
    WrongPlan candidate(std::move(change));
    verify::GateOptions options;
    options.cases = {golden::parse_case(text)};
    const verify::RunReport report = run_gate(options, candidate);
    REQUIRE(report.cases.size() == 1);
    return report.cases.front();
}

/// Every explanation of a case, with those that cannot be told from it.
std::string names(const verify::CaseReport& report) {
    std::string all;
    for (const verify::Explanation& explanation : report.explanations) {
        all += explanation.id + " ";
        for (const std::string& other : explanation.same_as) all += other + " ";
    }
    return all;
}

void check_named(const char* text, const char* mutant, Change change) {
    const verify::CaseReport report = judged(text, std::move(change));
    INFO(mutant << ": " << report.reason << "; named: " << names(report));
    CHECK(report.verdict == verify::Verdict::failed);
    CHECK((" " + names(report)).find(" " + std::string(mutant) + " ") != std::string::npos);
}

/// The plan of a problem that is not the one the kernels compute.
Change plan_of(std::function<void(Problem&)> change) {
    return [change](const Problem& problem, host::Plan& plan) {
        Problem other = problem;
        change(other);
        plan = host::make_plan(other);
    };
}

}  // namespace

TEST_CASE("the plan as it is made passes") {
    for (const char* text : {long_case, piece_case}) {
        const verify::CaseReport report = judged(text, [](const Problem&, host::Plan&) {});
        INFO(report.reason);
        CHECK(report.verdict == verify::Verdict::passed);
    }
}

TEST_CASE("positions off by one are named") {
    check_named(long_case, "inter-one-short", [](const Problem&, host::Plan& plan) {
        for (QueryTile& tile : plan.query_tiles) tile.inter_angle -= tile.inter_end > 0;
    });
    check_named(long_case, "clamp-one-short", [](const Problem&, host::Plan& plan) {
        for (QueryTile& tile : plan.query_tiles) {
            tile.inter_angle -= tile.inter_end > 0;
            if (tile.succ_end > 0 && tile.succ_angles < tile.rows) --tile.succ_angles;
        }
    });
}

TEST_CASE("keys met in the wrong mode are named") {
    check_named(long_case, "succ-at-inter", [](const Problem&, host::Plan& plan) {
        for (QueryTile& tile : plan.query_tiles) {
            // The table of a tile in chunk 1 names no inter row; the last row holds the clamp.
            if (tile.succ_end > 0) tile.inter_angle = static_cast<std::int32_t>(plan.angle_rows - 1);
            tile.inter_end = tile.succ_end;
        }
    });
    check_named(long_case, "diagonal-dropped", [](const Problem&, host::Plan& plan) {
        for (QueryTile& tile : plan.query_tiles) --tile.diagonal;
    });
}

TEST_CASE("plans of another problem are named") {
    check_named(piece_case, "query-offset-ignored", plan_of([](Problem& problem) { problem.query_offset = 0; }));
    check_named(long_case, "stride-is-chunk-size", plan_of([](Problem& problem) { problem.chunk.local_size = 0; }));
    check_named(long_case, "plain-rope", plan_of([](Problem& problem) { problem.chunk = {300, 0}; }));
}

TEST_CASE("k turned by wrong rows of the table") {
    check_named(long_case, "keys-at-absolute-positions", [](const Problem& problem, host::Plan& plan) {
        Problem plain = problem;
        plain.chunk = {300, 0};
        host::Plan other = host::make_plan(plain);
        // Both tables begin at position 0 without a gap, so rows are positions in both.
        REQUIRE(plan.angle_rows == problem.chunk.chunk_size + 1);
        plan.angles = other.angles;
        plan.key_tiles = other.key_tiles;
    });
    // Wrong everywhere alike, and no known mistake: failed without a name.
    const auto fails = [](std::int32_t (*row)(std::int32_t)) {
        return judged(long_case, [row](const Problem&, host::Plan& plan) {
                   for (KeyTile& tile : plan.key_tiles) tile.angle = row(tile.angle);
               }).verdict == verify::Verdict::failed;
    };
    CHECK(fails([](std::int32_t angle) { return angle + 1; }));
    CHECK(fails([](std::int32_t) { return 0; }));  // right for the first tile of a chunk
}

TEST_CASE("a tile that is left out is a fault of the machine, not a number") {
    const verify::CaseReport report =
        judged(long_case, [](const Problem&, host::Plan& plan) { plan.query_tiles.pop_back(); });
    CHECK(report.verdict == verify::Verdict::errored);
    CHECK(report.reason.find("the kernels never wrote") != std::string::npos);
}

TEST_CASE("an angle beyond the table is a fault of the machine, in one line") {
    const verify::CaseReport report = judged(long_case, [](const Problem&, host::Plan& plan) {
        for (KeyTile& tile : plan.key_tiles) tile.angle += static_cast<std::int32_t>(plan.angle_rows);
    });
    INFO(report.reason);
    CHECK(report.verdict == verify::Verdict::errored);
    CHECK(report.reason.starts_with("it threw: kernel rotate: rotation.hpp:"));
    CHECK(report.reason.find("global memory") != std::string::npos);
    CHECK(report.reason.find('\n') == std::string::npos);
}
