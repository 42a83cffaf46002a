#include "golden/case_reader.hpp"

#include <cmath>

#include "golden/case_checksum.hpp"
#include "golden/case_layout.hpp"
#include "golden/case_text.hpp"
#include "golden/certificate.hpp"
#include "golden/chunk_summary_store.hpp"
#include "golden/dialect_facts.hpp"
#include "golden/h5_reader.hpp"
#include "golden/sample_rows.hpp"
#include "golden/schema.hpp"
#include "golden/text.hpp"

namespace dca::golden {
namespace {

/// What is wrong with one value of a dataset, if anything.
std::optional<std::string> fault_of(Content content, double value, Dtype dtype) {
    switch (content) {
        case Content::input:
            if (!std::isfinite(value)) return "inputs must be finite";
            if (const double near = round_to(dtype, value); near != value) {
                return "not representable in dtype " + std::string(name(dtype)) + " (nearest is " + shortest(near) +
                       ")";
            }
            return std::nullopt;
        case Content::frequency:
            return std::isfinite(value) ? std::nullopt : std::optional<std::string>("must be finite");
        case Content::error_scale:
            return value >= 0 ? std::nullopt : std::optional<std::string>("an error scale must be at least 0");
        case Content::region:
            return value >= 0 && value <= 3 ? std::nullopt : std::optional<std::string>("a region is 0, 1, 2 or 3");
        case Content::boundary:
            return value >= 0 && value <= 0x1p31 - 1 ? std::nullopt
                                                     : std::optional<std::string>("must be from 0 to 2^31 - 1");
        case Content::row_number:
            return value >= 0 ? std::nullopt : std::optional<std::string>("a row number is at least 0");
        case Content::result: return std::nullopt;
    }
    throw ContractError("no such content");
}

template <class T>
void check_values(Content content, std::span<const std::int64_t> extents, std::span<const T> values, Dtype dtype,
                  std::int64_t flat = 0) {
    for (const T value : values) {
        if (const auto fault = fault_of(content, static_cast<double>(value), dtype)) {
            throw FormatError("element " + coordinates(extents, flat) + " is " + shortest(static_cast<double>(value)) +
                              ": " + *fault);
        }
        ++flat;
    }
}

class CaseReader {
public:
    CaseReader(const h5::File& file, const std::string& id, Demand demand, const Report& report, Values values)
        : group_(h5::open_group(file.root(), id)),
          where_("case " + id),
          demand_(demand),
          report_(report),
          values_(values),
          regenerates_(read_regenerates()),
          layout_(file, group_, where_, inputs_stored_, regenerates_ ? &*regenerates_ : nullptr, report_) {
        data_.id = id;
    }

    CaseData read() {
        const bool outputs_only = demand_ == Demand::complete_or_outputs_only && inputs_stored_ &&
                                  !layout_.has_group("inputs") && !layout_.has_group("judge") &&
                                  layout_.has_group("outputs");
        read_attributes(!outputs_only);
        if (outputs_only) {
            note("inputs", "absent: a candidate's case, only its outputs are checked");
        } else {
            layout_.require_complete();
            if (inputs_stored_) {
                read_problem();
                read_inputs();
            } else if (regenerates_) {
                require_same_problem();
            }
        }
        read_results();
        if (layout_.has_group("judge")) read_judge();
        return std::move(data_);
    }

private:
    void error(const std::string& what, const std::string& message) {
        report_({Finding::Level::error, where_ + ": " + what, message});
    }
    void note(const std::string& what, const std::string& message) {
        report_({Finding::Level::note, where_ + ": " + what, message});
    }
    /// Runs one check and reports what it throws. Not nested: a report may itself throw.
    template <class Check>
    bool guard(const std::string& what, const Check& check) {
        std::string fault;
        try {
            check();
            return true;
        } catch (const FormatError& e) {
            fault = e.what();
        } catch (const InvalidProblem& e) {
            fault = e.what();
        }
        error(what, fault);
        return false;
    }

    /// The case whose inputs are made instead of read: nothing unless inputs_stored is 0.
    std::optional<CaseSpec> read_regenerates() {
        const std::vector<std::string> names = h5::attribute_names(group_);
        const std::string name(inputs_stored_name);
        if (std::find(names.begin(), names.end(), name) == names.end()) return std::nullopt;
        std::optional<CaseSpec> spec;
        guard("attribute " + name, [&] {
            inputs_stored_ = flag_of(name, unwrapped(h5::read_attribute(group_, name)));
            if (inputs_stored_) return;
            if (std::find(names.begin(), names.end(), "case_text") == names.end()) {
                throw FormatError("is 0, but there is no case_text that says what the inputs are");
            }
            const AttributeValue text = h5::read_attribute(group_, "case_text");
            if (!std::holds_alternative<std::string>(text)) throw FormatError("is 0, but case_text is no string");
            CaseSpec parsed = parse_case(std::get<std::string>(text));
            if (parsed.chunk_summary) throw FormatError("is 0, which a chunk-summary case cannot have");
            validate(parsed.problem);
            if (parsed.recipe.sample > 0 && parsed.problem.packed()) {
                throw FormatError("is 0, but no rows are sampled of packed sequences");
            }
            spec = std::move(parsed);
        });
        return spec;
    }

