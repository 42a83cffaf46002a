#include "verify/run/compare_in_pieces.hpp"

#include <algorithm>
#include <array>

#include "verify/compare/compare.hpp"
#include "verify/compare/golden_facts.hpp"
#include "verify/compare/reason.hpp"

namespace dca::verify {
namespace {

constexpr std::array<std::string_view, 5> tensor_names{"out", "lse", "dq", "dk", "dv"};

bool belongs_to_queries(std::string_view tensor) {
    return tensor == "out" || tensor == "lse" || tensor == "dq";
}

/// Passes on the elements of a tensor that lie in sampled rows, in order.
class Selection {
public:
    /// extents: of the whole tensor, (..., rows, ...) with the rows at `axis`. rows empty: everything is passed on.
    Selection(std::span<const std::int64_t> extents, std::size_t axis, std::span<const std::int64_t> rows)
        : count_(extents[axis]), keeps_all_(rows.empty()) {
        for (std::size_t a = axis + 1; a < extents.size(); ++a) width_ *= extents[a];
        if (keeps_all_) return;
        kept_.assign(static_cast<std::size_t>(count_), false);
        for (const std::int64_t row : rows) kept_[static_cast<std::size_t>(row)] = true;
    }

    void add(std::span<const double> piece, std::vector<double>& to) {
        if (keeps_all_) {
            to.insert(to.end(), piece.begin(), piece.end());
            return;
        }
        while (!piece.empty()) {
            const std::int64_t row = flat_ / width_ % count_, left_in_row = width_ - flat_ % width_;
            const auto run = std::min(piece.size(), static_cast<std::size_t>(left_in_row));
            if (kept_[static_cast<std::size_t>(row)])
                to.insert(to.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(run));
            piece = piece.subspan(run);
            flat_ += static_cast<std::int64_t>(run);
        }
    }

private:
    std::int64_t width_ = 1, count_, flat_ = 0;
    bool keeps_all_;
    std::vector<bool> kept_;
};

class PieceJudge {
public:
    PieceJudge(const golden::FileReader& golden, const golden::CaseData& head, const CandidateFile& candidate)
        : golden_(golden), head_(head), candidate_(candidate), natural_(natural_sizes(head)) {}

    TensorReport judge(const std::string& tensor, const std::vector<std::int64_t>& got_extents,
                       golden::TensorReader& expected) const {
        const bool queries = belongs_to_queries(tensor);
        std::vector<std::int64_t> extents = expected.extents();
        const std::size_t row_axis = tensor == "lse" ? extents.size() - 1 : extents.size() - 3;
        const bool selects = got_extents != extents;  // the shapes have been checked: all rows, of which some are meant
        Selection selection(got_extents, row_axis, selects ? head_.sample_rows : std::vector<std::int64_t>{});
        if (head_.problem.packed()) extents.insert(extents.begin(), 1);

        std::optional<golden::TensorReader> scale;
        if (head_.judge) scale = golden_.open(head_.id, "judge/sigma_" + tensor);
        const std::vector<Region> regions = regions_of(queries);
        TensorJudge judge(tensor, extents, queries ? head_.sample_rows : std::vector<std::int64_t>{}, regions);
        const auto channels = static_cast<std::size_t>(tensor == "lse" ? 1 : extents.back());
        std::vector<double> got, wanted, wide;
        std::vector<float> sigma;
        candidate_.read_pieces(head_, tensor, [&](std::span<const double> piece) {
            selection.add(piece, got);
            const std::size_t count = got.size() / channels * channels;  // whole rows of one head
            wanted.resize(count);
            expected.read(wanted);
            if (scale) {
                wide.resize(count);
                scale->read(wide);
                sigma.assign(wide.begin(), wide.end());
            }
            judge.add(wanted, std::span<const double>(got).first(count), sigma);
            got.erase(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(count));
        });
        return judge.finish(natural_.at(tensor), scale.has_value());
    }

private:
    [[nodiscard]] std::vector<Region> regions_of(bool queries) const {
        const Shape& shape = head_.problem.shape;
        if (head_.judge) return queries ? head_.judge->regions.query : head_.judge->regions.key;
        return std::vector<Region>(static_cast<std::size_t>(queries ? shape.seq_q : shape.seq_k), Region::none);
    }

    const golden::FileReader& golden_;
    const golden::CaseData& head_;
    const CandidateFile& candidate_;
    std::map<std::string, double> natural_;
};

std::string listed(const CaseReport& report, bool queries) {
    std::string names;
    for (const TensorReport& tensor : report.tensors) {
        if (tensor.verdict == Verdict::skipped || belongs_to_queries(tensor.tensor) != queries) continue;
        names += (names.empty() ? "" : ", ") + tensor.tensor;
    }
    return names;
}

std::string coverage(const CaseReport& report, const golden::CaseData& head) {
    const std::string rows = listed(report, true), keys = listed(report, false);
    std::string text;
    if (!rows.empty()) {
        text = rows + ": " + std::to_string(head.sample_rows.size()) + " of " +
               std::to_string(head.problem.shape.seq_q) + " query rows, nothing is known of the others";
    }
    if (!keys.empty()) {
        text += (text.empty() ? "" : "; ") + keys + ": every key, for a dout that is 0 outside the " +
                std::to_string(head.sample_rows.size()) + " sampled rows";
    }
    return text;
}

}  // namespace

CaseReport compare_in_pieces(const golden::FileReader& golden, const golden::CaseData& head,
                             const CandidateFile& candidate, const std::vector<std::string>& tensors) {
    CaseReport report;
    report.id = head.id;
    report.dtype = name(head.problem.dtype);
    candidate.check(head);
    const PieceJudge judge(golden, head, candidate);
    for (const std::string_view name : tensor_names) {
        const std::string tensor(name);
        if (!tensors.empty() && std::find(tensors.begin(), tensors.end(), tensor) == tensors.end()) continue;
        const auto got = candidate.output_extents(head, tensor);
        std::optional<golden::TensorReader> expected = golden.open(head.id, "outputs/" + tensor);
        if (!expected && !got) continue;
        if (!got) {
            report.not_in_candidate.push_back(tensor);
        } else if (expected) {
            report.tensors.push_back(judge.judge(tensor, *got, *expected));
        } else {
            TensorReport skipped;
            skipped.tensor = tensor;
            skipped.verdict = Verdict::skipped;
            skipped.reason = "the golden has no " + tensor + " to compare with";
            skipped.extents = *got;
            report.tensors.push_back(std::move(skipped));
        }
    }
    conclude(report);
    add_golden_facts(head, report);
    if (!head.sample_rows.empty()) report.coverage = coverage(report, head);
    return report;
}

}  // namespace dca::verify
