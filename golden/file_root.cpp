#include "golden/file_root.hpp"

#include <algorithm>

#include "golden/schema.hpp"
#include "golden/text.hpp"

namespace dca::golden {
namespace {

/// The value of a root attribute if it is there and of type T; reports it otherwise.
template <class T>
std::optional<T> root_attribute(const h5::Node& root, const std::string& name, const Report& report) {
    std::string fault;
    try {
        const AttributeValue value = unwrapped(h5::read_attribute(root, name));
        if (const T* typed = std::get_if<T>(&value)) return *typed;
        fault = "is " + std::string(kind_text(value));
    } catch (const FormatError& e) {
        fault = e.what();
    }
    report({Finding::Level::error, "attribute " + name, fault});
    return std::nullopt;
}

void check_root_attributes(const h5::Node& root, const Report& report) {
    const std::vector<std::string> names = h5::attribute_names(root);
    const auto present = [&](std::string_view name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    const auto error = [&](const std::string& what, const std::string& message) {
        report({Finding::Level::error, what, message});
    };
    for (const std::string_view required : {"schema", "schema_version"}) {
        if (!present(required)) {
            error("attribute " + std::string(required),
                  "is missing: this is not a dca tensor file (docs/golden_format.md)");
        }
    }
    if (present("schema")) {
        const auto schema = root_attribute<std::string>(root, "schema", report);
        if (schema && *schema != schema_name)
            error("attribute schema", "is '" + printable(*schema) + "', expected 'dca'");
    }
    if (present("schema_version")) {
        const auto version = root_attribute<std::int64_t>(root, "schema_version", report);
        if (version && *version != schema_version) {
            error("attribute schema_version",
                  "is " + std::to_string(*version) + ", this program reads version " + std::to_string(schema_version));
        }
    }
    for (const std::string& name : names) {
        const bool known = name == "schema" || name == "schema_version" || name == "producer" ||
                           classify_attribute(name) == AttributeClass::provenance;
        if (!known) error("attribute " + printable(name), "is unknown at the root of a file");
    }
}

}  // namespace

std::vector<std::string> read_root(const h5::Node& root, const Report& report) {
    check_root_attributes(root, report);
    std::vector<std::string> ids;
    for (const h5::Node& child : h5::children(root)) {
        const std::string shown = printable(child.name);
        const auto error = [&](const std::string& message) { report({Finding::Level::error, shown, message}); };
        if (child.kind == h5::ObjectKind::not_hard) {
            error("is a soft or external link, which is not accepted");
        } else if (child.kind != h5::ObjectKind::group) {
            error("is not a group: the root of a file holds one group per case");
        } else if (!is_case_id(child.name)) {
            error("is not a case id (A-Z a-z 0-9 _ . -)");
        } else {
            ids.push_back(child.name);
        }
    }
    return ids;
}

}  // namespace dca::golden
