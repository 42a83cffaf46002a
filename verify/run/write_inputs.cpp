#include "verify/run/write_inputs.hpp"

#include <algorithm>

#include "golden/case_text.hpp"
#include "golden/chunk_summary_inputs.hpp"
#include "golden/make_inputs.hpp"

namespace dca::verify {
namespace {

constexpr std::int64_t slice_elements = std::int64_t{1} << 20;

void append_tensor(const golden::InputSource& source, golden::InputTensor tensor, const char* path,
                   golden::CaseStream& stream) {
    const auto [batches, rows, heads, dim] = source.extents(tensor);
    const std::int64_t step = std::max<std::int64_t>(1, slice_elements / (heads * dim));
    std::vector<double> values;
    for (std::int64_t b = 0; b < batches; ++b) {
        for (std::int64_t row = 0; row < rows; row += step) {
            const std::int64_t end = std::min(rows, row + step);
            values.resize(static_cast<std::size_t>((end - row) * heads * dim));
            source.fill_rows(tensor, b, row, end, values);
            stream.append(path, std::span<const double>(values));
        }
    }
}

void write_case(const golden::CaseSpec& spec, golden::FileWriter& writer) {
    golden::CaseData data;
    data.id = spec.id;
    data.provenance["case_text"] = golden::to_text(spec);
    if (spec.chunk_summary) {
        data.chunk_summary.emplace();
        data.chunk_summary->problem = spec.chunk_summary->problem;
        data.problem.dtype = spec.chunk_summary->problem.dtype;
        data.chunk_summary->inputs = golden::make_chunk_summary_inputs(*spec.chunk_summary);
        return writer.write(data);
    }
    data.problem = spec.problem;
    std::vector<std::string> paths{"inputs/q", "inputs/k", "inputs/v"};
    if (spec.recipe.gradient) paths.emplace_back("inputs/dout");
    golden::CaseStream stream = writer.begin(data, paths);
    append_inputs(spec, stream);
    stream.finish();
}

}  // namespace

void append_inputs(const golden::CaseSpec& spec, golden::CaseStream& stream) {
    const golden::InputSource source(spec);
    append_tensor(source, golden::InputTensor::q, "inputs/q", stream);
    append_tensor(source, golden::InputTensor::k, "inputs/k", stream);
    append_tensor(source, golden::InputTensor::v, "inputs/v", stream);
    if (spec.recipe.gradient) append_tensor(source, golden::InputTensor::dout, "inputs/dout", stream);
}

GenerateCounts write_inputs(const std::vector<golden::CaseSpec>& cases, const std::filesystem::path& target,
                            const Progress& progress) {
    return write_cases(cases, target, progress,
                       [](const auto& spec, auto& writer, const Within&) { write_case(spec, writer); });
}

}  // namespace dca::verify
