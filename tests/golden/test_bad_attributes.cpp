// Attributes the schema does not allow: one line naming file, case and attribute.
#include "golden/h5_handle.hpp"
#include "golden/lint.hpp"
#include "tests/golden/sample_case.hpp"
#include "tests/golden/scratch_folder.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using namespace dca::golden;
using namespace dca::test;

namespace {

/// Reads a good file after one change; the error without "FILE: case a: ". lint must agree that something is wrong.
std::string error_after(const std::function<void(hid_t)>& change, const std::string& more = "") {
    const ScratchFolder folder;
    const std::filesystem::path path = folder / "a.h5";
    write_file(path, {sample_case("id=a seq_q=5 heads_q=2 head_dim=4 chunk_size=3 local_size=1 " + more)});
    edit(path, change);
    const std::string error = read_error(path);
    const std::string start = path.string() + ": case a: ";
    if (error.substr(0, start.size()) != start) return "wrong start: " + error;
    CHECK_FALSE(lint(path).ok());
    return error.substr(start.size());
}

std::string error_with(const std::string& name, const AttributeValue& value, const std::string& more = "") {
    return error_after([&](hid_t file) { set_attribute(file, "a", name, value); }, more);
}

}  // namespace

TEST_CASE("unknown attributes are errors, misspelt ones with the name that was meant") {
    CHECK(error_with("rope_bas", 1e4) == "attribute rope_bas: is unknown, did you mean rope_base?");
    CHECK(error_with("chunksize", std::int64_t{4}) == "attribute chunksize: is unknown, did you mean chunk_size?");
    CHECK(error_with("colour", std::string("red")) == "attribute colour: is unknown");
    CHECK(error_after([](hid_t f) { set_attribute(f, "a/inputs", "rope_base", 1e4); }) ==
          "inputs: unknown attribute rope_base; attributes of the problem belong on the case");
}

TEST_CASE("missing attributes are errors") {
    CHECK(error_after([](hid_t f) { remove_attribute(f, "a", "chunk_size"); }) == "attribute chunk_size: is missing");
    CHECK(error_after([](hid_t f) { remove_attribute(f, "a", "local_size"); }) == "attribute local_size: is missing");
    CHECK(error_after([](hid_t f) { remove_attribute(f, "a/judge", "error_model_version"); }).substr(0, 43) ==
          "judge: attribute error_model_version: canno");
}

