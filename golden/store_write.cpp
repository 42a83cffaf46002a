// FileWriter: what a case is, and the file around it; case_stream.cpp writes its tensors.
#include <algorithm>

#include "golden/case_stream.hpp"
#include "golden/chunk_summary_store.hpp"
#include "golden/h5_attribute.hpp"
#include "golden/h5_output.hpp"
#include "golden/schema.hpp"
#include "golden/text.hpp"

namespace dca::golden {
namespace {

/// Every tensor of a case with its path and the extents it must have, in the order of the schema.
template <class Visit>
void visit_tensors(const CaseData& data, const Visit& visit) {
    const Shape& shape = data.problem.shape;
    if (!data.regenerates) {
        visit("inputs/q", data.inputs.q, q_extents(shape));
        visit("inputs/k", data.inputs.k, k_extents(shape));
        visit("inputs/v", data.inputs.v, v_extents(shape));
        if (data.inputs.dout) visit("inputs/dout", *data.inputs.dout, out_extents(shape));
    }
    Shape rows = shape;
    if (!data.sample_rows.empty()) rows.seq_q = static_cast<std::int64_t>(data.sample_rows.size());
    const Results& results = data.results;
    if (results.out) visit("outputs/out", *results.out, out_extents(rows));
    if (results.lse) visit("outputs/lse", *results.lse, lse_extents(rows));
    if (results.dq) visit("outputs/dq", *results.dq, q_extents(rows));
    if (results.dk) visit("outputs/dk", *results.dk, k_extents(shape));
    if (results.dv) visit("outputs/dv", *results.dv, v_extents(shape));
    if (!data.judge) return;
    const ErrorScales& scales = data.judge->scales;
    // A golden that does not store its inputs may hold any subset of the results, and of their scales.
    if (!data.regenerates || scales.out.size() > 0) visit("judge/sigma_out", scales.out, out_extents(rows));
    if (!data.regenerates || scales.lse.size() > 0) visit("judge/sigma_lse", scales.lse, lse_extents(rows));
    if (scales.dq) visit("judge/sigma_dq", *scales.dq, q_extents(rows));
    if (scales.dk) visit("judge/sigma_dk", *scales.dk, k_extents(shape));
    if (scales.dv) visit("judge/sigma_dv", *scales.dv, v_extents(shape));
}

}  // namespace

struct FileWriter::Impl {
    h5::OutputFile output;
};

FileWriter::FileWriter(const std::filesystem::path& path) : impl_(new Impl{h5::OutputFile(path)}) {
    reporting_the_disk_first(impl_->output, [&] {
        const hid_t file = impl_->output.file();
        h5::write_attribute(file, "producer", std::string("dca"));
        h5::write_attribute(file, "schema", std::string(schema_name));
        h5::write_attribute(file, "schema_version", schema_version);
    });
}

FileWriter::~FileWriter() = default;
FileWriter::FileWriter(FileWriter&&) noexcept = default;
FileWriter& FileWriter::operator=(FileWriter&&) noexcept = default;

CaseStream FileWriter::begin(const CaseData& head, const std::vector<std::string>& tensors) {
    expects(is_case_id(head.id) && !head.chunk_summary, "FileWriter: not a case that can be begun");
    validate(head.problem);
    return CaseStream(std::make_unique<CaseStream::Impl>(impl_->output, head, tensors));
}

void FileWriter::write(const CaseData& data) {
    expects(is_case_id(data.id), "FileWriter: not a case id");
    if (data.chunk_summary) {
        validate(data.chunk_summary->problem, data.chunk_summary->inputs);
        return reporting_the_disk_first(impl_->output, [&] { write_chunk_summary_case(impl_->output.file(), data); });
    }
    if (!data.regenerates) validate(data.problem, data.inputs);
    std::vector<std::string> paths;
    visit_tensors(data, [&](const char* path, const auto& tensor, const auto& extents) {
        expects(tensor.extents() == extents, "FileWriter: tensor of the wrong shape");
        paths.emplace_back(path);
    });
    CaseStream stream = begin(data, paths);
    visit_tensors(data,
                  [&](const char* path, const auto& tensor, const auto&) { stream.append(path, tensor.values()); });
    stream.finish(data.certificates);
}

void FileWriter::commit() {
    reporting_the_disk_first(impl_->output, [&] { impl_->output.commit(); });
}

}  // namespace dca::golden
