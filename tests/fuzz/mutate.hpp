// A small deterministic mutator, so that the suite fuzzes without libFuzzer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dca::test {

/// The bytes after 1 to 8 changes drawn by the number: flipped bits, other bytes, integers at their limits, words of
/// the format, parts removed, doubled or swapped, and the tail of another seed.
[[nodiscard]] std::string mutated(std::string bytes, const std::vector<std::string>& words,
                                  const std::vector<std::string>& seeds, std::uint64_t number);

}  // namespace dca::test
