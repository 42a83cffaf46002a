// The fuzz targets without a fuzzer: seeds, everything a fuzzer has ever found, and a fixed number of mutations.
#include <algorithm>
#include <filesystem>
#include <iostream>

#include "tests/damage/damage.hpp"
#include "tests/fuzz/mutate.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/golden/scratch_folder.hpp"
#include "tests/support/catch.hpp"

using namespace dca::test;
namespace fs = std::filesystem;

namespace {

void run(const Target& target, const std::string& bytes) {
    target.run({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

/// Inputs that were once a find, committed where they were fixed.
std::vector<std::string> finds(const Target& target) {
    std::vector<std::string> all;
    const fs::path folder = fs::path(DCA_SOURCE_DIR) / "tests/fuzz/finds" / target.name;
    if (!fs::exists(folder)) return all;
    std::vector<fs::path> paths(fs::directory_iterator(folder), {});
    std::sort(paths.begin(), paths.end());
    for (const fs::path& path : paths) all.push_back(read_bytes(path));
    return all;
}

void fuzz(const char* name, std::uint64_t mutations) {
    const Target* target = find_target(name);
    REQUIRE(target != nullptr);
    std::vector<std::string> seeds = target->seeds();
    REQUIRE(!seeds.empty());
    for (const std::string& find : finds(*target)) seeds.push_back(find);
    for (std::size_t n = 0; n < seeds.size(); ++n) {
        CAPTURE(name, n);
        REQUIRE_NOTHROW(run(*target, seeds[n]));
    }
    if (long_tests()) mutations *= 20;
    for (std::uint64_t n = 0; n < mutations; ++n) {
        const std::string bytes = mutated(seeds[mixed(1, n) % seeds.size()], target->words, seeds, n);
        CAPTURE(name, n, bytes.size());
        REQUIRE_NOTHROW(run(*target, bytes));
    }
    std::cout << name << ": " << seeds.size() << " seeds and finds, " << mutations << " mutations\n";
}

}  // namespace

TEST_CASE("fuzz: case texts") {
    fuzz("case_text", 20'000);
}
TEST_CASE("fuzz: listings of HDF5 files") {
    fuzz("catalogue", 10'000);
}
TEST_CASE("fuzz: golden HDF5 files") {
    fuzz("golden", 600);
}
TEST_CASE("fuzz: npy headers") {
    fuzz("npy_header", 20'000);
}
TEST_CASE("fuzz: safetensors headers") {
    fuzz("safetensors_header", 10'000);
}
TEST_CASE("fuzz: HDF5 files of candidates") {
    fuzz("candidate_h5", 600);
}
TEST_CASE("fuzz: npz files") {
    fuzz("npz", 10'000);
}
TEST_CASE("fuzz: safetensors files") {
    fuzz("safetensors", 10'000);
}

TEST_CASE("fuzz: every target has a test") {
    CHECK(targets().size() == 8);
}
