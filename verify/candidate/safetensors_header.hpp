// The header of a .safetensors file: a JSON object that gives every tensor a type, a shape and a place in the data.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verify/candidate/element_type.hpp"

namespace dca::verify {

struct SafetensorsEntry {
    std::string type_name;            ///< as the file says, e.g. BF16
    std::optional<ElementType> type;  ///< nothing for types no case has (BOOL, U8, ...)
    std::vector<std::int64_t> extents;
    std::uint64_t begin = 0, end = 0;  ///< bytes of the data part
};

/// Throws FormatError unless the text is a header of data_size bytes of data: no duplicate or unknown keys, shapes and
/// offsets non-negative integers, sizes that match, and tensors that fill the data without overlap, gap or rest.
[[nodiscard]] std::map<std::string, SafetensorsEntry> parse_safetensors_header(std::string_view text,
                                                                               std::uint64_t data_size);

}  // namespace dca::verify
