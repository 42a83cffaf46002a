// Every attribute explicit, every dataset contiguous and with its checksum, nothing that depends on the time or the
// place of writing.
#include "golden/case_stream.hpp"

#include <algorithm>

#include "golden/case_checksum.hpp"
#include "golden/certificate.hpp"
#include "golden/dialect_facts.hpp"
#include "golden/h5_attribute.hpp"
#include "golden/h5_dataset.hpp"

namespace dca::golden {
namespace {

template <class T>
void write_list(hid_t group, const std::string& name, const std::vector<T>& values) {
    if (values.empty()) return;
    const std::array length{static_cast<std::int64_t>(values.size())};
    h5::write_dataset(group, name, length, std::span<const T>(values));
}

void write_regions(hid_t group, const std::string& name, const std::vector<Region>& regions, std::int64_t length) {
    expects(static_cast<std::int64_t>(regions.size()) == length, "FileWriter: one region per row");
    std::vector<std::uint8_t> codes;
    for (Region region : regions) codes.push_back(static_cast<std::uint8_t>(region));
    write_list(group, name, codes);
}

/// Inputs are exact in float32 for every dtype but f64.
h5::StoredType stored_type(const DatasetRule& rule, const Problem& problem) {
    if (rule.content == Content::error_scale) return h5::StoredType::f32;
    const bool narrow = rule.content == Content::input && problem.dtype != Dtype::f64;
    return narrow ? h5::StoredType::f32 : h5::StoredType::f64;
}

/// A packed case stores its tensors without the batch axis.
std::vector<std::int64_t> stored_extents(const DatasetRule& rule, const CaseData& head) {
    std::vector<std::int64_t> extents;
    const std::size_t samples = head.sample_rows.size();
    for (const Axis axis : axes_of(rule, head.problem.packed(), samples > 0)) {
        extents.push_back(size_of(axis, head.problem, samples));
    }
    return extents;
}

void append_to(h5::DatasetStream& dataset, std::span<const double> values) {
    if (dataset.type() == h5::StoredType::f64)
        return dataset.append(values.data(), static_cast<std::int64_t>(values.size()));
    constexpr std::size_t piece = std::size_t{1} << 16;
    std::vector<float> narrow;
    for (std::size_t done = 0; done < values.size(); done += narrow.size()) {
        const auto part = values.subspan(done, std::min(piece, values.size() - done));
        narrow.resize(part.size());
        std::transform(part.begin(), part.end(), narrow.begin(),
                       [](double value) { return static_cast<float>(value); });
        expects(std::equal(narrow.begin(), narrow.end(), part.begin()),
                "FileWriter: a value is not representable in the type it is stored in");
        dataset.append(narrow.data(), static_cast<std::int64_t>(narrow.size()));
    }
}

void append_to(h5::DatasetStream& dataset, std::span<const float> values) {
    expects(dataset.type() == h5::StoredType::f32, "FileWriter: float32 values for a float64 dataset");
    dataset.append(values.data(), static_cast<std::int64_t>(values.size()));
}

}  // namespace

CaseStream::Impl::Impl(const h5::OutputFile& to, const CaseData& head, const std::vector<std::string>& tensors)
    : output_(to) {
    reporting_the_disk_first(output_, [&] { create(head, tensors); });
}

void CaseStream::Impl::create(const CaseData& head, const std::vector<std::string>& tensors) {
    id_ = head.id;
    case_ = h5::create_group(output_.file(), head.id);
    write_attributes(head);
    const auto begins_with = [&](const char* prefix) {
        return std::any_of(tensors.begin(), tensors.end(), [&](const auto& path) { return path.starts_with(prefix); });
    };
    if (!head.regenerates) {
        create_datasets("inputs", head, tensors);
        write_list<std::int32_t>(groups_.at("inputs").get(), "cu_seqlens", head.problem.cu_seqlens);
        write_list<double>(groups_.at("inputs").get(), "inv_freq", head.problem.rope.inv_freq);
    }
    if (begins_with("outputs/")) create_datasets("outputs", head, tensors);
    if (!head.judge) return;
    create_datasets("judge", head, tensors);
    write_judge_lists(head);
}

void CaseStream::Impl::write_attributes(const CaseData& head) {
    for (const AttributeRule& rule : problem_attributes()) {
        if (const auto value = rule.get(head.problem)) {
            h5::write_attribute(case_.get(), std::string(rule.name), *value);
        }
    }
    if (head.regenerates) {
        expects(head.provenance.contains("case_text"), "FileWriter: inputs that are not stored need a case text");
        h5::write_attribute(case_.get(), std::string(inputs_stored_name), std::int64_t{0});
    }
    for (const FactRule& rule : fact_rules()) {
        if (const auto value = rule.get(head.problem.facts)) {
            h5::write_attribute(case_.get(), std::string(rule.name), *value);
        }
    }
    write_free_attributes(head.dialect_facts, AttributeClass::dialect_fact);
    write_free_attributes(head.provenance, AttributeClass::provenance);
}

void CaseStream::Impl::write_free_attributes(const Attributes& attributes, AttributeClass expected) {
    for (const auto& [name, value] : attributes) {
        expects(classify_attribute(name) == expected, "FileWriter: attribute under a name the schema does not allow");
        h5::write_attribute(case_.get(), name, value);
    }
}

void CaseStream::Impl::create_datasets(const std::string& group_name, const CaseData& head,
                                       const std::vector<std::string>& tensors) {
    const hid_t group = groups_.emplace(group_name, h5::create_group(case_.get(), group_name)).first->second.get();
    for (const std::string& path : tensors) {
        const DatasetRule& rule = dataset_rule(path);
        if (rule.group != group_name) continue;
        datasets_.emplace(path, h5::DatasetStream(group, std::string(rule.name), stored_extents(rule, head),
                                                  stored_type(rule, head.problem)));
    }
}

void CaseStream::Impl::write_judge_lists(const CaseData& head) {
    const hid_t group = groups_.at("judge").get();
    h5::write_attribute(group, "error_model_version", std::int64_t{head.judge->error_model_version});
    write_list<std::int64_t>(group, "sample_rows", head.sample_rows);
    write_regions(group, "query_region", head.judge->regions.query, head.problem.shape.seq_q);
    write_regions(group, "key_region", head.judge->regions.key, head.problem.shape.seq_k);
}

template <class T>
void CaseStream::Impl::append(std::string_view path, std::span<const T> values) {
    const auto found = datasets_.find(path);
    expects(found != datasets_.end(), "FileWriter: a tensor that was not begun");
    reporting_the_disk_first(output_, [&] { append_to(found->second, values); });
}

void CaseStream::Impl::finish(const Certificates& certificates) {
    reporting_the_disk_first(output_, [&] {
        for (auto& [path, dataset] : datasets_) dataset.finish();
        if (const auto group = groups_.find("outputs"); group != groups_.end()) {
            write_certificates(group->second.get(), certificates);
        }
        output_.require_written();  // what is read back must be there
        write_case_checksum(case_.get(), id_);
    });
}

CaseStream::CaseStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CaseStream::~CaseStream() = default;
CaseStream::CaseStream(CaseStream&&) noexcept = default;
CaseStream& CaseStream::operator=(CaseStream&&) noexcept = default;

void CaseStream::append(std::string_view path, std::span<const double> values) {
    impl_->append(path, values);
}
void CaseStream::append(std::string_view path, std::span<const float> values) {
    impl_->append(path, values);
}
void CaseStream::finish(const Certificates& certificates) {
    impl_->finish(certificates);
}

}  // namespace dca::golden
