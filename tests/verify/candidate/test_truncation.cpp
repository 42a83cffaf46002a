// A file cut off anywhere, or with any one byte changed, is read right, read as other values, or refused: nothing else.
#include "golden/h5_dataset.hpp"
#include "tests/verify/candidate/files.hpp"

namespace {

using namespace dca::test;

enum class Outcome { right, other_values, nothing, refused };

Outcome outcome(const std::string& path) {
    try {
        const auto candidate = dca::verify::open_candidate(path);
        const auto results = candidate->read(small_golden());
        if (!results.out) return Outcome::nothing;
        return counts_up(results.out->values()) ? Outcome::right : Outcome::other_values;
    } catch (const dca::Error& error) {
        CHECK(std::string(error.what()).find(path) != std::string::npos);
        return Outcome::refused;
    }
}

/// A new file each time: some file systems flush a file that is overwritten.
void replace_file(const std::string& path, const std::string& bytes) {
    std::filesystem::remove(path);
    write_file(path, bytes);
}

void check_every_cut(const std::string& path, std::size_t step = 1) {
    const std::string bytes = read_file(path);
    REQUIRE(outcome(path) == Outcome::right);
    std::size_t refused = 0, tried = 0;
    for (std::size_t length = 0; length < bytes.size(); length += step) {
        replace_file(path, bytes.substr(0, length));
        INFO("cut to " << length << " of " << bytes.size() << " bytes");
        const Outcome seen = outcome(path);
        CHECK((seen == Outcome::refused || seen == Outcome::right));
        refused += seen == Outcome::refused ? 1 : 0;
        ++tried;
    }
    CHECK(refused > tried / 2);
}

void check_every_change(const std::string& path, std::size_t step = 1) {
    const std::string bytes = read_file(path);
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        for (unsigned char flip : {0x01, 0x80, 0xff}) {
            std::string changed = bytes;
            changed[at] = static_cast<char>(changed[at] ^ flip);
            replace_file(path, changed);
            outcome(path);  // reaching the next one is the test
        }
    }
}

std::string h5_file(const std::string& path) {
    namespace h5 = dca::golden::h5;
    const h5::Handle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose, "create");
    const h5::Handle one(H5Gcreate2(file.get(), "one", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose, "create");
    const h5::Handle outputs(H5Gcreate2(one.get(), "outputs", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose,
                             "create");
    const std::vector<double> values{1, 2, 3, 4, 5, 6, 7, 8};
    const std::vector<std::int64_t> extents{1, 2, 2, 2};
    h5::write_dataset(outputs.get(), "out", extents, std::span<const double>(values));
    return path;
}

std::string safetensors_file(const std::string& path) {
    write_file(path, safetensors(R"({"one/out":{"dtype":"F32","shape":[1,2,2,2],"data_offsets":[0,32]}})",
                                 counting<float>(8)));
    return path;
}

std::string npz_file(const std::string& path, bool deflate) {
    return write_npz(path, {{"one/out.npy", npy("<f8", "(1, 2, 2, 2)", counting<double>(8))}}, deflate);
}

TEST_CASE("safetensors cut off or changed at every byte") {
    const TemporaryFolder folder;
    check_every_cut(safetensors_file(folder / "c.safetensors"));
    check_every_change(safetensors_file(folder / "c.safetensors"));
}

TEST_CASE("npz cut off or changed at every byte") {
    const TemporaryFolder folder;
    const bool deflate = GENERATE(false, true);
    check_every_cut(npz_file(folder / "c.npz", deflate));
    check_every_change(npz_file(folder / "c.npz", deflate));
}

TEST_CASE("h5 cut off at many places, and changed") {
    const TemporaryFolder folder;
    check_every_cut(h5_file(folder / "c.h5"), 7);
    check_every_change(h5_file(folder / "c.h5"), 13);
}

}  // namespace
