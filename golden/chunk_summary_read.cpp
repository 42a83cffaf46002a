#include <algorithm>
#include <cmath>
#include <map>

#include "golden/certificate.hpp"
#include "golden/chunk_summary_schema.hpp"
#include "golden/chunk_summary_store.hpp"
#include "golden/h5_dataset.hpp"
#include "golden/schema.hpp"
#include "golden/text.hpp"

namespace dca::golden {
namespace {

using chunk_summary::Problem;
using chunk_summary::Scope;
using chunk_summary::Sizes;
using chunk_summary::TensorId;

const ChunkSummaryDataset* find_dataset(const std::string& group, const std::string& name) {
    for (const ChunkSummaryDataset& dataset : chunk_summary_datasets()) {
        if (dataset.group == group && dataset.name == name) return &dataset;
    }
    return nullptr;
}

std::string dataset_suggestion(const std::string& group, const std::string& name) {
    std::vector<std::string_view> names;
    for (const ChunkSummaryDataset& dataset : chunk_summary_datasets()) {
        if (dataset.group == group) names.push_back(dataset.name);
    }
    return suggestion(name, names);
}

/// What is wrong with one value, if anything. Results may be anything.
std::optional<std::string> fault_of(const std::string& group, double value, Dtype dtype) {
    if (group == "judge" && !(value >= 0)) return "an error scale must be at least 0";
    if (group != "inputs") return std::nullopt;
    if (!std::isfinite(value)) return "inputs must be finite";
    if (const double near = round_to(dtype, value); near != value) {
        return "not representable in dtype " + std::string(name(dtype)) + " (nearest is " + shortest(near) + ")";
    }
    return std::nullopt;
}

class Reader {
public:
    Reader(const h5::File& file, const std::string& id, Demand demand, const Report& report)
        : file_(file), group_(h5::open_group(file.root(), id)), where_("case " + id), demand_(demand), report_(report) {
        data_.id = id;
    }

