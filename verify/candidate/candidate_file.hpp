// Outputs somebody else wrote: .h5, .npz or .safetensors, untrusted. Tensors are named <case id>/outputs/<tensor>
// (.h5: the schema's groups; .npz and .safetensors also accept <case id>/<tensor>, and <tensor> alone for a golden of
// one case).
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "golden/store.hpp"

namespace dca::verify {

class CandidateFile {
public:
    virtual ~CandidateFile() = default;
    /// Case ids found in the file; for bare tensor names a single empty string.
    [[nodiscard]] virtual std::vector<std::string> case_ids() const = 0;
    /// The results of one case, shapes checked against the problem, any float type widened to double. Where the file
    /// also carries inputs or problem attributes, they must be the golden's. Throws golden-style FormatError naming
    /// file, case and dataset.
    [[nodiscard]] virtual golden::Results read(const golden::CaseData& golden) const = 0;
    /// The same piece by piece (`head`: FileReader::read_head). First the checks of names, attributes and inputs, each
    /// of which `golden_input` opens (null: the golden has none); then the values of one output, null if it is not
    /// there. Its extents are those of the problem or, of a sampled golden, of its rows (packed: without batch).
    using OpenInput = std::function<std::unique_ptr<golden::TensorReader>(const std::string& tensor)>;
    virtual void check(const golden::CaseData& head, const OpenInput& golden_input) const = 0;
    [[nodiscard]] virtual std::unique_ptr<golden::TensorReader> open(const golden::CaseData& head,
                                                                     const std::string& tensor) const = 0;
    /// The same for a chunk-summary case.
    [[nodiscard]] virtual golden::ChunkSummaryResults read_chunk_summary(const golden::CaseData& golden) const = 0;
};

/// Opens by content type of the name: .h5/.hdf5, .npz, .safetensors; anything else is a FormatError that says so.
[[nodiscard]] std::unique_ptr<CandidateFile> open_candidate(const std::filesystem::path& path);

}  // namespace dca::verify
