// From tensor names to cases: which tensor of which case a name means, and the checks a candidate's tensors must pass
// before anybody looks at their values.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "verify/candidate/candidate_file.hpp"
#include "verify/candidate/tensor_source.hpp"

namespace dca::verify {

/// A name taken apart. case_id is empty for a bare name.
struct TensorName {
    std::string case_id;
    bool output = true;  ///< outputs/..., otherwise inputs/...
    std::string tensor;
    friend auto operator<=>(const TensorName&, const TensorName&) = default;
};

/// <case>/outputs/<tensor>, <case>/inputs/<tensor>, <case>/<tensor>, outputs/<tensor>, inputs/<tensor> or <tensor>; the
/// short forms mean outputs. Throws FormatError saying what is expected.
[[nodiscard]] TensorName parse_tensor_name(std::string_view name);

class NamedCandidate final : public CandidateFile {
public:
    /// Throws FormatError for a name that means nothing, two names for one tensor, or bare names beside case ids.
    explicit NamedCandidate(std::unique_ptr<TensorSource> source);

    [[nodiscard]] std::vector<std::string> case_ids() const override;
    [[nodiscard]] golden::Results read(const golden::CaseData& golden) const override;
    void check(const golden::CaseData& head, const OpenInput& golden_input) const override;
    [[nodiscard]] std::unique_ptr<golden::TensorReader> open(const golden::CaseData& head,
                                                             const std::string& tensor) const override;
    [[nodiscard]] golden::ChunkSummaryResults read_chunk_summary(const golden::CaseData& golden) const override;

private:
    /// The id under which the tensors of this case lie: empty for bare names.
    [[nodiscard]] std::string id_in_file(const golden::CaseData& golden) const;

    std::unique_ptr<TensorSource> source_;
    std::map<TensorName, std::string> tensors_;  // -> name in the file
};

}  // namespace dca::verify
