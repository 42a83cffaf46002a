#include "verify/candidate/chunk_summary_names.hpp"

#include <algorithm>

#include "golden/chunk_summary_schema.hpp"
#include "golden/schema.hpp"
#include "golden/text.hpp"

namespace dca::verify {
namespace {

const golden::ChunkSummaryDataset* find_dataset(bool output, std::string_view name) {
    for (const golden::ChunkSummaryDataset& dataset : golden::chunk_summary_datasets()) {
        if (dataset.group == (output ? "outputs" : "inputs") && dataset.name == name) return &dataset;
    }
    return nullptr;
}

}  // namespace

bool is_chunk_summary_tensor(bool output, std::string_view name) {
    return find_dataset(output, name) != nullptr;
}

bool is_chunk_summary_tensor(bool output, std::string_view name, const chunk_summary::Problem& problem) {
    const golden::ChunkSummaryDataset* dataset = find_dataset(output, name);
    return dataset != nullptr && has(problem, *dataset);
}

void check_chunk_summary_attribute(const std::string& name, const golden::AttributeValue& value,
                                   const golden::CaseData& golden) {
    const std::vector<std::string_view> known = golden::chunk_summary_attributes();
    if (std::find(known.begin(), known.end(), name) == known.end()) {
        if (golden::classify_attribute(name) == golden::AttributeClass::provenance) return;
        throw FormatError("does not belong to a chunk_summary case" + golden::suggestion(name, known));
    }
    const chunk_summary::Problem& problem = golden.chunk_summary->problem;
    chunk_summary::Problem claimed = problem;
    golden::set_chunk_summary_attribute(name, value, claimed);
    if (!(claimed == problem)) throw FormatError("is not the golden's: the candidate ran another problem");
}

void check_algorithm(const golden::AttributeValue& value, const golden::CaseData& golden) {
    const std::string_view expected =
        golden.chunk_summary ? golden::algorithm_chunk_summary : golden::algorithm_dual_chunk;
    const golden::AttributeValue given = golden::unwrapped(value);
    const auto* text = std::get_if<std::string>(&given);
    if (text == nullptr || *text != expected) {
        throw FormatError("is not the golden's, which is " + std::string(expected));
    }
}

}  // namespace dca::verify
