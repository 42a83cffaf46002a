#include "golden/h5_node.hpp"

#include <algorithm>

#include "golden/text.hpp"

namespace dca::golden::h5 {

const std::vector<Node>& children(const Node& group) {
    if (!group.fault.empty()) throw FormatError(group.fault);
    return group.children;
}

const Node* find_child(const Node& group, const std::string& name) {
    const std::vector<Node>& all = children(group);
    const auto found = std::find_if(all.begin(), all.end(), [&](const Node& child) { return child.name == name; });
    return found == all.end() ? nullptr : &*found;
}

const Node& open_group(const Node& parent, const std::string& name) {
    const Node* child = find_child(parent, name);
    if (child == nullptr || child->kind != ObjectKind::group) {
        throw FormatError("cannot open group " + printable(name));
    }
    return *child;
}

std::vector<std::string> attribute_names(const Node& object) {
    if (!object.attributes_fault.empty()) throw FormatError(object.attributes_fault);
    std::vector<std::string> names;
    for (const auto& [name, attribute] : object.attributes) names.push_back(name);
    return names;
}

const AttributeValue& read_attribute(const Node& object, const std::string& name) {
    if (!object.attributes_fault.empty()) throw FormatError(object.attributes_fault);
    const auto found = object.attributes.find(name);
    if (found == object.attributes.end()) throw FormatError("cannot be opened (there is none)");
    if (!found->second.fault.empty()) throw FormatError(found->second.fault);
    return found->second.value;
}

std::optional<AttributeValue> find_attribute(const Node& object, const std::string& name) {
    if (object.attributes_fault.empty() && !object.attributes.contains(name)) return std::nullopt;
    return read_attribute(object, name);
}

}  // namespace dca::golden::h5
