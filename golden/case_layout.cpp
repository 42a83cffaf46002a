#include "golden/case_layout.hpp"

#include <algorithm>

#include "golden/sample_rows.hpp"
#include "golden/text.hpp"

namespace dca::golden {
namespace {

bool contains(const std::vector<std::string>& names, std::string_view wanted) {
    return std::find(names.begin(), names.end(), wanted) != names.end();
}

bool counts_elements_of_a_tensor(Axis axis) {
    return axis != Axis::sequences_plus_1 && axis != Axis::rotary_pairs;
}

const DatasetRule* find_rule(std::string_view group, std::string_view name) {
    const auto rules = datasets();
    const auto found = std::find_if(rules.begin(), rules.end(),
                                    [&](const DatasetRule& rule) { return rule.group == group && rule.name == name; });
    return found == rules.end() ? nullptr : &*found;
}

std::string dataset_suggestion(std::string_view group, std::string_view name) {
    std::vector<std::string_view> names;
    for (const DatasetRule& rule : datasets()) {
        if (rule.group == group) names.push_back(rule.name);
    }
    return suggestion(name, names);
}

}  // namespace

CaseLayout::CaseLayout(const h5::File& file, const h5::Node& case_group, std::string where, bool inputs_stored,
                       const CaseSpec* known, const Report& report)
    : file_(file),
      where_(std::move(where)),
      case_name_(case_group.name),
      inputs_stored_(inputs_stored),
      report_(report) {
    for (const h5::Node& child : h5::children(case_group)) open_group(child);
    known ? take_sizes(*known) : decide_packed();
    unify_shapes();
}

void CaseLayout::error(const std::string& what, const std::string& message) const {
    report_({Finding::Level::error, where_ + ": " + what, message});
}

void CaseLayout::open_group(const h5::Node& group) {
    const std::string shown = printable(group.name);
    if (group.kind == h5::ObjectKind::not_hard)
        return error(shown, "is a soft or external link, which is not accepted");
    const auto known = groups();
    if (group.kind != h5::ObjectKind::group || std::find(known.begin(), known.end(), group.name) == known.end()) {
        return error(shown, "is not part of the schema: a case holds the groups inputs, outputs and judge" +
                                suggestion(group.name, known));
    }
    if (group.name == "inputs" && !inputs_stored_) {
        return error("inputs", "is there, but the attribute inputs_stored is 0");
    }
    groups_.push_back(group.name);
    check_group_attributes(group);
    for (const h5::Node& member : h5::children(group)) open_dataset(group, member);
}

void CaseLayout::check_group_attributes(const h5::Node& group) const {
    for (const std::string& attribute : h5::attribute_names(group)) {
        if (group.name == "judge" && attribute == "error_model_version") continue;
        error(group.name,
              "unknown attribute " + printable(attribute) + "; attributes of the problem belong on the case");
    }
}

void CaseLayout::open_dataset(const h5::Node& group, const h5::Node& child) {
    const std::string path = group.name + "/" + child.name;
    const std::string shown = printable(path);
    if (child.kind == h5::ObjectKind::not_hard)
        return error(shown, "is a soft or external link, which is not accepted");
    const DatasetRule* rule = find_rule(group.name, child.name);
    if (rule == nullptr) {
        return error(shown, "is not part of the schema" + dataset_suggestion(group.name, child.name));
    }
    present_.push_back(path);
    if (child.kind != h5::ObjectKind::dataset) return error(shown, "is not a dataset");
    std::string fault;
    try {
        h5::Dataset dataset(file_, case_name_ + "/" + path);
        const bool wants_integers = rule->content == Content::boundary || rule->content == Content::region ||
                                    rule->content == Content::row_number;
        if (wants_integers != dataset.type().integer) {
            throw FormatError(wants_integers ? "holds floating-point numbers, expected integers"
                                             : "holds integers, expected floating-point numbers (bit patterns of 8- "
                                               "and 16-bit formats need the attribute storage)");
        }
        for (const std::string& attribute : dataset.unknown_attributes()) {
            report_({Finding::Level::note, where_ + ": " + shown, "attribute " + printable(attribute) + " is ignored"});
        }
        datasets_.emplace(path, std::move(dataset));
    } catch (const FormatError& e) {
        fault = e.what();
    }
    if (!fault.empty()) error(shown, fault);
}

/// A case with inputs is packed if it has cu_seqlens. Outputs alone tell it by their ranks.
void CaseLayout::decide_packed() {
    if (has_group("inputs")) {
        packed_ = contains(present_, "inputs/cu_seqlens");
        return;
    }
    packed_ = std::any_of(datasets_.begin(), datasets_.end(), [](const auto& entry) {
        const DatasetRule& rule = dataset_rule(entry.first);
        return rule.axes.front() == Axis::batch && entry.second.extents().size() + 1 == std::size_t(rule.rank);
    });
}

void CaseLayout::take_sizes(const CaseSpec& known) {
    packed_ = known.problem.packed();
    const std::int64_t samples = sample_count(known);  // not the rows themselves: a text can ask for any number
    sampled_ = samples > 0;
    if (sampled_) sizes_[Axis::samples] = samples;
    for (const Axis axis :
         {Axis::batch, Axis::seq_q, Axis::seq_k, Axis::heads_q, Axis::heads_kv, Axis::head_dim, Axis::head_dim_v}) {
        if (!packed_ || axis != Axis::batch) sizes_[canonical(axis)] = size_of(axis, known.problem, 0);
    }
}

Axis CaseLayout::canonical(Axis axis) const {
    return packed_ && axis == Axis::seq_k ? Axis::seq_q : axis;
}

void CaseLayout::unify_shapes() {
    for (const DatasetRule& rule : datasets()) {
        const auto found = datasets_.find(rule.path());
        if (found == datasets_.end() || unify(rule, found->second)) continue;
        const auto& extents = found->second.extents();
        error(rule.path(), "shape " + shape_text(extents) + ", expected " + expected_shape(rule));
        datasets_.erase(found);
    }
}

bool CaseLayout::unify(const DatasetRule& rule, const h5::Dataset& dataset) {
    const auto axes = axes_of(rule, packed_, sampled_);
    if (dataset.extents().size() != axes.size()) return false;
    bool agrees = true;
    for (std::size_t i = 0; i < axes.size(); ++i) {
        if (!counts_elements_of_a_tensor(axes[i])) continue;
        const auto known = sizes_.find(canonical(axes[i]));
        agrees = agrees && (known == sizes_.end() || known->second == dataset.extents()[i]);
    }
    if (!agrees) return false;
    for (std::size_t i = 0; i < axes.size(); ++i) {
        if (counts_elements_of_a_tensor(axes[i])) {
            sizes_.try_emplace(canonical(axes[i]), dataset.extents()[i]);
        }
    }
    return true;
}

std::string CaseLayout::expected_shape(const DatasetRule& rule) const {
    std::string out;
    for (const Axis axis : axes_of(rule, packed_, sampled_)) {
        const bool is_token = packed_ && canonical(axis) == Axis::seq_q;
        out += (out.empty() ? "(" : ", ") + (is_token ? "tokens" : std::string(name(axis)));
        const auto known = sizes_.find(canonical(axis));
        if (known != sizes_.end()) out += " " + std::to_string(known->second);
    }
    return out + ")" + (packed_ ? ", the case is packed (it has cu_seqlens)" : "");
}

bool CaseLayout::has_group(std::string_view name) const {
    return contains(groups_, name);
}

const h5::Dataset* CaseLayout::find(std::string_view path) const {
    const auto found = datasets_.find(path);
    return found == datasets_.end() ? nullptr : &found->second;
}

Shape CaseLayout::shape() const {
    const auto size = [&](Axis axis) {
        const auto found = sizes_.find(canonical(axis));
        return found == sizes_.end() ? std::int64_t{1} : found->second;
    };
    return {.batch = size(Axis::batch),
            .seq_q = size(Axis::seq_q),
            .seq_k = size(Axis::seq_k),
            .heads_q = size(Axis::heads_q),
            .heads_kv = size(Axis::heads_kv),
            .head_dim = size(Axis::head_dim),
            .head_dim_v = size(Axis::head_dim_v)};
}

void CaseLayout::require_complete() const {
    for (const DatasetRule& rule : datasets()) {
        // Without stored inputs the results, and so their scales, may be any subset.
        const bool wanted = rule.group == "inputs" ? inputs_stored_ : has_group(rule.group);
        const bool optional = !inputs_stored_ && rule.content == Content::error_scale;
        if (rule.required && wanted && !optional && !contains(present_, rule.path())) {
            error(rule.path(), "is missing");
        }
    }
    const bool has_rows = contains(present_, "judge/sample_rows");
    if (sampled_ && !has_rows) error("judge/sample_rows", "is missing");
    if (!sampled_ && has_rows) error("judge/sample_rows", "is there, but the case does not sample rows");
}

}  // namespace dca::golden
