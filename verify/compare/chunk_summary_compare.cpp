#include "verify/compare/chunk_summary_compare.hpp"

#include <algorithm>
#include <cmath>

#include "verify/compare/compare.hpp"
#include "verify/compare/golden_facts.hpp"
#include "verify/compare/reason.hpp"

namespace dca::verify {
namespace {

using chunk_summary::Problem;
using chunk_summary::Sizes;
using chunk_summary::TensorId;

double largest(double so_far, const std::vector<double>& values) {
    for (const double value : values) so_far = std::max(so_far, std::abs(value));
    return so_far;
}

/// Tokens of the first chunk read no other chunk, and nobody reads the last one from outside; everything else takes
/// part in both attentions wherever there are two chunks.
std::vector<Region> regions(const Problem& p, std::int64_t rows, bool tokens, bool as_keys) {
    const Region both = p.chunks() > 1 ? Region::with_inter : Region::intra_only;
    std::vector<Region> of_row(static_cast<std::size_t>(rows), both);
    if (!tokens) return of_row;
    const auto chunk = static_cast<std::ptrdiff_t>(p.chunk_size);
    if (as_keys) {
        std::fill(of_row.end() - chunk, of_row.end(), Region::intra_only);
    } else {
        std::fill(of_row.begin(), of_row.begin() + chunk, Region::intra_only);
    }
    return of_row;
}

class Judge {
public:
    explicit Judge(const golden::CaseData& golden) : judged_(golden.chunk_summary->judged) {
        report_.id = golden.id;
        report_.dtype = name(golden.chunk_summary->problem.dtype);
    }

    /// natural: the size of a typical wrong value (compare_tensor).
    void tensor(const std::string& name, const Sizes& extents, const std::vector<double>& expected,
                const std::vector<double>& got, const std::vector<float>& sigma, const std::vector<Region>& of_row,
                double natural) {
        if (got.empty()) {
            if (!expected.empty()) report_.not_in_candidate.push_back(name);
            return;
        }
        if (expected.empty()) {
            TensorReport skipped;
            skipped.tensor = name;
            skipped.verdict = Verdict::skipped;
            skipped.reason = "the golden has no " + name + " to compare with";
            skipped.extents = extents;
            report_.tensors.push_back(std::move(skipped));
            return;
        }
        const std::span<const float> scales = judged_ ? std::span<const float>(sigma) : std::span<const float>();
        report_.tensors.push_back(compare_tensor(name, extents, expected, got, scales, of_row, natural));
    }

    [[nodiscard]] CaseReport finish() {
        conclude(report_);
        return std::move(report_);
    }

private:
    bool judged_;
    CaseReport report_;
};

}  // namespace

CaseReport compare_chunk_summary(const golden::CaseData& golden, const golden::ChunkSummaryResults& candidate) {
    const golden::ChunkSummaryData& truth = *golden.chunk_summary;
    const Problem& p = truth.problem;
    // A wrong value is about as large as right ones elsewhere: for a gradient, as the largest of all gradients.
    double gradient_size = 0;
    for (const auto& gradient : truth.results.gradients.of) gradient_size = largest(gradient_size, gradient);

    Judge judge(golden);
    judge.tensor("out", judged_out_extents(p), truth.results.out, candidate.out, truth.scales.out,
                 regions(p, p.out_rows(), p.out_rows() == p.seq_len && p.chunks() > 1, false),
                 largest(0, truth.results.out));
    for (const TensorId id : chunk_summary::all_tensors) {
        if (!has(p, id)) continue;
        const Sizes extents = judged_extents(p, id);
        judge.tensor(gradient_name(id), extents, truth.results.gradients[id], candidate.gradients[id],
                     truth.scales.gradients[id], regions(p, extents[1], id == TensorId::x, true), gradient_size);
    }
    CaseReport report = judge.finish();
    add_golden_facts(golden, report);
    return report;
}

}  // namespace dca::verify
