#include "golden/case_checksum.hpp"

#include "golden/h5_attribute.hpp"
#include "golden/h5_catalogue.hpp"
#include "golden/h5_walk.hpp"
#include "golden/schema.hpp"

namespace dca::golden {

void verify_case_checksum(const h5::Node& case_group, const Report& report) {
    const std::string name(case_checksum_name), where = "case " + case_group.name;
    const auto found = h5::find_attribute(case_group, name);
    if (!found) {
        if (h5::find_child(case_group, "judge") == nullptr) return;
        return report({Finding::Level::note, where + ": attribute " + name,
                       "is missing: nothing protects the attributes of this case"});
    }
    const AttributeValue stored = unwrapped(*found);
    const auto* expected = std::get_if<std::int64_t>(&stored);
    const std::uint32_t actual = h5::structure_checksum(case_group, name);
    if (expected != nullptr && *expected == static_cast<std::int64_t>(actual)) return;
    report({Finding::Level::error, where + ": attribute " + name,
            "checksum mismatch: it should be " + std::to_string(actual) +
                "; attributes, names or shapes of the case were altered or damaged (remove " + name +
                " if the change is meant)"});
}

void write_case_checksum(hid_t case_group, const std::string& id) {
    const std::string name(case_checksum_name);
    const h5::Node written = h5::walk(case_group, id, 1);
    h5::write_attribute(case_group, name, static_cast<std::int64_t>(h5::structure_checksum(written, name)));
}

}  // namespace dca::golden
