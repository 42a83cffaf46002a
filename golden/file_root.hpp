// The root of a tensor file: the schema attributes, and one group per case.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "golden/case_reader.hpp"

namespace dca::golden {

/// Checks schema, version and producer, and that the root holds nothing but case groups. Returns the ids of those, in
/// lexical order.
[[nodiscard]] std::vector<std::string> read_root(const h5::Node& root, const Report& report);

}  // namespace dca::golden
