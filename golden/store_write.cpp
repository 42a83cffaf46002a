// FileWriter: every attribute explicit, every dataset contiguous and with its checksum, nothing that depends on the
// time or the place of writing.
#include <algorithm>

#include "golden/certificate.hpp"
#include "golden/chunk_summary_store.hpp"
#include "golden/dialect_facts.hpp"
#include "golden/h5_attribute.hpp"
#include "golden/h5_dataset.hpp"
#include "golden/h5_output.hpp"
#include "golden/schema.hpp"
#include "golden/store.hpp"
#include "golden/text.hpp"

namespace dca::golden {
namespace {

/// The group of one case, as it is being written; knows which extents its tensors must have.
class CaseWriter {
public:
    CaseWriter(hid_t file, const CaseData& data) : data_(data), group_(h5::create_group(file, data.id)) {}

    void write() {
        write_attributes();
        write_inputs();
        write_results();
        if (data_.judge) write_judge(*data_.judge);
    }

private:
    void write_attributes() {
        for (const AttributeRule& rule : problem_attributes()) {
            if (const auto value = rule.get(data_.problem)) {
                h5::write_attribute(group_.get(), std::string(rule.name), *value);
            }
        }
        for (const FactRule& rule : fact_rules()) {
            if (const auto value = rule.get(data_.problem.facts)) {
                h5::write_attribute(group_.get(), std::string(rule.name), *value);
            }
        }
        write_free_attributes(data_.dialect_facts, AttributeClass::dialect_fact);
        write_free_attributes(data_.provenance, AttributeClass::provenance);
    }

    void write_free_attributes(const Attributes& attributes, AttributeClass expected) {
        for (const auto& [name, value] : attributes) {
            expects(classify_attribute(name) == expected,
                    "FileWriter: attribute under a name the schema does not allow");
            h5::write_attribute(group_.get(), name, value);
        }
    }

    /// A packed case stores its tensors without the batch axis.
    template <class T, std::size_t Rank>
    void write_tensor(const h5::Handle& group, const std::string& path, const std::array<std::int64_t, Rank>& extents,
                      std::span<const T> values) {
        const DatasetRule& rule = dataset_rule(path);
        expects(static_cast<int>(Rank) == rule.rank, "FileWriter: tensor of the wrong rank");
        const std::span<const std::int64_t> all(extents);
        h5::write_dataset(group.get(), std::string(rule.name), data_.problem.packed() ? all.subspan(1) : all, values);
    }

    template <class T, int Rank>
    void write_optional(const h5::Handle& group, const std::string& path, const std::optional<Tensor<T, Rank>>& tensor,
                        const std::type_identity_t<Extents<Rank>>& extents) {
        if (tensor) write_required(group, path, *tensor, extents);
    }
    template <class T, int Rank>
    void write_required(const h5::Handle& group, const std::string& path, const Tensor<T, Rank>& tensor,
                        const std::type_identity_t<Extents<Rank>>& extents) {
        expects(tensor.extents() == extents, "FileWriter: tensor of the wrong shape");
        write_tensor<T>(group, path, extents, tensor.values());
    }

    /// Inputs are exact in float32 for every dtype but f64.
    void write_input(const h5::Handle& group, const std::string& path, const Tensor4& tensor) {
        if (data_.problem.dtype == Dtype::f64)
            return write_tensor<double>(group, path, tensor.extents(), tensor.values());
        std::vector<float> narrow(tensor.values().size());
        std::transform(tensor.values().begin(), tensor.values().end(), narrow.begin(),
                       [](double value) { return static_cast<float>(value); });
        expects(std::equal(narrow.begin(), narrow.end(), tensor.values().begin()),
                "FileWriter: an input is not representable in the case's dtype");
        write_tensor<float>(group, path, tensor.extents(), narrow);
    }

    void write_inputs() {
        const h5::Handle group = h5::create_group(group_.get(), "inputs");
        const Problem& problem = data_.problem;
        write_input(group, "inputs/q", data_.inputs.q);
        write_input(group, "inputs/k", data_.inputs.k);
        write_input(group, "inputs/v", data_.inputs.v);
        if (data_.inputs.dout) write_input(group, "inputs/dout", *data_.inputs.dout);
        write_list<std::int32_t>(group, "cu_seqlens", problem.cu_seqlens);
        write_list<double>(group, "inv_freq", problem.rope.inv_freq);
    }

