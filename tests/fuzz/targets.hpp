// What is fuzzed: every place where bytes of somebody else are interpreted. The same entries are run by libFuzzer
// (fuzzer.cpp, with clang) and by the test suite (test_fuzz.cpp, with any compiler).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dca::test {

using Bytes = std::span<const std::uint8_t>;

struct Target {
    const char* name;
    /// Interprets the bytes. Errors of input are expected and caught; anything else that leaves it is a find.
    void (*run)(Bytes);
    std::vector<std::string> (*seeds)();
    std::vector<std::string> words;  ///< for a mutator: what the format is made of
    bool forks;                      ///< a child process for every input: thousands, not millions of runs
};

[[nodiscard]] const std::vector<Target>& targets();
/// nullptr if there is none.
[[nodiscard]] const Target* find_target(const std::string& name);

/// Throws std::logic_error: an input was accepted that should not have been, or not read as it is.
void require(bool condition, const char* what);

// Entries and seeds, by the box they belong to.
void run_case_text(Bytes);
void run_catalogue(Bytes);
void run_golden(Bytes);
void run_npy_header(Bytes);
void run_safetensors_header(Bytes);
void run_candidate_h5(Bytes);
void run_npz(Bytes);
void run_safetensors(Bytes);
std::vector<std::string> case_text_seeds();
std::vector<std::string> catalogue_seeds();
std::vector<std::string> golden_seeds();
std::vector<std::string> npy_header_seeds();
std::vector<std::string> safetensors_header_seeds();
std::vector<std::string> candidate_h5_seeds();
std::vector<std::string> npz_seeds();
std::vector<std::string> safetensors_seeds();

}  // namespace dca::test