TEST_CASE("attributes of the wrong type are errors") {
    CHECK(error_with("chunk_size", 12.0) == "attribute chunk_size: is a floating-point number, expected an integer");
    CHECK(error_with("chunk_size", std::string("12")) == "attribute chunk_size: is a string, expected an integer");
    CHECK(error_with("chunk_size", std::vector<std::int64_t>{12, 4}) ==
          "attribute chunk_size: is a list, expected an integer");
    CHECK(error_with("softmax_scale", std::string("0.5")) == "attribute softmax_scale: is a string, expected a number");
    CHECK(error_with("dtype", std::int64_t{16}) == "attribute dtype: is an integer, expected a string");
    CHECK(error_after([](hid_t f) {
              remove_attribute(f, "a", "chunk_size");
              const h5::Handle space(H5Screate(H5S_SCALAR), H5Sclose, "space");
              const h5::Handle group = h5::open_group(f, "a");
              const std::uint64_t huge = ~std::uint64_t{0};
              const h5::Handle attribute(
                  H5Acreate2(group.get(), "chunk_size", H5T_STD_U64LE, space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
                  "attribute");
              H5Awrite(attribute.get(), H5T_NATIVE_UINT64, &huge);
          }) == "attribute chunk_size: is 18446744073709551615, beyond 64-bit signed integers");
    CHECK(error_after(
              [](hid_t f) {
                  remove_attribute(f, "a", "mscale");
                  const h5::Handle space(H5Screate(H5S_NULL), H5Sclose, "space");
                  const h5::Handle group = h5::open_group(f, "a");
                  const h5::Handle attribute(
                      H5Acreate2(group.get(), "mscale", H5T_IEEE_F64LE, space.get(), H5P_DEFAULT, H5P_DEFAULT),
                      H5Aclose, "attribute");
              },
              "mscale=2") == "attribute mscale: is empty");
}

TEST_CASE("names outside the lists are errors that show the list") {
    CHECK(error_with("dtype", std::string("half")) ==
          "attribute dtype: is 'half', expected one of f64 f32 tf32 f16 bf16 e4m3 e5m2");
    CHECK(error_with("rope", std::string("gptj")) ==
          "attribute rope: is 'gptj', expected one of neox interleaved none");
    CHECK(error_with("rope_scaling", std::string("su")) ==
          "attribute rope_scaling: is 'su', expected one of none linear ntk dynamic yarn llama3");
    CHECK(error_with("dialect", std::string("vlllm")) ==
          "attribute dialect: is 'vlllm', expected one of exact paper chunkllama chunkqwen chunkllama_flash_decoding "
          "vllm_fork vllm sglang megatron_pr4048 megatron_bridge_pr4185 llama_cpp_dca zerollama");
    CHECK(error_with("dialect", std::string("a\nb")).find('\n') == std::string::npos);
}

TEST_CASE("facts of a dialect are checked by type and range") {
    CHECK(error_with("dialect_phase", std::string("training")) ==
          "attribute dialect_phase: is a string that is not prefill or decode");
    CHECK(error_with("dialect_prompt_length", 3.5) ==
          "attribute dialect_prompt_length: is a floating-point number that is not integers from 1 to 2^40, one or one "
          "for each sequence");
    CHECK(error_with("dialect_prompt_length", std::vector<std::int64_t>{3, 0}).find("is a list") != std::string::npos);
    CHECK(error_with("dialect_table_rows", std::int64_t{0}).find("from 1 to 2^40") != std::string::npos);
    CHECK(error_with("dialect_max_seen_length", (std::int64_t{1} << 40) + 1).find("from 0 to 2^40") !=
          std::string::npos);
}

TEST_CASE("problems that cannot be computed are errors") {
    CHECK(error_with("local_size", std::int64_t{-1}) == "problem: local_size is -1, must be at least 0");
    CHECK(error_with("local_size", std::int64_t{3}).substr(0, 49) ==
          "problem: chunk_size 3 must be greater than local_");
    CHECK(error_with("chunk_size", std::int64_t{1} << 40) ==
          "problem: chunk_size is 1099511627776, must be at most 2^31");
    CHECK(error_with("rotary_dim", std::int64_t{3}).substr(0, 26) == "problem: rotary_dim is 3, ");
    CHECK(error_with("softmax_scale", double{INFINITY}) == "problem: softmax_scale is inf, must be finite");
    CHECK(error_with("query_offset", INT64_MIN).substr(0, 24) == "problem: query_offset is");
    CHECK(error_with("rope_scaling", std::string("yarn")) == "problem: rope_scaling yarn needs rope_factor");
}

TEST_CASE("real attributes may be integers, scalars lists of one, strings fixed or variable") {
    const ScratchFolder folder;
    const std::filesystem::path path = folder / "a.h5";
    write_file(path, {sample_case("id=a seq_q=5 heads_q=2 head_dim=4 chunk_size=3 local_size=1")});
    edit(path, [](hid_t f) {
        set_attribute(f, "a", "rope_base", std::int64_t{500000});
        set_attribute(f, "a", "dialect_colour", std::int64_t{7});
        remove_attribute(f, "a", "rope");
        const h5::Handle group = h5::open_group(f, "a");
        const h5::Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "type");
        H5Tset_size(type.get(), 16);
        const h5::Handle space(H5Screate(H5S_SCALAR), H5Sclose, "space");
        const h5::Handle rope(H5Acreate2(group.get(), "rope", type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT),
                              H5Aclose, "attribute");
        const char text[16] = "interleaved";
        H5Awrite(rope.get(), type.get(), text);
        set_attribute(f, "a", "local_size", std::vector<std::int64_t>{2});
        const h5::Handle narrow(
            H5Acreate2(group.get(), "dialect_narrow", H5T_STD_I8BE, space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
            "attribute");
        const std::int64_t minus_five = -5;
        H5Awrite(narrow.get(), H5T_NATIVE_INT64, &minus_five);
    });
    const CaseData data = FileReader(path).read("a");
    CHECK(data.problem.rope.base == 500000.0);
    CHECK(data.problem.chunk.local_size == 2);
    CHECK(data.problem.rope.layout == RopeLayout::interleaved);
    CHECK(data.dialect_facts.at("dialect_narrow") == AttributeValue(std::int64_t{-5}));
    CHECK(lint(path).ok());                  // unknown dialect_* attributes are notes
    CHECK(lint(path).findings.size() == 3);  // and that edit() took the checksum away
}
