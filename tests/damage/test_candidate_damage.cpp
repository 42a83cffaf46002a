// Candidates' files cut off or with bits flipped are refused, read as they were, or read as other values of the right
// shape where nothing in the format could tell.
#include <algorithm>
#include <iostream>

#include "golden/h5_dataset.hpp"
#include "tests/damage/damage.hpp"
#include "tests/verify/candidate/files.hpp"
#include "verify/candidate/named_candidate.hpp"

using namespace dca;
using namespace dca::test;
namespace h5 = dca::golden::h5;

namespace {

constexpr std::uint64_t seed = 20240301;

struct Format {
    const char* name;
    std::unique_ptr<verify::TensorSource> (*open)(const std::filesystem::path&);
    std::string (*make)(const std::string& folder);
    std::size_t data_begins;  ///< from here on the elements lie unprotected until the end; npos: all is protected
};

std::string npz_bytes(const std::string& folder, bool deflate) {
    return read_file(write_npz(folder + "/c.npz",
                               {{"one/outputs/out.npy", npy("<f8", "(1, 2, 2, 2)", counting<double>(8))},
                                {"one/lse.npy", npy("<f4", "(1, 2, 2)", counting<float>(4))}},
                               deflate));
}

const std::string safetensors_header = R"({"one/out":{"dtype":"F32","shape":[1,2,2,2],"data_offsets":[0,32]},)"
                                       R"("one/lse":{"dtype":"BF16","shape":[1,2,2],"data_offsets":[32,40]}})";

std::string safetensors_bytes(const std::string&) {
    return safetensors(safetensors_header, counting<float>(8) + counting<std::int16_t>(4));
}

/// As this project writes it, with checksums.
std::string h5_bytes(const std::string& folder) {
    golden::CaseData data = small_golden();
    data.results.out.emplace(out_extents(data.problem.shape));
    data.results.lse.emplace(lse_extents(data.problem.shape));
    double value = 0;
    for (double& x : data.results.out->values()) x = value += 1;
    value = 0;
    for (double& x : data.results.lse->values()) x = value += 1;
    golden::FileWriter writer(folder + "/c.h5");
    writer.write(data);
    writer.commit();
    return read_file(folder + "/c.h5");
}

const std::vector<Format> formats{
    {"npz", verify::open_npz, [](const std::string& folder) { return npz_bytes(folder, false); }, std::string::npos},
    {"packed npz", verify::open_npz, [](const std::string& folder) { return npz_bytes(folder, true); },
     std::string::npos},
    {"safetensors", verify::open_safetensors, safetensors_bytes, 8 + safetensors_header.size()},
    {"h5", verify::open_h5, h5_bytes, std::string::npos},
};

/// Elements that are not 1, 2, 3, ...
std::size_t altered(std::span<const double> values) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < values.size(); ++i) count += values[i] == static_cast<double>(i + 1) ? 0 : 1;
    return count;
}

/// Reads the file and counts what came of it. Returns the number of elements read that are not the original ones. A
/// tensor that can no longer be found counts as refused: it will not be judged.
std::size_t count(const Format& format, const MemoryFile& file, const golden::CaseData& golden, Tally& tally) {
    ++tally.tried;
    std::size_t wrong = 0;
    try {
        const golden::Results results = verify::NamedCandidate(format.open(file.path())).read(golden);
        if (results.out) {
            REQUIRE(results.out->extents() == out_extents(golden.problem.shape));
            wrong += altered(results.out->values());
        }
        if (results.lse) {
            // The numbers 1, 2, 3, 4 as bit patterns of bf16 are subnormal: scale them back.
            const double unit = format.open == verify::open_safetensors ? 0x1p-133 : 1;
            std::vector<double> lse(results.lse->values().begin(), results.lse->values().end());
            for (double& x : lse) x /= unit;
            wrong += altered(lse);
        }
        const bool whole = results.out && results.lse && !results.dq && !results.dk && !results.dv;
        ++(wrong > 0 ? tally.other_values : whole ? tally.same : tally.refused);
    } catch (const Error& error) {
        const std::string line = error.what();
        CHECK(line.find(file.path()) != line.npos);
        CHECK(line.find('\n') == line.npos);
        ++tally.refused;
    }
    return wrong;
}

void show(const char* what, const Format& format, const Tally& tally, std::size_t bytes) {
    std::cout << what << " of a candidate's " << format.name << " file of " << bytes << " bytes: " << tally.tried
              << " tried, " << tally.refused << " refused, " << tally.same << " read as before, " << tally.other_values
              << " with other values\n";
}

}  // namespace

TEST_CASE("a candidate's file cut off at any byte is refused") {
    const golden::CaseData golden = small_golden();
    for (const Format& format : formats) {
        const TemporaryFolder folder;
        const std::string bytes = format.make(folder.path().string());
        MemoryFile file;
        Tally tally;
        const std::size_t step = bytes.size() < 2000 || long_tests() ? 1 : 17;
        for (std::size_t size = 0; size < bytes.size(); size += step) {
            file.write(std::string_view(bytes).substr(0, size));
            CAPTURE(format.name, size);
            CHECK(count(format, file, golden, tally) == 0);
        }
        show("cuts", format, tally, bytes.size());
        // An archive is whole without the comment length that ends it; nothing else may be missing.
        CHECK(tally.same <= 2);
    }
}

TEST_CASE("a candidate's file with any bit flipped never gives elements of other places") {
    const golden::CaseData golden = small_golden();
    CAPTURE(seed);
    for (const Format& format : formats) {
        const TemporaryFolder folder;
        const std::string bytes = format.make(folder.path().string());
        MemoryFile file;
        file.write(bytes);
        Tally whole, tally;
        REQUIRE(count(format, file, golden, whole) == 0);
        REQUIRE(whole.same == 1);
        const bool all = bytes.size() < 2000 || long_tests();
        for (const std::uint64_t bit : drawn_bits(bytes.size(), all ? 8 * bytes.size() : 800, seed)) {
            file.write(with_bit_flipped(bytes, bit));
            CAPTURE(format.name, bit);
            CHECK(count(format, file, golden, tally) == (bit / 8 >= format.data_begins ? 1 : 0));
        }
        show("flipped bits", format, tally, bytes.size());
    }
}

TEST_CASE("sets of flipped bits never crash the reader of a candidate's file") {
    const golden::CaseData golden = small_golden();
    CAPTURE(seed);
    for (const Format& format : formats) {
        const TemporaryFolder folder;
        const std::string bytes = format.make(folder.path().string());
        MemoryFile file;
        Tally tally;
        const std::uint64_t tries = long_tests() ? 10'000 : bytes.size() < 2000 ? 2'000 : 150;
        for (std::uint64_t n = 0; n < tries; ++n) {
            std::string damaged = bytes;
            for (const std::uint64_t bit : drawn_bits(bytes.size(), 2 + n % 7, mixed(seed, n))) {
                damaged = with_bit_flipped(damaged, bit);
            }
            file.write(damaged);
            CAPTURE(format.name, n);
            const std::size_t wrong = count(format, file, golden, tally);
            if (format.data_begins == std::string::npos) CHECK(wrong == 0);
        }
        show("sets of flipped bits", format, tally, bytes.size());
        CHECK(tally.refused > tally.tried / 4);
    }
}
