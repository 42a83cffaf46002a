#include "golden/file_root.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "golden/h5_attribute.hpp"
#include "golden/h5_probe.hpp"
#include "golden/schema.hpp"
#include "golden/text.hpp"

namespace dca::golden {
namespace {

/// Asks the system before HDF5, whose messages mix up a missing file, a forbidden one and a damaged one.
void require_readable(const std::filesystem::path& path) {
    const auto refuse = [&](const std::string& why) { throw IoError("cannot open " + path.string() + ": " + why); };
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) refuse(error ? error.message() : "no such file");
    if (!std::filesystem::is_regular_file(status)) refuse("not a regular file");
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) refuse(std::generic_category().message(errno));
    close(descriptor);
}

/// The value of a root attribute if it is there and of type T; reports it otherwise.
template <class T>
std::optional<T> root_attribute(const h5::AttributeReader& attributes, const std::string& name, const Report& report) {
    std::string fault;
    try {
        const AttributeValue value = unwrapped(attributes.read(name));
        if (const T* typed = std::get_if<T>(&value)) return *typed;
        fault = "is " + std::string(kind_text(value));
    } catch (const FormatError& e) {
        fault = e.what();
    }
    report({Finding::Level::error, "attribute " + name, fault});
    return std::nullopt;
}

void check_root_attributes(hid_t file, const Report& report) {
    const h5::AttributeReader attributes(file);
    const std::vector<std::string>& names = attributes.names();
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
        const auto schema = root_attribute<std::string>(attributes, "schema", report);
        if (schema && *schema != schema_name)
            error("attribute schema", "is '" + printable(*schema) + "', expected 'dca'");
    }
    if (present("schema_version")) {
        const auto version = root_attribute<std::int64_t>(attributes, "schema_version", report);
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

h5::Handle open_file(const std::filesystem::path& path) {
    h5::silence();
    require_readable(path);
    h5::probe(path);
    return {H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose, "not a readable HDF5 file"};
}

std::vector<std::string> read_root(hid_t file, const Report& report) {
    check_root_attributes(file, report);
    std::vector<std::string> ids;
    for (const h5::Child& child : h5::children(file)) {
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
