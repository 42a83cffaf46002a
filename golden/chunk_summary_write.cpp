// Every attribute explicit, every dataset contiguous and with its checksum, as for the other cases.
#include <algorithm>

#include "golden/case_checksum.hpp"
#include "golden/certificate.hpp"
#include "golden/chunk_summary_schema.hpp"
#include "golden/chunk_summary_store.hpp"
#include "golden/h5_attribute.hpp"
#include "golden/h5_dataset.hpp"

namespace dca::golden {
namespace {

class Writer {
public:
    Writer(hid_t file, const CaseData& data) : data_(*data.chunk_summary), group_(h5::create_group(file, data.id)) {}

    void attributes(const Attributes& provenance) {
        for (const std::string_view name : chunk_summary_attributes()) {
            if (const auto value = chunk_summary_attribute(name, data_.problem)) {
                h5::write_attribute(group_.get(), std::string(name), *value);
            }
        }
        for (const auto& [name, value] : provenance) h5::write_attribute(group_.get(), name, value);
    }

    /// All datasets of one group; `values` gives those of one, empty where there are none.
    template <class Values>
    [[nodiscard]] h5::Handle group(const std::string& group_name, const Values& values) {
        h5::Handle handle = h5::create_group(group_.get(), group_name);
        for (const ChunkSummaryDataset& dataset : chunk_summary_datasets()) {
            if (dataset.group != group_name) continue;
            const auto& tensor = values(dataset);
            if (tensor.empty()) continue;
            const chunk_summary::Sizes sizes = extents(data_.problem, dataset);
            expects(chunk_summary::element_count(sizes) == static_cast<std::int64_t>(tensor.size()),
                    "FileWriter: tensor of the wrong size");
            write(handle.get(), dataset.name, sizes, std::span(tensor), group_name == "inputs");
        }
        return handle;
    }

    void checksum(const std::string& id) const { write_case_checksum(group_.get(), id); }

private:
    void write(hid_t group, const std::string& name, const chunk_summary::Sizes& sizes, std::span<const float> values,
               bool) const {
        h5::write_dataset(group, name, sizes, values);
    }
    /// Inputs are exact in float32 for every dtype but f64.
    void write(hid_t group, const std::string& name, const chunk_summary::Sizes& sizes, std::span<const double> values,
               bool is_input) const {
        if (!is_input || data_.problem.dtype == Dtype::f64) return h5::write_dataset(group, name, sizes, values);
        const std::vector<float> narrow(values.begin(), values.end());
        expects(std::equal(narrow.begin(), narrow.end(), values.begin()),
                "FileWriter: an input is not representable in the case's dtype");
        h5::write_dataset(group, name, sizes, std::span<const float>(narrow));
    }

    const ChunkSummaryData& data_;
    h5::Handle group_;
};

}  // namespace

void write_chunk_summary_case(hid_t file, const CaseData& data) {
    const ChunkSummaryData& of = *data.chunk_summary;
    Writer writer(file, data);
    writer.attributes(data.provenance);
    static_cast<void>(writer.group("inputs", [&](const ChunkSummaryDataset& dataset) -> const std::vector<double>& {
        return dataset.tensor ? of.inputs.tensors[*dataset.tensor] : of.inputs.dout;
    }));
    if (!of.results.out.empty() || of.judged) {
        const h5::Handle outputs =
            writer.group("outputs", [&](const ChunkSummaryDataset& dataset) -> const std::vector<double>& {
                return dataset.tensor ? of.results.gradients[*dataset.tensor] : of.results.out;
            });
        write_certificates(outputs.get(), data.certificates);
    }
    if (!of.judged) return writer.checksum(data.id);
    const h5::Handle judge =
        writer.group("judge", [&](const ChunkSummaryDataset& dataset) -> const std::vector<float>& {
            return dataset.tensor ? of.scales.gradients[*dataset.tensor] : of.scales.out;
        });
    h5::write_attribute(judge.get(), "error_model_version", std::int64_t{of.scales.error_model_version});
    writer.checksum(data.id);
}

}  // namespace dca::golden