    /// The attributes must say what the text says; the problem is then that of the text.
    void require_same_problem() {
        guard("attribute case_text", [&] {
            Problem stated = data_.problem;
            const Problem& meant = regenerates_->problem;
            stated.shape = meant.shape;  // the datasets have been held against it
            stated.cu_seqlens = meant.cu_seqlens;
            stated.rope.inv_freq = meant.rope.inv_freq;
            const std::string difference = first_difference(stated, meant);
            if (!difference.empty()) {
                throw FormatError("describes another problem than the attributes: " + difference + " differs");
            }
            data_.problem = meant;
        });
        data_.regenerates = regenerates_;
    }

    void read_attributes(bool required) {
        const std::vector<std::string> names = h5::attribute_names(group_);
        for (const std::string& name : names) read_one_attribute(name);
        for (const AttributeRule& rule : problem_attributes()) {
            const bool present = std::find(names.begin(), names.end(), rule.name) != names.end();
            if (required && rule.required && !present) error("attribute " + std::string(rule.name), "is missing");
        }
    }

    void read_one_attribute(const std::string& name) {
        if (name == "algorithm") return;  // read_case has read it
        const std::string what = "attribute " + printable(name);
        switch (classify_attribute(name)) {
            case AttributeClass::inputs_stored: return;  // read_regenerates has read it
            case AttributeClass::checksum: return;       // read_case verifies it
            case AttributeClass::unknown: return error(what, "is unknown" + attribute_suggestion(name));
            case AttributeClass::problem:
                guard(what, [&] { set_problem_attribute(name, h5::read_attribute(group_, name)); });
                return;
            case AttributeClass::dialect_fact:
                guard(what, [&] { set_dialect_fact(name, h5::read_attribute(group_, name), what); });
                return;
            case AttributeClass::provenance:
                guard(what, [&] { data_.provenance[name] = h5::read_attribute(group_, name); });
                return;
        }
    }

    void set_dialect_fact(const std::string& name, const AttributeValue& value, const std::string& what) {
        if (const FactRule* rule = find_fact(name)) return set_fact(*rule, value, data_.problem.facts);
        note(what, "is not one that any dialect uses; ignored");
        data_.dialect_facts[name] = value;
    }

    void set_problem_attribute(const std::string& name, const AttributeValue& value) {
        for (const AttributeRule& rule : problem_attributes()) {
            if (rule.name == name) set_attribute(rule, value, data_.problem);
        }
    }

    void read_problem() {
        data_.problem.shape = layout_.shape();
        if (const h5::Dataset* boundaries = layout_.find("inputs/cu_seqlens")) {
            guard("inputs/cu_seqlens", [&] {
                const std::vector<std::int64_t> values = boundaries->read_integers();
                check_values<std::int64_t>(Content::boundary, boundaries->extents(), values, Dtype::f64);
                data_.problem.cu_seqlens.assign(values.begin(), values.end());
            });
        }
        if (const h5::Dataset* frequencies = layout_.find("inputs/inv_freq")) {
            guard("inputs/inv_freq", [&] {
                std::vector<double> values(static_cast<std::size_t>(frequencies->count()));
                frequencies->read(values);
                check_values<double>(Content::frequency, frequencies->extents(), values, Dtype::f64);
                data_.problem.rope.inv_freq = std::move(values);
            });
        }
        const bool shapes_known = layout_.find("inputs/q") && layout_.find("inputs/k") && layout_.find("inputs/v");
        if (shapes_known) guard("problem", [&] { validate(data_.problem); });
    }

    /// Checks every value in constant memory and returns the largest magnitude.
    double check_in_pieces(const h5::Dataset& dataset, Content content) const {
        constexpr std::int64_t piece = std::int64_t{1} << 18;
        const std::unique_ptr<TensorReader> reader = h5::open_reader(dataset);
        std::vector<double> values;
        double largest = 0;
        while (reader->left() > 0) {
            const std::int64_t first = reader->count() - reader->left();
            values.resize(static_cast<std::size_t>(std::min(piece, reader->left())));
            reader->read(std::span<double>(values));
            check_values<double>(content, dataset.extents(), values, data_.problem.dtype, first);
            for (const double value : values) largest = std::max(largest, std::abs(value));
        }
        return largest;
    }

