// Attributes: scalars and one-dimensional arrays of integers, floating-point numbers, and strings.
#pragma once

#include <string>
#include <vector>

#include "golden/h5_handle.hpp"
#include "golden/store.hpp"

namespace dca::golden::h5 {

/// Names of an object's attributes in lexical order. Throws FormatError if there are more than so many.
[[nodiscard]] std::vector<std::string> attribute_names(hid_t object, std::size_t most);

/// Any integer type becomes int64, any floating-point type of up to 64 bits double, fixed and variable strings
/// std::string; arrays of one dimension become vectors. Throws FormatError for every other type, more dimensions,
/// integers beyond int64, more bytes than the file holds, and more than so many.
///
/// Strings of variable length lie in a heap that the library (1.10.8) reads without checking it: one changed byte makes
/// it crash or loop for ever. For files of our own and for child processes.
[[nodiscard]] AttributeValue read_attribute(hid_t object, const std::string& name, std::size_t most_bytes);

/// Stored as 64-bit little-endian integer, float64, or variable-length UTF-8 string.
void write_attribute(hid_t object, const std::string& name, const AttributeValue& value);

}  // namespace dca::golden::h5
