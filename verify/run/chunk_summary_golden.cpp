#include "verify/run/chunk_summary_golden.hpp"

#include <utility>

#include "golden/case_text.hpp"
#include "golden/chunk_summary_inputs.hpp"
#include "golden/chunk_summary_schema.hpp"
#include "reference/chunk_summary/error_scale.hpp"
#include "reference/chunk_summary/network.hpp"

namespace dca::verify {

void complete_chunk_summary(golden::CaseData& data) {
    if (data.problem.dialect != "exact") {
        throw Unsupported("chunk-summary attention has no dialects, so it cannot be computed as '" +
                          data.problem.dialect + "'");
    }
    golden::ChunkSummaryData& of = *data.chunk_summary;
    of.results.out = chunk_summary::forward(of.problem, of.inputs);
    of.results.gradients =
        of.inputs.dout.empty() ? chunk_summary::Bundle<double>{} : chunk_summary::backward(of.problem, of.inputs);
    chunk_summary::Scales scales =
        chunk_summary::error_scales(of.problem, of.inputs, of.results.out, of.results.gradients);
    of.scales = {std::move(scales.out), std::move(scales.gradients), chunk_summary::error_model_version};
    of.judged = true;
    // Nothing bounds these sums: the radius is infinite and not proven (docs/error_model.md).
    data.certificates.clear();
    for (const golden::ChunkSummaryDataset& dataset : golden::chunk_summary_datasets()) {
        if (dataset.group != "outputs") continue;
        const bool written = !(dataset.tensor ? of.results.gradients[*dataset.tensor] : of.results.out).empty();
        if (written) data.certificates[dataset.name] = golden::Certificate{};
    }
}

golden::CaseData make_chunk_summary_case(const golden::CaseSpec& spec) {
    golden::CaseData data;
    data.id = spec.id;
    data.chunk_summary.emplace();
    data.chunk_summary->problem = spec.chunk_summary->problem;
    data.problem.dtype = spec.chunk_summary->problem.dtype;
    data.chunk_summary->inputs = golden::make_chunk_summary_inputs(*spec.chunk_summary);
    data.provenance["case_text"] = golden::to_text(spec);
    complete_chunk_summary(data);
    return data;
}

}  // namespace dca::verify
