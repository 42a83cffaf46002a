#include "verify/calibration/calibration.hpp"

#include <array>
#include <cmath>
#include <iomanip>
#include <limits>
#include <mutex>
#include <ostream>

#include "golden/case_text.hpp"
#include "golden/make_inputs.hpp"
#include "reference/backward.hpp"
#include "reference/error_scale.hpp"
#include "reference/forward.hpp"
#include "reference/math/parallel.hpp"
#include "reference/oracle/attention.hpp"
#include "verify/peer/peer.hpp"

namespace dca::calibration {
namespace {

const std::array line_table{
    Line{"dtype=f64", true, 3},
    Line{"dtype=f32", false, 3},
    Line{"dtype=tf32", false, 3},
    Line{"dtype=f16", false, 3},
    Line{"dtype=bf16", false, 3},
    Line{"dtype=e4m3", false, 1},
    Line{"dtype=e5m2", false, 1},
    Line{"dtype=bf16 output_dtype=f32", false, 3},
    Line{"dtype=bf16 p_dtype=e4m3", false, 3},
    Line{"dtype=f16 accumulator=f16", false, 3},
    Line{"dtype=e4m3 p_dtype=bf16", false, 1},
    Line{"dtype=bf16 p_dtype=f32 output_dtype=f32", false, 3},
};

const std::array<std::string, 7> setting_table{
    "seq_q=40 head_dim=16 C=4 w=3",                                       // stride 1
    "seq_q=150 head_dim=64 C=200 w=8 rope=interleaved",                   // one chunk
    "seq_q=150 heads_q=4 heads_kv=2 head_dim=32 C=24 w=8 rotary_dim=16",  // many chunks
    "seq_q=256 heads_q=2 heads_kv=1 head_dim=64 C=64 w=2 rope_base=1e6",  // the ratio 32 of Qwen2.5-1M
    "seq_q=200 cu_seqlens=0,1,70,70,200 head_dim=32 C=48 w=16",
    "seq_q=70 seq_k=300 head_dim=48 C=80 w=16",  // chunked prefill; the softmax scale is no power of two
    "seq_q=2000 head_dim=64 C=512 w=16 rope_base=1e6",
};
constexpr std::array scale_table{0.3, 1.0, 3.0};

Ratio ratio_of(std::span<const double> expected, std::span<const double> got, std::span<const float> sigma,
               std::int64_t channels) {
    Ratio ratio;
    ratio.rows = static_cast<std::int64_t>(expected.size()) / channels;
    for (std::size_t n = 0; n < expected.size(); ++n) {
        // What is exact, and expected to be, has only the errors of the double reference, 100 eps or less.
        const double exact = 0x1p-46 * std::abs(expected[n]);
        if (std::abs(expected[n] - got[n]) <= exact && sigma[n] <= exact) continue;
        if (expected[n] == got[n] && sigma[n] <= std::numeric_limits<float>::denorm_min()) continue;
        const double error = (got[n] - expected[n]) / double{sigma[n]};
        if (!std::isfinite(error) || !(sigma[n] > 0)) {
            ratio.broken = true;
            continue;
        }
        ++ratio.elements;
        ratio.squares += error * error;
    }
    return ratio;
}

struct Truth {
    Outputs outputs;
    std::optional<Gradients> gradients;
};

/// got = expected + (got - exact), so that an exact truth finer than double can be compared in doubles.
template <int Rank>
void to_difference(const Tensor<long double, Rank>& exact, Tensor<double, Rank>& expected, Tensor<double, Rank>& got) {
    for (std::size_t n = 0; n < got.values().size(); ++n) {
        const long double truth = exact.values()[n];
        expected.values()[n] = 0;
        got.values()[n] = std::isinf(truth) && static_cast<long double>(got.values()[n]) == truth
                              ? 0
                              : static_cast<double>(static_cast<long double>(got.values()[n]) - truth);
    }
}

Truth truth_of(const Problem& problem, const Inputs& inputs) {
    Truth truth{reference::forward(problem, inputs), {}};
    if (inputs.dout) truth.gradients = reference::backward(problem, inputs, truth.outputs);
    return truth;
}

void compare_exactly(const Problem& problem, const Inputs& inputs, Truth& truth, peer::PeerResult& got) {
    const auto exact = oracle::forward<long double>(problem, inputs);
    to_difference(exact.out, truth.outputs.out, got.outputs.out);
    to_difference(exact.lse, truth.outputs.lse, got.outputs.lse);
    if (!got.gradients) return;
    const auto gradients = oracle::backward<long double>(problem, inputs);
    to_difference(gradients.dq, truth.gradients->dq, got.gradients->dq);
    to_difference(gradients.dk, truth.gradients->dk, got.gradients->dk);
    to_difference(gradients.dv, truth.gradients->dv, got.gradients->dv);
}

}  // namespace

void Ratio::add(const Ratio& other) {
    squares += other.squares;
    elements += other.elements;
    rows += other.rows;
    broken = broken || other.broken;
}

double Ratio::rms() const {
    if (broken) return std::numeric_limits<double>::quiet_NaN();
    return elements == 0 ? 0 : std::sqrt(squares / static_cast<double>(elements));
}

double Ratio::uncertainty() const {
    // The mean square of N normal numbers has relative variance 2 / N, its root a quarter of that.
    return rows == 0 ? 0 : rms() / std::sqrt(2 * static_cast<double>(rows));
}

void Ratios::add(const Ratios& other) {
    out.add(other.out);
    lse.add(other.lse);
    dq.add(other.dq);
    dk.add(other.dk);
    dv.add(other.dv);
}

std::span<const Line> lines() {
    return line_table;
}
std::span<const std::string> settings() {
    return setting_table;
}
std::span<const double> qk_scales() {
    return scale_table;
}

golden::CaseSpec case_of(const Line& line, const std::string& setting, double qk_scale, std::uint64_t seed) {
    golden::CaseSpec spec = golden::parse_case(setting + " " + line.types + " seed=" + std::to_string(seed));
    spec.recipe.qk_scale = qk_scale;
    return spec;
}

bool is_run(const Line& line, const golden::CaseSpec& spec) {
    return spec.problem.shape.seq_q <= 1000 || (!line.exact_truth && spec.recipe.seed == 1);
}

Ratios measure(const golden::CaseSpec& spec, bool exact_truth) {
    const Problem& problem = spec.problem;
    const Inputs inputs = golden::make_inputs(spec);
    Truth truth = truth_of(problem, inputs);
    const ErrorScales sigma =
        reference::error_scales(problem, inputs, truth.outputs, reference::flash_profile(problem));
    peer::PeerResult got = peer::run_peer(problem, inputs);
    if (exact_truth) compare_exactly(problem, inputs, truth, got);
    Ratios ratios;
    ratios.out =
        ratio_of(truth.outputs.out.values(), got.outputs.out.values(), sigma.out.values(), problem.shape.head_dim_v);
    ratios.lse = ratio_of(truth.outputs.lse.values(), got.outputs.lse.values(), sigma.lse.values(), 1);
    if (!truth.gradients) return ratios;
    ratios.dq =
        ratio_of(truth.gradients->dq.values(), got.gradients->dq.values(), sigma.dq->values(), problem.shape.head_dim);
    ratios.dk =
        ratio_of(truth.gradients->dk.values(), got.gradients->dk.values(), sigma.dk->values(), problem.shape.head_dim);
    ratios.dv = ratio_of(truth.gradients->dv.values(), got.gradients->dv.values(), sigma.dv->values(),
                         problem.shape.head_dim_v);
    return ratios;
}

std::vector<Cell> measure_all(int seeds, const Progress& progress) {
    struct Run {
        golden::CaseSpec spec;
        bool exact_truth;
        Ratios ratios;
    };
    std::vector<Run> runs;
    std::vector<Cell> cells;
    std::vector<std::size_t> cell_of;
    for (std::size_t l = 0; l < line_table.size(); ++l) {
        const Line& line = line_table[l];
        for (const double scale : scale_table) {
            if (scale > line.largest_scale) continue;
            cells.push_back({l, scale, {}, 0});
            for (const std::string& setting : setting_table) {
                for (int seed = 1; seed <= seeds; ++seed) {
                    golden::CaseSpec spec = case_of(line, setting, scale, static_cast<std::uint64_t>(seed));
                    if (!is_run(line, spec)) continue;
                    runs.push_back({std::move(spec), line.exact_truth, {}});
                    cell_of.push_back(cells.size() - 1);
                }
            }
        }
    }
    std::size_t done = 0;
    std::mutex mutex;
    reference::parallel_for(static_cast<std::int64_t>(runs.size()), 1e12, [&](std::int64_t n) {
        Run& run = runs[runs.size() - 1 - static_cast<std::size_t>(n)];
        run.ratios = measure(run.spec, run.exact_truth);
        const std::lock_guard lock(mutex);
        if (progress) progress(++done, runs.size());
    });
    for (std::size_t n = 0; n < runs.size(); ++n) {
        cells[cell_of[n]].ratios.add(runs[n].ratios);
        ++cells[cell_of[n]].runs;
    }
    return cells;
}

void write_table(std::ostream& out, std::span<const Cell> cells) {
    out << "| types | q, k times | runs | out | lse | dq | dk | dv |\n|---|---|---|---|---|---|---|---|\n";
    for (const Cell& cell : cells) {
        out << "| " << line_table[cell.line].types << " | " << std::fixed << std::setprecision(1) << cell.qk_scale
            << " | " << cell.runs << " |" << std::setprecision(3);
        const Ratios& r = cell.ratios;
        for (const Ratio* ratio : {&r.out, &r.lse, &r.dq, &r.dk, &r.dv}) out << ' ' << ratio->rms() << " |";
        out << '\n';
    }
}

}  // namespace dca::calibration
