// A golden file cut off or with a bit flipped anywhere is refused or read exactly as it was: no other value, attribute,
// shape or name gets through.
#include <iostream>

#include "golden/lint.hpp"
#include "golden/schema.hpp"
#include "tests/damage/damage.hpp"
#include "tests/golden/sample_case.hpp"
#include "tests/golden/scratch_folder.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using namespace dca::golden;
using namespace dca::test;

namespace {

constexpr std::uint64_t seed = 20240229;

/// One case with everything a case can have, as small as it can be.
std::string golden_bytes() {
    const ScratchFolder folder;
    CaseData data = sample_case(
        "id=a seq_q=2 heads_q=1 head_dim=2 C=2 w=1 dtype=bf16 rope_scaling=yarn rope_factor=4 mscale=1.5 inv_freq=1 "
        "softmax_scale=0.5 dialect_phase=prefill dialect_prompt_length=2");
    for (const char* name : {"out", "lse", "dq", "dk", "dv"}) data.certificates[name] = {1e-17, true, false};
    data.provenance = {{"seed", std::int64_t{7}}};
    write_file(folder / "a.h5", {data});
    return read_bytes(folder / "a.h5");
}

template <class T>
bool same_tensor(const std::optional<T>& a, const std::optional<T>& b) {
    if (a.has_value() != b.has_value()) return false;
    return !a || (a->extents() == b->extents() &&
                  std::equal(a->values().begin(), a->values().end(), b->values().begin(), b->values().end()));
}

bool same(const CaseData& a, const CaseData& b) {
    const auto inputs = [](const Inputs& i) { return std::optional(i.q); };
    const auto k = [](const Inputs& i) { return std::optional(i.k); };
    const auto v = [](const Inputs& i) { return std::optional(i.v); };
    const ErrorScales &s = a.judge->scales, &t = b.judge->scales;
    return a.id == b.id && first_difference(a.problem, b.problem).empty() &&
           same_tensor(inputs(a.inputs), inputs(b.inputs)) && same_tensor(k(a.inputs), k(b.inputs)) &&
           same_tensor(v(a.inputs), v(b.inputs)) && same_tensor(a.inputs.dout, b.inputs.dout) &&
           same_tensor(a.results.out, b.results.out) && same_tensor(a.results.lse, b.results.lse) &&
           same_tensor(a.results.dq, b.results.dq) && same_tensor(a.results.dk, b.results.dk) &&
           same_tensor(a.results.dv, b.results.dv) && a.certificates == b.certificates &&
           a.judge->error_model_version == b.judge->error_model_version &&
           same_tensor(std::optional(s.out), std::optional(t.out)) &&
           same_tensor(std::optional(s.lse), std::optional(t.lse)) && same_tensor(s.dq, t.dq) &&
           same_tensor(s.dk, t.dk) && same_tensor(s.dv, t.dv) && a.judge->regions.query == b.judge->regions.query &&
           a.judge->regions.key == b.judge->regions.key && a.dialect_facts == b.dialect_facts &&
           a.provenance == b.provenance;
}

/// Reads the damaged file and counts what came of it. False, with a line on stderr, where something else got through.
bool count(const MemoryFile& file, const CaseData& whole, Tally& tally) {
    ++tally.tried;
    try {
        const FileReader reader(file.path());
        if (reader.case_ids() == std::vector<std::string>{"a"} && same(reader.read("a"), whole)) {
            ++tally.same;
            return true;
        }
    } catch (const Error& error) {
        const std::string line = error.what();
        ++tally.refused;
        return line.starts_with(file.path() + ": ") && line.find('\n') == line.npos;
    }
    return false;
}

void show(const char* what, const Tally& tally, std::size_t bytes) {
    std::cout << what << " of a golden file of " << bytes << " bytes: " << tally.tried << " tried, " << tally.refused
              << " refused, " << tally.same << " read as before\n";
}

}  // namespace

TEST_CASE("a golden file cut off at any byte is refused") {
    const std::string bytes = golden_bytes();
    MemoryFile file;
    file.write(bytes);
    const CaseData whole = FileReader(file.path()).read("a");
    Tally tally;
    const std::size_t step = long_tests() ? 1 : 13;
    for (std::size_t size = 0; size < bytes.size(); size += step) {
        file.write(std::string_view(bytes).substr(0, size));
        CAPTURE(size, bytes.size());
        REQUIRE(count(file, whole, tally));
    }
    show("cuts", tally, bytes.size());
    CHECK(tally.refused == tally.tried);
}

TEST_CASE("a golden file with any bit flipped is refused or read as it was") {
    const std::string bytes = golden_bytes();
    MemoryFile file;
    file.write(bytes);
    const CaseData whole = FileReader(file.path()).read("a");
    REQUIRE(same(whole, whole));
    Tally tally;
    CAPTURE(seed);
    for (const std::uint64_t bit : drawn_bits(bytes.size(), long_tests() ? 10'000 : 1500, seed)) {
        file.write(with_bit_flipped(bytes, bit));
        CAPTURE(bit, bytes.size());
        CHECK(count(file, whole, tally));
    }
    show("flipped bits", tally, bytes.size());
    CHECK(tally.refused > tally.tried / 2);
}

TEST_CASE("several flipped bits are refused or change nothing") {
    const std::string bytes = golden_bytes();
    MemoryFile file;
    file.write(bytes);
    const CaseData whole = FileReader(file.path()).read("a");
    Tally tally;
    CAPTURE(seed);
    const std::uint64_t tries = long_tests() ? 10'000 : 200;
    for (std::uint64_t n = 0; n < tries; ++n) {
        std::string damaged = bytes;
        for (const std::uint64_t bit : drawn_bits(bytes.size(), 2 + n % 7, mixed(seed, n))) {
            damaged = with_bit_flipped(damaged, bit);
        }
        file.write(damaged);
        CAPTURE(n);
        CHECK(count(file, whole, tally));
    }
    show("sets of flipped bits", tally, bytes.size());
}
