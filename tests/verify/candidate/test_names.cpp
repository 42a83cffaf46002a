// Which tensor of which case a name means, and the checks every format shares.
#include "tests/verify/candidate/files.hpp"
#include "verify/candidate/named_candidate.hpp"

namespace {

using namespace dca::test;
using dca::verify::open_candidate;
using dca::verify::parse_tensor_name;
using dca::verify::TensorName;

TEST_CASE("tensor names in all their forms") {
    CHECK(parse_tensor_name("c/outputs/out") == TensorName{"c", true, "out"});
    CHECK(parse_tensor_name("a.b-c_1/lse") == TensorName{"a.b-c_1", true, "lse"});
    CHECK(parse_tensor_name("dq") == TensorName{"", true, "dq"});
    CHECK(parse_tensor_name("outputs/dk") == TensorName{"", true, "dk"});
    CHECK(parse_tensor_name("c/inputs/q") == TensorName{"c", false, "q"});
    CHECK(parse_tensor_name("inputs/dout") == TensorName{"", false, "dout"});
}

TEST_CASE("names that mean nothing are refused, not ignored") {
    for (const char* name :
         {"", "/", "c/", "/out", "c//out", "c/outputs/", "c/outputs/q", "c/inputs/out", "q", "c/q", "c/output/out",
          "Out", "c/d/out", "c/outputs/x/out", "a b/out", "../out", "c/outputs/out/"}) {
        CAPTURE(name);
        CHECK(contains(refusal([&] { (void)parse_tensor_name(name); }), "tensor name"));
    }
    const std::string ugly = refusal([] { (void)parse_tensor_name("\x1b[31m\nx/out/y"); });
    CHECK(ugly.find('\x1b') == std::string::npos);
}

struct Npz {
    TemporaryFolder folder;
    std::string out = npy("<f8", "(1, 2, 2, 2)", counting<double>(8));
    std::string write(const Entries& entries) const { return write_npz(folder / "c.npz", entries); }
};

TEST_CASE("case ids are those of the names, and bare names stand for the only case") {
    const Npz npz;
    auto file = open_candidate(npz.write({{"two/out.npy", npz.out}, {"one/outputs/out.npy", npz.out}}));
    CHECK(file->case_ids() == std::vector<std::string>{"one", "two"});
    file = open_candidate(npz.write({{"out.npy", npz.out}}));
    CHECK(file->case_ids() == std::vector<std::string>{""});
    CHECK(file->read(small_golden("whatever")).out.has_value());
}

TEST_CASE("two names for one tensor, and bare names beside case ids, are refused") {
    const Npz npz;
    CHECK(
        contains(refusal_to_open(npz.write({{"one/out.npy", npz.out}, {"one/outputs/out.npy", npz.out}})), "the same"));
    CHECK(contains(refusal_to_open(npz.write({{"one/out.npy", npz.out}, {"lse.npy", npz.out}})),
                   "with and without a case id"));
}

TEST_CASE("shapes must be those of the golden's problem") {
    const Npz npz;
    const std::string message =
        refusal_of(npz.write({{"one/out.npy", npy("<f8", "(1, 2, 4)", counting<double>(8))}}), small_golden());
    CHECK(contains(message, "c.npz: case one: outputs/out: "));
    CHECK(contains(message, "(1, 2, 4)"));
    CHECK(contains(message, "(1, 2, 2, 2)"));
    // The right count in the wrong order of axes is still wrong.
    refusal_of(npz.write({{"one/lse.npy", npy("<f8", "(2, 2, 1)", counting<double>(4))}}), small_golden());
}

TEST_CASE("a packed problem has no batch axis") {
    const Npz npz;
    auto golden = small_golden();
    golden.problem.shape.seq_k = 2;
    golden.problem.cu_seqlens = {0, 1, 2};
    const auto good =
        npz.write({{"out.npy", npy("<f8", "(2, 2, 2)", counting<double>(8))},
                   {"lse.npy", npy("<f8", "(2, 2)", counting<double>(4))},
                   {"inputs/cu_seqlens.npy", npy("<i4", "(3,)", std::string("\0\0\0\0\1\0\0\0\2\0\0\0", 12))}});
    const auto results = open_candidate(good)->read(golden);
    CHECK(results.out->extents() == dca::Extents<4>{1, 2, 2, 2});
    CHECK(results.lse->extents() == dca::Extents<3>{1, 2, 2});
    refusal_of(npz.write({{"out.npy", npz.out}}), golden);
    const auto other = npz.write({{"out.npy", npy("<f8", "(2, 2, 2)", counting<double>(8))},
                                  {"inputs/cu_seqlens.npy", npy("<i4", "(3,)", counting<std::int32_t>(3))}});
    CHECK(contains(refusal_of(other, golden), "ran other inputs"));
}

TEST_CASE("inputs, where the candidate carries them, must be the golden's") {
    const Npz npz;
    auto golden = small_golden();
    std::string k;
    for (double value : golden.inputs.k.values()) {
        char raw[sizeof value];
        std::memcpy(raw, &value, sizeof value);
        k.append(raw, sizeof value);
    }
    const auto with_k = [&](const std::string& bytes) {
        return npz.write({{"one/out.npy", npz.out}, {"one/inputs/k.npy", npy("<f8", "(1, 3, 1, 4)", bytes)}});
    };
    CHECK(open_candidate(with_k(k))->read(golden).out.has_value());
    k.back() ^= 1;
    const std::string message = refusal_of(with_k(k), golden);
    CHECK(contains(message, "inputs/k"));
    CHECK(contains(message, "flat index 11"));
    golden.inputs.dout.reset();
    CHECK(contains(refusal_of(npz.write({{"one/inputs/dout.npy", npz.out}}), golden), "no such input"));
    CHECK(contains(refusal_of(npz.write({{"one/inputs/inv_freq.npy", npz.out}}), golden), "no such input"));
}

TEST_CASE("outputs that are integers are refused") {
    const Npz npz;
    CHECK(contains(
        refusal_of(npz.write({{"out.npy", npy("<i8", "(1, 2, 2, 2)", counting<std::int64_t>(8))}}), small_golden()),
        "integers"));
}

TEST_CASE("files are told apart by their name, and must be readable files") {
    const TemporaryFolder folder;
    write_file(folder / "c.pt", "x");
    CHECK(contains(refusal_to_open(folder / "c.pt"), ".safetensors"));
    REQUIRE_THROWS_AS((void)open_candidate(folder / "missing.npz"), dca::IoError);
    std::filesystem::create_directory(folder / "d.npz");
    REQUIRE_THROWS_AS((void)open_candidate(folder / "d.npz"), dca::IoError);
}

}  // namespace
