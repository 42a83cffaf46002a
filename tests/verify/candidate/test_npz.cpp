// .npz: stored and deflated entries, what NumPy writes, and what it does not.
#include "tests/verify/candidate/files.hpp"
#include "verify/candidate/npy_header.hpp"

namespace {

using namespace dca::test;
using dca::verify::open_candidate;

std::string refused_npy(const std::string& bytes) {
    const TemporaryFolder folder;
    return refusal_of(write_npz(folder / "c.npz", {{"out.npy", bytes}}), small_golden());
}

bool reads(const std::string& bytes, bool deflate = false) {
    const TemporaryFolder folder;
    const auto results =
        open_candidate(write_npz(folder / "c.npz", {{"out.npy", bytes}}, deflate))->read(small_golden());
    return counts_up(results.out->values());
}

const std::string shape = "(1, 2, 2, 2)";

TEST_CASE("npz: every float type, stored and deflated, in both byte orders") {
    CHECK(reads(npy("<f8", shape, counting<double>(8))));
    CHECK(reads(npy("<f8", shape, counting<double>(8)), true));
    CHECK(reads(npy("<f4", shape, counting<float>(8)), true));
    std::string swapped = counting<float>(8);
    for (std::size_t i = 0; i < swapped.size(); i += 4) std::reverse(swapped.begin() + i, swapped.begin() + i + 4);
    CHECK(reads(npy(">f4", shape, swapped)));
    const std::string halves("\x00\x3c\x00\x40\x00\x42\x00\x44\x00\x45\x00\x46\x00\x47\x00\x48", 16);
    CHECK(reads(npy("<f2", shape, halves)));
}

TEST_CASE("npz: header versions, key order, quotes and blanks") {
    const std::string data = counting<double>(8);
    const std::string dictionary = "{\"shape\":(1,2,2,2),\"fortran_order\":False,\"descr\":\"<f8\"}   \n";
    CHECK(reads(npy_with_header(dictionary, data, 1)));
    CHECK(reads(npy_with_header(dictionary, data, 2)));
    CHECK(reads(npy_with_header(dictionary, data, 3)));
    CHECK(contains(refused_npy(npy_with_header(dictionary, data, 4)), "version 4"));
}

TEST_CASE("npz: arrays that are not plain arrays of numbers are refused with the way out") {
    const std::string data = counting<double>(8);
    CHECK(
        contains(refused_npy(npy_with_header("{'descr': '<f8', 'fortran_order': True, 'shape': (1, 2, 2, 2), }", data)),
                 "ascontiguousarray"));
    CHECK(contains(refused_npy(npy("|V2", shape, data)), "float32"));
    CHECK(contains(refused_npy(npy("<u2", shape, data)), "float32"));
    CHECK(contains(refused_npy(npy("<c16", shape, data)), "float64"));
    CHECK(contains(refused_npy(npy("|O", shape, data)), "element type"));
    CHECK(contains(refused_npy(npy("=f8", shape, data)), "element type"));
    refused_npy(npy_with_header("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (8,), }", data));
}

TEST_CASE("npz: malformed array headers are refused") {
    const std::string data = counting<double>(8);
    CHECK(contains(refused_npy("not an array"), "not a .npy"));
    CHECK(contains(refused_npy("short"), "ends too early"));
    CHECK(contains(refused_npy(""), "ends too early"));
    for (const char* dictionary :
         {"", "{", "{}", "{'descr': '<f8'}", "{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (8,)}",
          "{'descr': '<f8', 'fortran_order': Maybe, 'shape': (8,)}",
          "{'descr': '<f8', 'fortran_order': False, 'shape': 8}",
          "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 2, 2, 2)}",
          "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}",
          "{'descr': '<f8', 'fortran_order': False, 'shape': (1 2)}",
          "{'descr': '<f8', 'fortran_order': False, 'shape': (1,2}",
          "{'descr': '<f8, 'fortran_order': False, 'shape': (1,)}",
          "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} x",
          "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'more': 1}"}) {
        CAPTURE(dictionary);
        refused_npy(npy_with_header(dictionary, data));
    }
    // 4 GiB of header promised by 12 bytes of file.
    CHECK(contains(refused_npy(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12)), "array header of"));
}

TEST_CASE("npz: data that does not fill the shape exactly is refused, and absurd shapes before any memory") {
    CHECK(contains(refused_npy(npy("<f8", shape, counting<double>(7))), "ends too early"));
    CHECK(contains(refused_npy(npy("<f8", shape, counting<double>(9))), "more data"));
    refused_npy(npy("<f8", "(4611686018427387904, 2, 2, 2)", counting<double>(8)));
    refused_npy(npy("<f8", "(9223372036854775807, 9223372036854775807)", ""));
}

TEST_CASE("npz: a file that is no zip archive, or has an entry twice, is refused") {
    const TemporaryFolder folder;
    write_file(folder / "c.npz", "PK\x03\x04 but nothing else");
    CHECK(contains(refusal_to_open(folder / "c.npz"), "c.npz: cannot be read as a zip archive"));
    write_file(folder / "c.npz", "");
    refusal_to_open(folder / "c.npz");
    const std::string out = npy("<f8", shape, counting<double>(8));
    CHECK(contains(refusal_to_open(write_npz(folder / "c.npz", {{"out.npy", out}, {"out.npy", out}})), "two entries"));
    CHECK(contains(refusal_to_open(write_npz(folder / "c.npz", {{"out.npy", out}, {"out", out}})), "two entries"));
}

TEST_CASE("npz: a flipped bit in the data is found by the archive's checksum") {
    const TemporaryFolder folder;
    const std::string path = write_npz(folder / "c.npz", {{"out.npy", npy("<f8", shape, counting<double>(8))}});
    std::string bytes = read_file(path);
    const std::size_t eight = bytes.find(std::string("\0\0\0\0\0\0\x20\x40", 8));  // the value 8
    REQUIRE(eight != std::string::npos);
    bytes[eight + 5] ^= 1;
    write_file(path, bytes);
    CHECK(contains(refusal_of(path, small_golden()), "cannot be unpacked"));
}

TEST_CASE("npz: entries packed as NumPy never does are refused") {
    const TemporaryFolder folder;
    const std::string path = write_npz(folder / "c.npz", {{"out.npy", npy("<f8", shape, counting<double>(8))}}, true);
    const std::string whole = read_file(path);
    const std::size_t directory = whole.find("PK\x01\x02");
    REQUIRE(directory != std::string::npos);
    for (const char method :
         {1, 6, 9, 12, 14, 93, 95, 98}) {  // shrink, implode, deflate64, bzip2, LZMA, zstd, xz, PPMd
        std::string bytes = whole;
        bytes[8] = bytes[directory + 10] = method;
        write_file(path, bytes);
        CAPTURE(int{method});
        CHECK(contains(refusal_of(path, small_golden()), "packed by another method than deflate"));
    }
}

}  // namespace
