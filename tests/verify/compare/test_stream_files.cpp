// Comparing files piece by piece: little memory, every kind of file, and damage that shows on the way.
#include <unistd.h>

#include <random>

#include "golden/bytes_reader.hpp"
#include "golden/case_text.hpp"
#include "golden/crc32.hpp"
#include "golden/store.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/process.hpp"

namespace {

using dca::Region;
using dca::golden::CaseData;
using dca::golden::CaseSpec;
using dca::golden::CaseStream;
using dca::golden::FileWriter;
using dca::golden::TensorReader;
using dca::test::run_dca;
using dca::test::TemporaryFolder;

CaseData large_case(std::int64_t rows) {
    const CaseSpec spec = dca::golden::parse_case("id=large seq_q=" + std::to_string(rows) +
                                                  " heads_q=8 heads_kv=1 head_dim=2 head_dim_v=128 C=64 w=16 seed=1");
    CaseData head;
    head.id = spec.id;
    head.problem = spec.problem;
    head.regenerates = spec;
    head.provenance["case_text"] = dca::golden::to_text(spec);
    head.judge.emplace().error_model_version = 1;
    head.judge->regions.query.assign(static_cast<std::size_t>(rows), Region::with_inter);
    head.judge->regions.key = head.judge->regions.query;
    return head;
}

void write(const std::string& path, const CaseData& head, bool golden) {
    FileWriter writer(path);
    const std::vector<std::string> tensors =
        golden ? std::vector<std::string>{"outputs/out", "judge/sigma_out"} : std::vector<std::string>{"outputs/out"};
    CaseData data = head;
    if (!golden) data.judge.reset();
    CaseStream stream = writer.begin(data, tensors);
    const std::vector<double> values(1 << 16, 1.5);
    const std::vector<float> scales(1 << 16, 0x1p-20f);
    const std::int64_t elements = dca::element_count(dca::out_extents(head.problem.shape));
    for (std::int64_t first = 0; first < elements; first += 1 << 16) {
        const auto count = static_cast<std::size_t>(std::min<std::int64_t>(1 << 16, elements - first));
        stream.append("outputs/out", std::span(values).first(count));
        if (golden) stream.append("judge/sigma_out", std::span(scales).first(count));
    }
    stream.finish();
    writer.commit();
}

/// Most resident memory, in KiB, of `dca compare` on these files.
long peak_of(const std::string& golden, const std::string& candidate) {
    const auto finished = dca::test::run_shell(
        "python3 -c \"import resource, subprocess, sys; s = subprocess.call(sys.argv[1:], stdout=2); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(s)\" " +
        dca::test::program + " compare '" + golden + "' '" + candidate + "'");
    CAPTURE(finished.out, finished.err);
    REQUIRE(finished.status == 0);
    return std::stol(finished.out);
}

}  // namespace

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their own memory is much more
TEST_CASE("judging takes less than 64 MiB, whatever the tensor") {
    const TemporaryFolder folder;
    const CaseData small = large_case(64), large = large_case(1 << 14);  // 0.5 and 128 MiB of doubles
    for (const auto& [name, head] : {std::pair{"small", &small}, std::pair{"large", &large}}) {
        write(folder / (std::string(name) + ".golden.h5"), *head, true);
        write(folder / (std::string(name) + ".h5"), *head, false);
    }
    const long least = peak_of(folder / "small.golden.h5", folder / "small.h5");
    const long most = peak_of(folder / "large.golden.h5", folder / "large.h5");
    CAPTURE(least, most);
    CHECK(most < 64 * 1024);          // nothing is mapped, so this is all there is, the program included
    CHECK(most - least < 16 * 1024);  // reading any of the tensors whole would take 64 MiB or more
}
#endif

TEST_CASE("one flipped bit anywhere in a streamed tensor is found by its checksum") {
    const TemporaryFolder folder;
    const CaseData head = large_case(600);  // blocks and pieces in numbers
    write(folder / "golden.h5", head, true);
    write(folder / "candidate.h5", head, false);
    const std::string bytes = dca::test::read_file(folder / "candidate.h5");
    const std::size_t data = 600 * 8 * 128 * sizeof(double);
    REQUIRE(run_dca("compare '" + folder / "golden.h5" + "' '" + folder / "candidate.h5" + "'").status == 0);
    const std::size_t begin = bytes.find(std::string("\0\0\0\0\0\0\xf8\x3f\0\0\0\0\0\0\xf8\x3f", 16));
    REQUIRE(begin + data <= bytes.size());
    for (const std::size_t at : {std::size_t{0}, data / 3, data - 8}) {
        std::string damaged = bytes;
        damaged[begin + at] = static_cast<char>(damaged[begin + at] ^ 1);  // too small an error to fail
        dca::test::write_file(folder / "damaged.h5", damaged);
        const auto finished = run_dca("compare '" + folder / "golden.h5" + "' '" + folder / "damaged.h5" + "'");
        CAPTURE(at, finished.out, finished.err);
        CHECK(finished.status == 2);
        CHECK(finished.out.find("outputs/out: checksum mismatch") != std::string::npos);
    }
}

TEST_CASE("a file that becomes shorter while it is read is an error, not a crash") {
    const TemporaryFolder folder;
    dca::test::write_file(folder / "data", std::string(std::size_t{8} << 20, '\0'));
    const auto reader = dca::golden::read_flat(std::make_shared<const dca::golden::InputFile>(folder / "data"), 0,
                                               {1 << 20}, dca::Dtype::f64, std::nullopt);
    std::vector<double> values(1 << 19);
    reader->read(std::span(values));
    REQUIRE(truncate((folder / "data").c_str(), 5 << 20) == 0);
    CHECK_THROWS_AS(reader->read(std::span(values)), dca::FormatError);
}

TEST_CASE("checksums of any length, start and division are zlib's definition") {
    const std::uint64_t seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    std::vector<std::byte> bytes(3000);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    const auto bit_by_bit = [](std::uint32_t so_far, std::span<const std::byte> all) {
        std::uint32_t state = ~so_far;
        for (const std::byte byte : all) {
            state ^= std::to_integer<std::uint32_t>(byte);
            for (int bit = 0; bit < 8; ++bit) state = state >> 1 ^ ((state & 1) != 0 ? 0xedb88320u : 0u);
        }
        return ~state;
    };
    for (int round = 0; round < 2000; ++round) {
        const std::size_t begin = random() % 100, size = random() % 1500, cut = size == 0 ? 0 : random() % size;
        const auto start = static_cast<std::uint32_t>(random());
        const std::span<const std::byte> all = std::span(bytes).subspan(begin, size);
        const std::uint32_t wanted = bit_by_bit(start, all);
        CHECK(dca::golden::crc32(start, all) == wanted);
        CHECK(dca::golden::crc32_of_both(dca::golden::crc32(start, all.first(cut)),
                                         dca::golden::crc32(0, all.subspan(cut)), size - cut) == wanted);
    }
}