    CaseData read() {
        data_.chunk_summary.emplace();
        read_attributes();
        for (const h5::Node& child : h5::children(group_)) open_group(child);
        const bool outputs_only =
            demand_ == Demand::complete_or_outputs_only && !has_group("inputs") && has_group("outputs");
        if (outputs_only) {
            report_({Finding::Level::note, where_ + ": inputs",
                     "absent: a candidate's case, only its outputs are checked"});
            for (const auto& [path, dataset] : open_) {
                guard(path, [&, &from = dataset] {
                    std::vector<double> unused(static_cast<std::size_t>(from.count()));
                    from.read(unused);
                });
            }
        } else if (read_sizes() && guard("problem", [&] { validate(of().problem); })) {
            require_datasets();
            read_tensors();
        }
        return std::move(data_);
    }

private:
    ChunkSummaryData& of() { return *data_.chunk_summary; }
    [[nodiscard]] bool has_group(const std::string& name) const {
        return std::find(groups_.begin(), groups_.end(), name) != groups_.end();
    }
    void error(const std::string& what, const std::string& message) {
        report_({Finding::Level::error, where_ + ": " + what, message});
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

    void read_attributes() {
        const std::vector<std::string> names = h5::attribute_names(group_);
        const std::vector<std::string_view> known = chunk_summary_attributes();
        for (const std::string& name : names) {
            const std::string what = "attribute " + printable(name);
            if (std::find(known.begin(), known.end(), name) != known.end()) {
                if (name == "algorithm") continue;
                guard(what, [&] { set_chunk_summary_attribute(name, h5::read_attribute(group_, name), of().problem); });
            } else if (name == case_checksum_name) {
                continue;  // read_case verifies it
            } else if (classify_attribute(name) == AttributeClass::provenance) {
                guard(what, [&] { data_.provenance[name] = h5::read_attribute(group_, name); });
            } else {
                error(what, "does not belong to a chunk_summary case" + suggestion(name, known));
            }
        }
        for (const char* name : {"chunk_size", "heads"}) {
            if (demand_ == Demand::complete && std::find(names.begin(), names.end(), name) == names.end()) {
                error("attribute " + std::string(name), "is missing");
            }
        }
        data_.problem.dtype = of().problem.dtype;
    }

    void open_group(const h5::Node& child) {
        const std::string shown = printable(child.name);
        const bool known = child.name == "inputs" || child.name == "outputs" || child.name == "judge";
        if (child.kind == h5::ObjectKind::not_hard)
            return error(shown, "is a soft or external link, which is not accepted");
        if (child.kind != h5::ObjectKind::group || !known) {
            return error(shown, "is not part of the schema: a case holds the groups inputs, outputs and judge");
        }
        groups_.push_back(child.name);
        for (const std::string& attribute : h5::attribute_names(child)) {
            if (child.name == "judge" && attribute == "error_model_version") continue;
            error(child.name,
                  "unknown attribute " + printable(attribute) + "; attributes of the problem belong on the case");
        }
        if (child.name == "judge") read_version(child);
        for (const h5::Node& member : h5::children(child)) open_dataset(child.name, member);
    }

    void read_version(const h5::Node& judge) {
        guard("judge: attribute error_model_version", [&] {
            const AttributeValue value = unwrapped(h5::read_attribute(judge, "error_model_version"));
            const auto* version = std::get_if<std::int64_t>(&value);
            if (version == nullptr || *version < 1 || *version > 1000000) throw FormatError("is not a version number");
            of().scales.error_model_version = static_cast<int>(*version);
            of().judged = true;
        });
    }

    void open_dataset(const std::string& group_name, const h5::Node& child) {
        const std::string shown = printable(group_name + "/" + child.name);
        if (child.kind == h5::ObjectKind::not_hard)
            return error(shown, "is a soft or external link, which is not accepted");
        const ChunkSummaryDataset* rule = find_dataset(group_name, child.name);
        if (rule == nullptr) {
            return error(shown, "is not part of a chunk_summary case" + dataset_suggestion(group_name, child.name));
        }
        if (child.kind != h5::ObjectKind::dataset) return error(shown, "is not a dataset");
        guard(shown, [&] {
            h5::Dataset dataset(file_, data_.id + "/" + rule->path());
            if (dataset.type().integer) {
                throw FormatError(
                    "holds integers, expected floating-point numbers (bit patterns of 16-bit formats need the "
                    "attribute storage)");
            }
            open_.emplace(rule->path(), std::move(dataset));
        });
        const auto found = open_.find(rule->path());
        if (found == open_.end()) return;
        for (const std::string& attribute : found->second.unknown_attributes()) {
            report_({Finding::Level::note, where_ + ": " + shown, "attribute " + printable(attribute) + " is ignored"});
        }
    }

    /// The sizes that no attribute gives: x has batch, seq_len and embed, w_qkv has hidden and in a model the layers.
    bool read_sizes() {
        Problem& p = of().problem;
        const bool model = p.scope == Scope::model;
        for (const char* path : {"inputs/x", "inputs/w_qkv"}) {
            if (open_.find(path) != open_.end()) continue;
            error(path, "is missing");
            return false;
        }
        const auto& x = open_.at("inputs/x").extents();
        const auto& w = open_.at("inputs/w_qkv").extents();
        if (x.size() != 3)
            return wrong_shape("inputs/x", x, model ? "batch, seq_len, embed" : "batch, seq_len, hidden");
        const std::size_t rank = model ? 3 : 2;
        if (w.size() != rank || w[rank - 1] != 3 * w[rank - 2]) {
            return wrong_shape("inputs/w_qkv", w, model ? "layers, hidden, 3 hidden" : "hidden, 3 hidden");
        }
        p.batch = x[0];
        p.seq_len = x[1];
        p.embed = x[2];
        p.hidden = w[rank - 2];
        p.layers = model ? w[0] : 1;
        return true;
    }

    bool wrong_shape(const std::string& path, const Sizes& extents, const std::string& expected) {
        error(path, "shape " + shape_text(extents) + ", expected (" + expected + ")");
        return false;
    }

    void require_datasets() {
        for (const ChunkSummaryDataset& dataset : chunk_summary_datasets()) {
            const bool present = open_.count(dataset.path()) > 0, belongs = has(of().problem, dataset);
            const bool needed = (dataset.group == "inputs" && dataset.tensor) || dataset.name == "sigma_out";
            if (present && !belongs) {
                error(dataset.path(), "does not belong to this problem (scope " +
                                          std::string(name(of().problem.scope)) +
                                          (dataset.name.ends_with("_embed") ? ", embed = hidden)" : ")"));
                open_.erase(dataset.path());
            } else if (!present && belongs && needed && has_group(dataset.group)) {
                error(dataset.path(), "is missing");
            }
        }
    }

    void read_tensors() {
        for (const ChunkSummaryDataset& dataset : chunk_summary_datasets()) {
            const auto found = open_.find(dataset.path());
            if (found == open_.end()) continue;
            const Sizes expected = extents(of().problem, dataset);
            if (found->second.extents() != expected) {
                error(dataset.path(), "shape " + shape_text(found->second.extents()) + ", expected (" +
                                          axes_text(of().problem, dataset) + ") = " + shape_text(expected));
                continue;
            }
            guard(dataset.path(), [&] {
                put(dataset, values(dataset, found->second));
                if (dataset.group != "outputs") return;
                if (const auto certificate = read_certificate(found->second)) {
                    data_.certificates[dataset.name] = *certificate;
                }
            });
        }
    }

    std::vector<double> values(const ChunkSummaryDataset& dataset, const h5::Dataset& from) {
        std::vector<double> all(static_cast<std::size_t>(from.count()));
        from.read(all);
        for (std::size_t n = 0; n < all.size(); ++n) {
            if (const auto fault = fault_of(dataset.group, all[n], of().problem.dtype)) {
                throw FormatError("element " + std::to_string(n) + " is " + shortest(all[n]) + ": " + *fault);
            }
        }
        return all;
    }

    void put(const ChunkSummaryDataset& dataset, std::vector<double> all) {
        ChunkSummaryData& d = of();
        if (dataset.group == "inputs") {
            (dataset.tensor ? d.inputs.tensors[*dataset.tensor] : d.inputs.dout) = std::move(all);
        } else if (dataset.group == "outputs") {
            (dataset.tensor ? d.results.gradients[*dataset.tensor] : d.results.out) = std::move(all);
        } else {
            (dataset.tensor ? d.scales.gradients[*dataset.tensor] : d.scales.out).assign(all.begin(), all.end());
        }
    }

    const h5::File& file_;
    const h5::Node& group_;
    std::string where_;
    Demand demand_;
    const Report& report_;
    std::vector<std::string> groups_;
    std::map<std::string, h5::Dataset> open_;
    CaseData data_;
};

}  // namespace

bool is_chunk_summary(const h5::Node& case_group) {
    const std::vector<std::string> names = h5::attribute_names(case_group);
    if (std::find(names.begin(), names.end(), "algorithm") == names.end()) return false;
    const AttributeValue value = unwrapped(h5::read_attribute(case_group, "algorithm"));
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) {
        throw FormatError("attribute algorithm is " + std::string(kind_text(value)) + ", expected a string");
    }
    if (*text != algorithm_chunk_summary && *text != algorithm_dual_chunk) {
        throw FormatError("attribute algorithm is '" + printable(*text) + "', expected dual_chunk or chunk_summary");
    }
    return *text == algorithm_chunk_summary;
}

CaseData read_chunk_summary_case(const h5::File& file, const std::string& id, Demand demand, const Report& report) {
    return Reader(file, id, demand, report).read();
}

}  // namespace dca::golden
