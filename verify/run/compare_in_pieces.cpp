#include "verify/run/compare_in_pieces.hpp"

#include <algorithm>
#include <array>

#include "golden/regenerate.hpp"
#include "verify/compare/compare.hpp"
#include "verify/compare/golden_facts.hpp"
#include "verify/compare/reason.hpp"
#include "verify/run/selected_rows.hpp"

namespace dca::verify {
namespace {

constexpr std::array<std::string_view, 5> tensor_names{"out", "lse", "dq", "dk", "dv"};

bool belongs_to_queries(std::string_view tensor) {
    return tensor == "out" || tensor == "lse" || tensor == "dq";
}

class PieceJudge {
public:
    PieceJudge(const golden::FileReader& golden, const golden::CaseData& head) : golden_(golden), head_(head) {}

    /// Precondition: the shapes have been checked.
    TensorReport judge(const std::string& tensor, std::unique_ptr<golden::TensorReader> expected,
                       std::unique_ptr<golden::TensorReader> got) const {
        const bool queries = belongs_to_queries(tensor);
        std::vector<std::int64_t> extents = expected->extents();
        const std::size_t row_axis = tensor == "lse" ? extents.size() - 1 : extents.size() - 3;
        if (got->extents() != extents) got = select_rows(std::move(got), row_axis, head_.sample_rows);
        std::unique_ptr<golden::TensorReader> sigma;
        if (head_.judge) sigma = golden_.open(head_.id, "judge/sigma_" + tensor);
        if (head_.problem.packed()) extents.insert(extents.begin(), 1);
        const auto row_numbers = queries ? std::span(head_.sample_rows) : std::span<const std::int64_t>();
        return compare_readers(tensor, extents, {*expected, *got, sigma.get()}, row_numbers, regions_of(queries),
                               [&] { return natural_size(tensor); });
    }

private:
    double natural_size(const std::string& tensor) const {
        if (natural_.empty()) natural_ = natural_sizes(head_);
        return natural_.at(tensor);
    }

    [[nodiscard]] std::vector<Region> regions_of(bool queries) const {
        const Shape& shape = head_.problem.shape;
        if (head_.judge) return queries ? head_.judge->regions.query : head_.judge->regions.key;
        // Nothing but its case text vouches for the number of rows then.
        if (!head_.sample_rows.empty()) {
            throw FormatError(golden_.path().string() + ": case " + head_.id +
                              " expects sampled rows, but has no judge data for them; make it again");
        }
        return std::vector<Region>(static_cast<std::size_t>(queries ? shape.seq_q : shape.seq_k), Region::none);
    }

    const golden::FileReader& golden_;
    const golden::CaseData& head_;
    mutable std::map<std::string, double> natural_;
};

TensorReport without_expected(const std::string& tensor, const golden::CaseData& head,
                              std::vector<std::int64_t> extents) {
    TensorReport skipped;
    skipped.tensor = tensor;
    skipped.verdict = Verdict::skipped;
    skipped.reason = "the golden has no " + tensor + " to compare with";
    if (head.problem.packed()) extents.insert(extents.begin(), 1);
    skipped.extents = std::move(extents);
    return skipped;
}

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
    candidate.check(head, [&](const std::string& tensor) {
        return head.regenerates ? golden::made_input(*head.regenerates, tensor)
                                : golden.open(head.id, "inputs/" + tensor);
    });
    const PieceJudge judge(golden, head);
    for (const std::string_view name : tensor_names) {
        const std::string tensor(name);
        if (!tensors.empty() && std::find(tensors.begin(), tensors.end(), tensor) == tensors.end()) continue;
        std::unique_ptr<golden::TensorReader> got = candidate.open(head, tensor);
        std::unique_ptr<golden::TensorReader> expected = golden.open(head.id, "outputs/" + tensor);
        if (!got) {
            if (expected) report.not_in_candidate.push_back(tensor);
        } else if (expected) {
            report.tensors.push_back(judge.judge(tensor, std::move(expected), std::move(got)));
        } else {
            report.tensors.push_back(without_expected(tensor, head, got->extents()));
        }
    }
    conclude(report);
    add_golden_facts(head, report);
    if (!head.sample_rows.empty()) report.coverage = coverage(report, head);
    return report;
}

}  // namespace dca::verify