    template <class T>
    void write_list(const h5::Handle& group, const std::string& name, const std::vector<T>& values) {
        if (values.empty()) return;
        const std::array length{static_cast<std::int64_t>(values.size())};
        h5::write_dataset(group.get(), name, length, std::span<const T>(values));
    }

    void write_results() {
        const Results& results = data_.results;
        if (!results.out && !results.lse && !results.dq && !results.dk && !results.dv) return;
        const h5::Handle group = h5::create_group(group_.get(), "outputs");
        const Shape& shape = data_.problem.shape;
        write_optional(group, "outputs/out", results.out, out_extents(shape));
        write_optional(group, "outputs/lse", results.lse, lse_extents(shape));
        write_optional(group, "outputs/dq", results.dq, q_extents(shape));
        write_optional(group, "outputs/dk", results.dk, k_extents(shape));
        write_optional(group, "outputs/dv", results.dv, v_extents(shape));
        write_certificates(group.get(), data_.certificates);
    }

    void write_judge(const JudgeData& judge) {
        const h5::Handle group = h5::create_group(group_.get(), "judge");
        h5::write_attribute(group.get(), "error_model_version", std::int64_t{judge.error_model_version});
        const Shape& shape = data_.problem.shape;
        const ErrorScales& scales = judge.scales;
        write_required(group, "judge/sigma_out", scales.out, out_extents(shape));
        write_required(group, "judge/sigma_lse", scales.lse, lse_extents(shape));
        write_optional(group, "judge/sigma_dq", scales.dq, q_extents(shape));
        write_optional(group, "judge/sigma_dk", scales.dk, k_extents(shape));
        write_optional(group, "judge/sigma_dv", scales.dv, v_extents(shape));
        write_regions(group, "query_region", judge.regions.query, shape.seq_q);
        write_regions(group, "key_region", judge.regions.key, shape.seq_k);
    }

    void write_regions(const h5::Handle& group, const std::string& name, const std::vector<Region>& regions,
                       std::int64_t length) {
        expects(static_cast<std::int64_t>(regions.size()) == length, "FileWriter: one region per row");
        std::vector<std::uint8_t> codes;
        for (Region region : regions) codes.push_back(static_cast<std::uint8_t>(region));
        write_list(group, name, codes);
    }

    const CaseData& data_;
    h5::Handle group_;
};

}  // namespace

struct FileWriter::Impl {
    h5::OutputFile output;

    /// A call of the library that fails after a failed write fails because of it: the disk is the reason to show.
    template <class Work>
    void reporting_the_disk_first(const Work& work) {
        try {
            work();
        } catch (const FormatError& error) {
            output.require_written();
            throw IoError("cannot write " + output.target().string() + ": " + error.what());
        }
        output.require_written();
    }
};

FileWriter::FileWriter(const std::filesystem::path& path) : impl_(new Impl{h5::OutputFile(path)}) {
    impl_->reporting_the_disk_first([&] {
        const hid_t file = impl_->output.file();
        h5::write_attribute(file, "producer", std::string("dca"));
        h5::write_attribute(file, "schema", std::string(schema_name));
        h5::write_attribute(file, "schema_version", schema_version);
    });
}

FileWriter::~FileWriter() = default;
FileWriter::FileWriter(FileWriter&&) noexcept = default;
FileWriter& FileWriter::operator=(FileWriter&&) noexcept = default;

void FileWriter::write(const CaseData& data) {
    expects(is_case_id(data.id), "FileWriter: not a case id");
    if (data.chunk_summary) {
        validate(data.chunk_summary->problem, data.chunk_summary->inputs);
        return impl_->reporting_the_disk_first([&] { write_chunk_summary_case(impl_->output.file(), data); });
    }
    validate(data.problem, data.inputs);
    impl_->reporting_the_disk_first([&] { CaseWriter(impl_->output.file(), data).write(); });
}

void FileWriter::commit() {
    impl_->reporting_the_disk_first([&] { impl_->output.commit(); });
}

}  // namespace dca::golden
