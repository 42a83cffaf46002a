// .safetensors: every float type, and headers that lie.
#include "tests/verify/candidate/files.hpp"

namespace {

using namespace dca::test;
using dca::verify::open_candidate;

std::string entry(const std::string& dtype, const std::string& shape, std::size_t begin, std::size_t end) {
    return "{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":[" + std::to_string(begin) + "," +
           std::to_string(end) + "]}";
}

struct File {
    TemporaryFolder folder;
    std::string write(const std::string& bytes) const {
        write_file(folder / "c.safetensors", bytes);
        return folder / "c.safetensors";
    }
};

std::string refused(const std::string& header, const std::string& data) {
    const File file;
    return refusal_of(file.write(safetensors(header, data)), small_golden());
}

const std::string shape = "[1,2,2,2]";

TEST_CASE("safetensors: several tensors and metadata") {
    const File file;
    const std::string header = "{\"__metadata__\":{\"format\":\"pt\"},\"one/lse\":" + entry("F64", "[1,2,2]", 32, 64) +
                               ",\"one/outputs/out\":" + entry("F32", shape, 0, 32) + "}  ";
    const auto candidate = open_candidate(file.write(safetensors(header, counting<float>(8) + counting<double>(4))));
    CHECK(candidate->case_ids() == std::vector<std::string>{"one"});
    const auto results = candidate->read(small_golden());
    CHECK(counts_up(results.out->values()));
    CHECK(counts_up(results.lse->values()));
    CHECK_FALSE(results.dq.has_value());
}

TEST_CASE("safetensors: 16- and 8-bit floats") {
    const File file;
    const auto out = [&](const std::string& dtype, const std::string& data) {
        const std::string header = "{\"out\":" + entry(dtype, shape, 0, data.size()) + "}";
        return *open_candidate(file.write(safetensors(header, data)))->read(small_golden()).out;
    };
    const std::string bf16("\x80\x3f\x00\x40\x40\x40\x80\x40\xa0\x40\xc0\x40\xe0\x40\x00\x41", 16);
    CHECK(counts_up(out("BF16", bf16).values()));
    const std::string f16("\x00\x3c\x00\x40\x00\x42\x00\x44\x00\x45\x00\x46\x00\x47\x00\x48", 16);
    CHECK(counts_up(out("F16", f16).values()));
    CHECK(counts_up(out("F8_E4M3", "\x38\x40\x44\x48\x4a\x4c\x4e\x50").values()));
    CHECK(out("F8_E5M2", std::string(8, '\x3c')).values()[7] == 1);
}

TEST_CASE("safetensors: types no tensor can have are refused when they are needed") {
    CHECK(contains(refused("{\"out\":" + entry("U8", shape, 0, 8) + "}", std::string(8, 'x')), "element type U8"));
    CHECK(contains(refused("{\"out\":" + entry("I32", shape, 0, 32) + "}", std::string(32, 'x')), "integers"));
}

TEST_CASE("safetensors: headers that are no headers are refused") {
    for (const char* header :
         {"", "[]", "null", "{", "{\"out\":1}", "{\"out\":{}}", "{\"out\":{\"dtype\":\"F32\",\"shape\":[1]}}", "{} x",
          "\xff\xfe", "{\"out\":{\"dtype\":5,\"shape\":[],\"data_offsets\":[0,0]}}",
          "{\"out\":{\"dtype\":\"F32\",\"shape\":7,\"data_offsets\":[0,0]}}",
          "{\"out\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}",
          "{\"out\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"more\":1}}"}) {
        CAPTURE(header);
        refused(header, "");
    }
    CHECK(contains(refused("{\"out\":" + entry("F32", "[[[[1]]]]", 0, 4) + "}", "1234"), "nested too deeply"));
    CHECK(contains(refused(std::string(100'000, '['), ""), "nested too deeply"));
}

TEST_CASE("safetensors: names and keys that appear twice are refused") {
    const std::string one = entry("F32", shape, 0, 32);
    CHECK(contains(refused("{\"out\":" + one + ",\"out\":" + one + "}", counting<float>(8)), "'out' twice"));
    CHECK(contains(
        refused("{\"out\":{\"dtype\":\"F32\",\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,4]}}", "1234"),
        "'dtype' twice"));
    // Two tensors may well have the same keys.
    const std::string header = "{\"out\":" + one + ",\"lse\":" + entry("F32", "[1,2,2]", 32, 48) + "}";
    const File file;
    CHECK(open_candidate(file.write(safetensors(header, counting<float>(12))))->read(small_golden()).lse.has_value());
}

TEST_CASE("safetensors: shapes and offsets must be natural numbers that fit together") {
    const std::string data = counting<float>(8);
    for (const char* bad : {"[1,2,2,-2]", "[1,2,2,2.0]", "[1,2,2,\"2\"]", "[1,2,2,18446744073709551615]",
                            "[4611686018427387904,4,2,2]", "[1,2,2,1e3]", "[1,2,2,99999999999999999999]"}) {
        CAPTURE(bad);
        refused("{\"out\":" + entry("F32", bad, 0, 32) + "}", data);
    }
    // 4 * 2^62 bytes is 0 in 64 bits, and 0 bytes there are.
    CHECK(contains(refused("{\"out\":" + entry("F32", "[4611686018427387904,1]", 0, 0) + "}", ""), "absurd shape"));
    CHECK(contains(refused("{\"out\":" + entry("F32", shape, 32, 0) + "}", data), "ends before it begins"));
    CHECK(contains(refused("{\"out\":" + entry("F32", shape, 0, 31) + "}", data), "its shape needs 32"));
    refused("{\"out\":{\"dtype\":\"F32\",\"shape\":[1,2,2,2],\"data_offsets\":[-32,0]}}", data);
}

TEST_CASE("safetensors: tensors must fill the data without overlap, gap or rest") {
    const std::string lse = ",\"lse\":" + entry("F32", "[1,2,2]", 16, 32) + "}";
    CHECK(contains(refused("{\"out\":" + entry("F32", shape, 0, 32) + lse, counting<float>(8)), "overlap"));
    CHECK(contains(refused("{\"lse\":" + entry("F32", "[1,2,2]", 16, 32) + "}", counting<float>(8)), "gap"));
    CHECK(contains(refused("{\"out\":" + entry("F32", shape, 0, 32) + "}", counting<float>(9)), "truncated"));
    CHECK(contains(refused("{\"out\":" + entry("F32", shape, 0, 32) + "}", counting<float>(7)), "truncated"));
    CHECK(contains(refused("{\"out\":" + entry("U8", "[1]", 0, 4611686018427387904) + "}", ""), "truncated"));
}

TEST_CASE("safetensors: a header length beyond the file or beyond reason is refused before it is read") {
    const File file;
    const auto message = [&](const std::string& bytes) { return refusal_to_open(file.write(bytes)); };
    CHECK(contains(message(std::string(8, '\xff') + "{}"), "longer than the file"));
    CHECK(contains(message(std::string("\x03\0\0\0\0\0\0\0{}", 10)), "longer than the file"));
    CHECK(contains(message("1234567"), "c.safetensors: "));
    std::string large("\x01\0\0\x01\0\0\0\0", 8);  // 16 MiB + 1
    large.resize(8 + (std::size_t{16} << 20) + 1, ' ');
    CHECK(contains(message(large), "4 MiB"));
}

}  // namespace
