// Attributes: scalars and one-dimensional arrays of integers, floating-point numbers, and strings.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "golden/h5_handle.hpp"
#include "golden/store.hpp"

namespace dca::golden::h5 {

/// Names of an object's attributes in lexical order.
[[nodiscard]] std::vector<std::string> attribute_names(hid_t object);

/// Any integer type becomes int64, any floating-point type of up to 64 bits double, fixed and variable strings
/// std::string; arrays of one dimension become vectors. Throws FormatError for every other type, more dimensions,
/// integers beyond int64, and more bytes than the file holds.
///
/// Strings of variable length lie in a heap that the library (1.10.8) reads without checking it: one changed byte makes
/// it crash or loop for ever. They are read in a child process.
[[nodiscard]] AttributeValue read_attribute(hid_t object, const std::string& name);
/// The same without a child process.
[[nodiscard]] AttributeValue read_attribute_here(hid_t object, const std::string& name);

/// Reads attributes of one object; one child process serves for all its strings.
class AttributeReader {
public:
    /// Throws FormatError if the attributes cannot be listed. The object must outlive the reader.
    explicit AttributeReader(hid_t object);
    [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
    /// As read_attribute.
    [[nodiscard]] AttributeValue read(const std::string& name) const;

private:
    hid_t object_;
    std::vector<std::string> names_;
    std::map<std::string, std::string> strings_;
};

/// Stored as 64-bit little-endian integer, float64, or variable-length UTF-8 string.
void write_attribute(hid_t object, const std::string& name, const AttributeValue& value);

}  // namespace dca::golden::h5
