// The schema of a chunk-summary case: its attributes and its datasets. Reader, writer and candidates follow it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "golden/chunk_summary_case.hpp"
#include "golden/store.hpp"

namespace dca::golden {

/// Names of the attributes that describe the problem, `algorithm` among them, in the order they are written.
[[nodiscard]] std::vector<std::string_view> chunk_summary_attributes();
/// Sets one of them (but not `algorithm`). Throws FormatError (wrong type) or InvalidProblem (not one of the known
/// names).
void set_chunk_summary_attribute(std::string_view name, const AttributeValue& value, chunk_summary::Problem& problem);
/// The value to write; nullopt where the problem has none (pooling of a block).
[[nodiscard]] std::optional<AttributeValue> chunk_summary_attribute(std::string_view name,
                                                                    const chunk_summary::Problem& problem);

/// One dataset: out, dout or a tensor; the gradient of one; the expected error of one of those.
struct ChunkSummaryDataset {
    std::string group, name;
    std::optional<chunk_summary::TensorId> tensor;  ///< nullopt: out or dout
    [[nodiscard]] std::string path() const { return group + "/" + name; }
};
/// Every dataset that some problem has.
[[nodiscard]] const std::vector<ChunkSummaryDataset>& chunk_summary_datasets();
[[nodiscard]] bool has(const chunk_summary::Problem& problem, const ChunkSummaryDataset& dataset);
[[nodiscard]] chunk_summary::Sizes extents(const chunk_summary::Problem& problem, const ChunkSummaryDataset& dataset);
[[nodiscard]] std::string axes_text(const chunk_summary::Problem& problem, const ChunkSummaryDataset& dataset);

}  // namespace dca::golden