    /// The dataset's values as a tensor (batch 1 if packed), or nullopt if absent or faulty.
    template <int Rank>
    std::optional<Tensor<double, Rank>> tensor(const std::string& path) {
        const h5::Dataset* dataset = layout_.find(path);
        if (dataset == nullptr) return std::nullopt;
        const Content content = dataset_rule(path).content;
        if (values_ == Values::head && (content == Content::result || content == Content::error_scale)) {
            return std::nullopt;
        }
        if (values_ != Values::keep) {
            guard(path, [&] {
                const double largest = check_in_pieces(*dataset, content);
                if (content == Content::input) data_.largest_inputs.emplace(dataset_rule(path).name, largest);
            });
            return std::nullopt;
        }
        Extents<Rank> extents{};
        extents.fill(1);
        const auto& found = dataset->extents();
        std::copy(found.begin(), found.end(), extents.end() - static_cast<std::ptrdiff_t>(found.size()));
        Tensor<double, Rank> values(extents);
        const bool sound = guard(path, [&] {
            dataset->read(values.values());
            check_values<double>(dataset_rule(path).content, found, std::as_const(values).values(),
                                 data_.problem.dtype);
        });
        return sound ? std::optional(std::move(values)) : std::nullopt;
    }

    template <int Rank>
    std::optional<Tensor<float, Rank>> scale(const std::string& path) {
        const auto wide = tensor<Rank>(path);
        if (!wide) return std::nullopt;
        Tensor<float, Rank> narrow(wide->extents());
        std::transform(wide->values().begin(), wide->values().end(), narrow.values().begin(),
                       [](double value) { return static_cast<float>(value); });
        return narrow;
    }

    void read_inputs() {
        data_.inputs.q = tensor<4>("inputs/q").value_or(Tensor4{});
        data_.inputs.k = tensor<4>("inputs/k").value_or(Tensor4{});
        data_.inputs.v = tensor<4>("inputs/v").value_or(Tensor4{});
        data_.inputs.dout = tensor<4>("inputs/dout");
    }

    void read_results() {
        data_.results.out = tensor<4>("outputs/out");
        data_.results.lse = tensor<3>("outputs/lse");
        data_.results.dq = tensor<4>("outputs/dq");
        data_.results.dk = tensor<4>("outputs/dk");
        data_.results.dv = tensor<4>("outputs/dv");
        for (const char* name : {"out", "lse", "dq", "dk", "dv"}) read_certificate(name);
    }

    void read_certificate(const std::string& name) {
        const std::string path = "outputs/" + name;
        const h5::Dataset* dataset = layout_.find(path);
        if (dataset == nullptr) return;
        guard(path, [&] {
            if (const auto certificate = golden::read_certificate(*dataset)) data_.certificates[name] = *certificate;
        });
    }

    std::vector<Region> regions(const std::string& path) {
        std::vector<Region> out;
        const h5::Dataset* dataset = layout_.find(path);
        if (dataset == nullptr) return out;
        guard(path, [&] {
            const std::vector<std::int64_t> values = dataset->read_integers();
            check_values<std::int64_t>(Content::region, dataset->extents(), values, Dtype::f64);
            for (std::int64_t value : values) out.push_back(static_cast<Region>(value));
        });
        return out;
    }

    /// They follow from the case text; the file says them too, for readers that do not know how.
    void read_sample_rows() {
        const h5::Dataset* dataset = layout_.find("judge/sample_rows");
        if (dataset == nullptr || !regenerates_) return;
        guard("judge/sample_rows", [&] {
            data_.sample_rows = dataset->read_integers();
            if (data_.sample_rows != sample_rows(*regenerates_)) {
                throw FormatError("are not the rows that the case text samples");
            }
        });
    }

    void read_judge() {
        JudgeData& judge = data_.judge.emplace();
        guard("judge: attribute error_model_version", [&] {
            const h5::Node& group = h5::open_group(group_, "judge");
            const AttributeValue value = unwrapped(h5::read_attribute(group, "error_model_version"));
            const auto* version = std::get_if<std::int64_t>(&value);
            if (version == nullptr || *version < 1 || *version > 1000000) throw FormatError("is not a version number");
            judge.error_model_version = static_cast<int>(*version);
        });
        judge.scales.out = scale<4>("judge/sigma_out").value_or(Tensor<float, 4>{});
        judge.scales.lse = scale<3>("judge/sigma_lse").value_or(Tensor<float, 3>{});
        judge.scales.dq = scale<4>("judge/sigma_dq");
        judge.scales.dk = scale<4>("judge/sigma_dk");
        judge.scales.dv = scale<4>("judge/sigma_dv");
        read_sample_rows();
        judge.regions = {regions("judge/query_region"), regions("judge/key_region")};
    }

    const h5::Node& group_;
    std::string where_;
    Demand demand_;
    const Report& report_;
    Values values_;
    bool inputs_stored_ = true;
    std::optional<CaseSpec> regenerates_;
    CaseLayout layout_;
    CaseData data_;
};

}  // namespace

CaseData read_case(const h5::File& file, const std::string& id, Demand demand, const Report& report, Values values) {
    try {
        const h5::Node& group = h5::open_group(file.root(), id);
        CaseData data = is_chunk_summary(group) ? read_chunk_summary_case(file, id, demand, report)
                                                : CaseReader(file, id, demand, report, values).read();
        verify_case_checksum(group, report);
        return data;
    } catch (const std::bad_alloc&) {
        throw FormatError("case " + id + ": not enough memory for its tensors");
    }
}

}  // namespace dca::golden
