#include "verify/gate/predict.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

#include "golden/case_text.hpp"
#include "golden/make_inputs.hpp"
#include "golden/schema.hpp"
#include "verify/gate/case_facts.hpp"
#include "verify/run/make_golden.hpp"

namespace dca::verify {
namespace {

// In multiply-adds of the largest loops: what fits the times of suite ci and of four cases of 1024 to 4096 rows,
// measured on two cores, within a factor of 4 for each case and of 1.5 for all (docs/gate.md). Nothing is decided by
// them.
constexpr double work_of_case = 1.8e6, work_of_pair = 126, work_of_row_channel = 262;
constexpr double forward_share = 0.4;       // of a case without gradients
constexpr double work_of_far_case = 1.6e8;  // tables of angles for positions from 2^24 on
constexpr std::int64_t far_position = std::int64_t{1} << 24;

constexpr double base_memory = 24e6;  // the program and its threads

std::int64_t element_bytes(golden::Content content, Dtype dtype) {
    switch (content) {
        case golden::Content::input: return dtype == Dtype::f64 ? 8 : 4;
        case golden::Content::frequency:
        case golden::Content::result: return 8;
        case golden::Content::row_number: return 8;
        case golden::Content::error_scale:
        case golden::Content::boundary: return 4;
        case golden::Content::region: return 1;
    }
    return 8;
}

/// Elements of a dataset of the schema in the golden file of a case; 0 where it is not there.
std::int64_t elements(const golden::DatasetRule& rule, const golden::CaseSpec& spec) {
    const Problem& problem = spec.problem;
    if (rule.name == "cu_seqlens") return static_cast<std::int64_t>(problem.cu_seqlens.size());
    if (rule.name == "inv_freq") return static_cast<std::int64_t>(problem.rope.inv_freq.size());
    if (rule.name == "sample_rows") return 0;
    const bool of_gradients =
        rule.name == "dout" || rule.name.ends_with("dq") || rule.name.ends_with("dk") || rule.name.ends_with("dv");
    if (of_gradients && !spec.recipe.gradient) return 0;
    std::int64_t count = 1;
    for (const golden::Axis axis : golden::axes_of(rule, problem.packed())) count *= golden::size_of(axis, problem, 0);
    return count;
}

}  // namespace

Prediction predict(const golden::CaseSpec& spec) {
    if (spec.expectation == golden::Expectation::must_reject || spec.chunk_summary) return {0, 0, 0, work_of_case};
    const Shape& shape = spec.problem.shape;
    Prediction prediction;
    double in = 0, results = 0;
    for (const golden::DatasetRule& rule : golden::datasets()) {
        const std::int64_t count = elements(rule, spec);
        const std::int64_t bytes = count * element_bytes(rule.content, spec.problem.dtype);
        const bool input = rule.group == "inputs";
        if (input) prediction.input_bytes += bytes;
        prediction.golden_bytes += bytes;
        if (input) in += static_cast<double>(count);
        if (rule.content == golden::Content::result) results += static_cast<double>(count);
    }
    // In memory all values are doubles: inputs, the copy for the candidate, results of both sides, scales, and what is
    // needed on the way; the factors are those of two cases of 700 to 800 MiB, measured.
    prediction.memory_bytes = static_cast<std::int64_t>(base_memory + 20 * in + 28 * results);
    const CaseFacts facts = facts_of(spec);
    const double heads = static_cast<double>(shape.batch * shape.heads_q);
    const double rows = static_cast<double>(shape.batch) *
                        static_cast<double>(shape.seq_q * shape.heads_q + shape.seq_k * shape.heads_kv);
    const double channels = static_cast<double>(shape.head_dim + shape.head_dim_v);
    const double all = heads * facts.pairs() * (channels + work_of_pair) + rows * channels * work_of_row_channel;
    prediction.work = work_of_case + all * (spec.recipe.gradient ? 1 : forward_share) +
                      (facts.longest > far_position ? work_of_far_case : 0);
    return prediction;
}

double seconds_per_work() {
    const golden::CaseSpec spec =
        golden::parse_case("id=calibration seq_q=257 heads_q=2 head_dim=64 chunk_size=96 local_size=32 dtype=bf16");
    golden::CaseData data;
    data.problem = spec.problem;
    data.inputs = golden::make_inputs(spec);
    // The fastest of several: other programs on the machine only ever make it slower.
    using Clock = std::chrono::steady_clock;
    const auto enough = Clock::now() + std::chrono::milliseconds(500);
    double fastest = std::numeric_limits<double>::infinity();
    for (int repeat = 0; repeat < 3 || (repeat < 20 && Clock::now() < enough); ++repeat) {
        const auto begin = Clock::now();
        complete(data);
        fastest = std::min(fastest, std::chrono::duration<double>(Clock::now() - begin).count());
    }
    return fastest / predict(spec).work;
}

}  // namespace dca::verify
