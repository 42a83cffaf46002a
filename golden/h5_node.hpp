// What an HDF5 file holds, as plain values: nothing here belongs to the HDF5 library. A child process lists it
// (h5_walk.hpp), so that no byte of an untrusted file is interpreted by the library in this process.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "golden/store.hpp"
#include "reference/spec/dtype.hpp"

namespace dca::golden::h5 {

/// What a name in a group leads to. Soft, external and user-defined links are not followed: not_hard.
enum class ObjectKind : std::uint8_t { group, dataset, other, not_hard };

/// How the elements lie in the file: a number format (docs/golden_format.md says how 16 and 8 bits are stored), or
/// plain integers.
struct ElementType {
    bool integer = false;
    bool is_signed = false;  ///< integers only
    bool big_endian = false;
    std::size_t bytes = 0;
    Dtype dtype = Dtype::f64;  ///< numbers only
};

/// The header of a dataset that has been found sound.
struct Header {
    ElementType type;
    std::vector<std::int64_t> extents;
    std::int64_t count = 0;
    /// Where the elements lie in the file, one after the other; nothing: only the library can tell (chunks, compact).
    std::optional<std::uint64_t> offset;
    std::uint64_t chunk_bytes = 0;  ///< memory of one chunk, 0 where there are none
};

/// An attribute, or why it cannot be read.
struct Attribute {
    AttributeValue value;
    std::string fault;
};

struct Node {
    std::string name;
    ObjectKind kind = ObjectKind::group;
    std::string fault;             ///< groups: why children is not all; datasets: why the header is not sound
    std::string attributes_fault;  ///< why attributes is not all
    std::map<std::string, Attribute> attributes;
    std::vector<Node> children;  ///< of groups of the upper three levels, in lexical order
    Header header;               ///< of datasets without fault
};

/// All children. Throws FormatError if they could not be listed.
[[nodiscard]] const std::vector<Node>& children(const Node& group);
/// The child, nullptr if there is none of this name. Throws as children().
[[nodiscard]] const Node* find_child(const Node& group, const std::string& name);
/// A child that is a group. Throws FormatError.
[[nodiscard]] const Node& open_group(const Node& parent, const std::string& name);

/// Names in lexical order. Throws FormatError if they could not be listed.
[[nodiscard]] std::vector<std::string> attribute_names(const Node& object);
/// Throws FormatError if it is not there or could not be read.
[[nodiscard]] const AttributeValue& read_attribute(const Node& object, const std::string& name);
/// The same, nothing if it is not there.
[[nodiscard]] std::optional<AttributeValue> find_attribute(const Node& object, const std::string& name);

}  // namespace dca::golden::h5
