// .h5: the groups of the schema (docs/golden_format.md). Only outputs are needed; inputs and attributes, where present,
// must be the golden's. Datasets are checked by golden/h5_dataset before anything is read.
#include <cmath>

#include "golden/h5_dataset.hpp"
#include "golden/h5_reader.hpp"
#include "golden/schema.hpp"
#include "golden/text.hpp"
#include "verify/candidate/chunk_summary_names.hpp"
#include "verify/candidate/tensor_source.hpp"

namespace dca::verify {
namespace {

namespace h5 = golden::h5;

void require_schema(const h5::Node& root) {
    for (const std::string& name : h5::attribute_names(root)) {
        const bool is_name = name == "schema", is_version = name == "schema_version";
        if (!is_name && !is_version) continue;
        const golden::AttributeValue& value = h5::read_attribute(root, name);
        const golden::AttributeValue expected = is_name ? golden::AttributeValue(std::string(golden::schema_name))
                                                        : golden::AttributeValue(golden::schema_version);
        if (value != expected) {
            throw FormatError("has another " + name + " than " + std::string(golden::schema_name) + " version " +
                              std::to_string(golden::schema_version));
        }
    }
}

/// depth: 1 below the root. The listing ends below datasets (h5_walk.hpp).
void collect(const h5::Node& group, const std::string& prefix, int depth, std::vector<std::string>& names) {
    constexpr int deepest = 3;  // case, group, dataset
    for (const h5::Node& child : h5::children(group)) {
        const std::string name = prefix + child.name;
        if (depth == 2 && child.name == "judge") continue;  // a golden file offered as candidate
        if (child.kind == h5::ObjectKind::dataset) {
            names.push_back(name);
        } else if (child.kind == h5::ObjectKind::group && depth < deepest) {
            collect(child, name + "/", depth + 1, names);
        } else {
            throw FormatError(golden::printable(name) + " is neither a dataset nor a group of the schema");
        }
    }
}

/// Def.5: what mscale is where a problem leaves it out.
double default_mscale(const RopeConfig& rope) {
    const double factor = rope.factor.value_or(1);
    return rope.scaling == RopeScaling::yarn && factor > 1 ? 0.1 * std::log(factor) + 1 : 1.0;
}

/// Whether a claimed mscale is the golden's. Where that is a default, a few roundings of its formula are allowed for.
bool same_mscale(double claimed, const RopeConfig& rope) {
    if (rope.mscale) return claimed == *rope.mscale;
    const double expected = default_mscale(rope);
    return std::abs(claimed - expected) <= 0x1p-50 * expected;
}

/// Throws FormatError unless the attribute says what the golden's problem says, defaults resolved. One that has no
/// influence there may say anything.
void check_attribute(const golden::AttributeRule& rule, const golden::AttributeValue& value, const Problem& problem) {
    Problem claimed = problem;
    golden::set_attribute(rule, value, claimed);
    const std::optional<golden::AttributeValue> expected = rule.get(problem);
    const bool same = rule.name == "mscale" ? same_mscale(*claimed.rope.mscale, problem.rope)
                                            : !expected || rule.get(claimed) == expected;
    if (!same) throw FormatError("is not the golden's: the candidate ran another problem");
}

class H5Source final : public TensorSource {
public:
    explicit H5Source(const std::filesystem::path& path) : path_(path) {
        try {
            file_ = std::make_unique<h5::File>(path);
            require_schema(file_->root());
            collect(file_->root(), "", 1, names_);
        } catch (const FormatError& error) {
            throw FormatError(path.string() + ": " + error.what());
        }
    }

    [[nodiscard]] const std::filesystem::path& path() const override { return path_; }
    [[nodiscard]] std::vector<std::string> names() const override { return names_; }

    [[nodiscard]] TensorInfo describe(const std::string& name) const override {
        const h5::Dataset dataset(*file_, name);
        return {dataset.extents(), !dataset.type().integer};
    }

    [[nodiscard]] std::unique_ptr<golden::TensorReader> open(const std::string& name) const override {
        return h5::open_reader(h5::Dataset(*file_, name));
    }

    void read_integers(const std::string& name, std::span<double> values) const override {
        const std::vector<std::int64_t> integers = h5::Dataset(*file_, name).read_integers();
        expects(integers.size() == values.size(), "read_integers: wrong size");
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(integers[i]);
    }

    void check_problem(const std::string& case_id, const golden::CaseData& golden) const override {
        if (case_id.empty()) return;
        const h5::Node& group = h5::open_group(file_->root(), case_id);
        for (const std::string& name : h5::attribute_names(group)) {
            if (name == golden::case_checksum_name) continue;  // of the file it was written as
            if (name == "algorithm" || golden.chunk_summary) {
                check_other_algorithm(name, group, golden);
                continue;
            }
            const golden::AttributeClass kind = golden::classify_attribute(name);
            if (kind == golden::AttributeClass::unknown) {
                throw FormatError("attribute " + golden::printable(name) + " is unknown" +
                                  golden::attribute_suggestion(name));
            }
            // The candidate may call itself what it likes; it is judged against the golden's dialect.
            if (kind != golden::AttributeClass::problem || name == "dialect") continue;
            for (const golden::AttributeRule& rule : golden::problem_attributes()) {
                if (rule.name != name) continue;
                try {
                    check_attribute(rule, h5::read_attribute(group, name), golden.problem);
                } catch (const Error& error) {
                    throw FormatError("attribute " + name + " " + error.what());
                }
            }
        }
    }

private:
    static void check_other_algorithm(const std::string& name, const h5::Node& group, const golden::CaseData& golden) {
        try {
            if (name == "algorithm") return check_algorithm(h5::read_attribute(group, name), golden);
            check_chunk_summary_attribute(name, h5::read_attribute(group, name), golden);
        } catch (const Error& error) {
            throw FormatError("attribute " + golden::printable(name) + " " + error.what());
        }
    }

    std::filesystem::path path_;
    std::unique_ptr<h5::File> file_;
    std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<TensorSource> open_h5(const std::filesystem::path& path) {
    return std::make_unique<H5Source>(path);
}

}  // namespace dca::verify
