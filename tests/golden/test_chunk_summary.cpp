// Chunk-summary cases: their text, their files, and what the reader makes of damaged ones.
#include <cmath>

#include "golden/case_text.hpp"
#include "golden/chunk_summary_inputs.hpp"
#include "golden/h5_handle.hpp"
#include "golden/lint.hpp"
#include "tests/golden/sample_case.hpp"
#include "tests/golden/scratch_folder.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using namespace dca::golden;
using namespace dca::test;
using chunk_summary::TensorId;

namespace {

const std::string attention_case = "id=a algorithm=chunk_summary seq_len=6 hidden=4 heads=2 chunk_size=3 dtype=f32";
const std::string model_case =
    "id=a algorithm=chunk_summary scope=model batch=2 seq_len=4 embed=3 hidden=2 chunk_size=2 layers=2 pooling=all";

/// A complete case with arbitrary results.
CaseData sample_summary(const std::string& text) {
    const CaseSpec spec = parse_case(text);
    CaseData data;
    data.id = spec.id;
    data.problem.dtype = spec.chunk_summary->problem.dtype;
    ChunkSummaryData& of = data.chunk_summary.emplace();
    of.problem = spec.chunk_summary->problem;
    of.inputs = make_chunk_summary_inputs(*spec.chunk_summary);
    const auto size = static_cast<std::size_t>(chunk_summary::element_count(out_extents(of.problem)));
    of.results.out.assign(size, 0.5);
    of.scales.out.assign(size, 0.25F);
    for (const TensorId id : chunk_summary::all_tensors) {
        of.results.gradients[id] = of.inputs.tensors[id];
        of.scales.gradients[id].assign(of.inputs.tensors[id].size(), 0.125F);
    }
    of.scales.error_model_version = 1;
    of.judged = true;
    data.provenance["case_text"] = to_text(spec);
    return data;
}

std::string error_after(const std::function<void(hid_t)>& change, const std::string& text = attention_case) {
    const ScratchFolder folder;
    const std::filesystem::path path = folder / "a.h5";
    write_file(path, {sample_summary(text)});
    edit(path, change);
    const std::string error = read_error(path), start = path.string() + ": case a: ";
    if (error.substr(0, start.size()) != start) return "wrong start: " + error;
    CHECK_FALSE(lint(path).ok());
    return error.substr(start.size());
}

std::string text_error(const std::string& text) {
    try {
        static_cast<void>(parse_case(text));
    } catch (const InvalidProblem& error) {
        return error.what();
    }
    return "read without error";
}

}  // namespace

TEST_CASE("chunk-summary case texts are canonical and read back") {
    for (const std::string& text :
         {attention_case, model_case, model_case + " dtype=bf16 seed=18446744073709551615 qk_scale=0.5 gradient=0",
          std::string("id=b algorithm=chunk_summary scope=block seq_len=60 hidden=8 chunk_size=64 expect=reject")}) {
        CAPTURE(text);
        CHECK(to_text(parse_case(text)) == text);
        CHECK(parse_case(to_text(parse_case(text))) == parse_case(text));
    }
    const CaseSpec spec = parse_case("C=3 hidden=4 algorithm=chunk_summary seq_len=6");
    CHECK(to_text(spec) == "algorithm=chunk_summary seq_len=6 hidden=4 chunk_size=3");
    CHECK(spec.id.starts_with("case_"));
    CHECK(spec.chunk_summary->problem.embed == 4);
}

TEST_CASE("a text without algorithm, or with dual_chunk, is Dual Chunk Attention") {
    const std::string text = "id=a seq_q=5 head_dim=4 chunk_size=3 local_size=1";
    CHECK(parse_case("algorithm=dual_chunk " + text) == parse_case(text));
    CHECK_FALSE(parse_case(text).chunk_summary);
}

TEST_CASE("wrong words of a chunk-summary text are named") {
    const std::string good = "algorithm=chunk_summary seq_len=6 hidden=4 chunk_size=3";
    CHECK(text_error("algorithm=chunk_sumary seq_len=6") ==
          "case text: 'algorithm=chunk_sumary': expected one of dual_chunk chunk_summary");
    CHECK(text_error("algorithm=chunk_summary hidden=4 chunk_size=3") == "case text: 'seq_len=' is missing");
    CHECK(text_error(good + " seq_q=6") == "case text: unknown word 'seq_q' of a chunk_summary case");
    CHECK(text_error(good + " head=6") ==
          "case text: unknown word 'head' of a chunk_summary case, did you mean heads?");
    CHECK(text_error(good + " heads=2 heads=2") == "case text: 'heads' is given twice");
    CHECK(text_error(good + " algorithm=chunk_summary") == "case text: 'algorithm' is given twice");
    CHECK(text_error(good + " heads=two") == "case text: 'heads=two': expected an integer");
    CHECK(text_error(good + " dtype=f8").starts_with("case text: 'dtype=f8': expected one of f64"));
    CHECK(text_error(good + " heads") == "case text: 'heads' is not of the form key=value");
}

TEST_CASE("chunk-summary inputs are a function of the text and fit the dtype") {
    const ChunkSummarySpec spec = *parse_case(model_case + " dtype=bf16 seed=3").chunk_summary;
    const chunk_summary::Inputs inputs = make_chunk_summary_inputs(spec);
    CHECK(inputs == make_chunk_summary_inputs(spec));
    for (const auto& tensor : inputs.tensors.of) {
        for (const double value : tensor) CHECK(round_to(Dtype::bf16, value) == value);
    }
    ChunkSummarySpec other = spec;
    other.recipe.qk_scale = 2;
    const auto w = inputs.tensors[TensorId::w_qkv], scaled = make_chunk_summary_inputs(other).tensors[TensorId::w_qkv];
    for (std::size_t n = 0; n < w.size(); ++n) CHECK(scaled[n] == (n % 6 < 4 ? 2 * w[n] : w[n]));
    CHECK(make_chunk_summary_inputs(other).tensors[TensorId::x] == inputs.tensors[TensorId::x]);
}

TEST_CASE("chunk-summary files read back as written, and the same bytes every time") {
    for (const std::string& text : {attention_case, model_case, model_case + " gradient=0"}) {
        CAPTURE(text);
        const ScratchFolder folder;
        const CaseData data = sample_summary(text);
        write_file(folder / "a.h5", {data});
        write_file(folder / "b.h5", {data});
        CHECK(lint(folder / "a.h5").ok());
        CHECK(lint(folder / "a.h5").findings.empty());
        const CaseData read = FileReader(folder / "a.h5").read("a");
        REQUIRE(read.chunk_summary);
        CHECK(read.problem.dtype == data.problem.dtype);
        CHECK(read.chunk_summary->problem == data.chunk_summary->problem);
        CHECK(read.chunk_summary->inputs == data.chunk_summary->inputs);
        CHECK(read.chunk_summary->results.out == data.chunk_summary->results.out);
        CHECK(read.chunk_summary->results.gradients == data.chunk_summary->results.gradients);
        CHECK(read.chunk_summary->scales.out == data.chunk_summary->scales.out);
        CHECK(read.chunk_summary->scales.gradients == data.chunk_summary->scales.gradients);
        CHECK(read.provenance == data.provenance);
    }
}

TEST_CASE("faults of chunk-summary attributes are one line") {
    const auto with = [](const std::string& name, const AttributeValue& value) {
        return error_after([&](hid_t file) { set_attribute(file, "a", name, value); });
    };
    CHECK(with("algorithm", std::string("dual")) ==
          "attribute algorithm is 'dual', expected dual_chunk or chunk_summary");
    CHECK(with("algorithm", std::int64_t{1}) == "attribute algorithm is an integer, expected a string");
    CHECK(with("scope", std::string("layer")) == "attribute scope: is 'layer', expected one of attention block model");
    CHECK(with("heads", 2.0) == "attribute heads: is a floating-point number, expected an integer");
    CHECK(with("head", std::int64_t{2}) ==
          "attribute head: does not belong to a chunk_summary case, did you mean heads?");
    CHECK(with("rope_base", 1.0).starts_with("attribute rope_base: does not belong to a chunk_summary case"));
    CHECK(error_after([](hid_t f) { remove_attribute(f, "a", "heads"); }) == "attribute heads: is missing");
    CHECK(with("chunk_size", std::int64_t{4}).starts_with("problem: seq_len 6 is not a multiple of chunk_size 4"));
    CHECK(with("chunk_size", std::int64_t{0}).starts_with("problem: chunk_size is 0"));
    CHECK(with("heads", std::int64_t{3}) == "problem: hidden 4 is not a multiple of heads 3");
    CHECK(with("scope", std::string("model")) == "inputs/w_qkv: shape (4, 12), expected (layers, hidden, 3 hidden)");
    CHECK(with("scope", std::string("block")) == "inputs/attn_norm_scale: is missing");
}

TEST_CASE("faults of chunk-summary datasets are one line") {
    const auto put = [](const std::string& path, const std::vector<hsize_t>& extents, double value) {
        return error_after([&](hid_t file) {
            std::size_t count = 1;
            for (const hsize_t extent : extents) count *= extent;
            put_dataset(file, path, extents, H5T_IEEE_F64LE, std::vector<double>(count, value));
        });
    };
    CHECK(put("a/inputs/x", {6, 4}, 1) == "inputs/x: shape (6, 4), expected (batch, seq_len, hidden)");
    CHECK(put("a/inputs/x", {1, 6, 5}, 1).starts_with("problem: embed 5 differs from hidden 4"));
    CHECK(put("a/inputs/w_qkv", {4, 11}, 1) == "inputs/w_qkv: shape (4, 11), expected (hidden, 3 hidden)");
    CHECK(put("a/inputs/gamma", {4, 2}, 1) == "inputs/gamma: shape (4, 2), expected (heads, hidden / heads) = (2, 2)");
    CHECK(put("a/outputs/out", {1, 6, 3}, 1) ==
          "outputs/out: shape (1, 6, 3), expected (batch, seq_len, hidden) = (1, 6, 4)");
    CHECK(put("a/inputs/b_out", {4}, NAN) == "inputs/b_out: element 0 is nan: inputs must be finite");
    CHECK(
        put("a/inputs/b_out", {4}, 0.1).starts_with("inputs/b_out: element 0 is 0.1: not representable in dtype f32"));
    CHECK(put("a/judge/sigma_out", {1, 6, 4}, -1) ==
          "judge/sigma_out: element 0 is -1: an error scale must be at least 0");
    CHECK(put("a/inputs/w_up", {4, 16}, 1) == "inputs/w_up: does not belong to this problem (scope attention)");
    CHECK(put("a/inputs/w_embed", {4, 4}, 1) ==
          "inputs/w_embed: does not belong to this problem (scope attention, embed = hidden)");
    CHECK(put("a/outputs/lse", {1, 2, 6}, 1) == "outputs/lse: is not part of a chunk_summary case");
    CHECK(put("a/outputs/dw_ot", {4, 4}, 1) ==
          "outputs/dw_ot: is not part of a chunk_summary case, did you mean dw_out?");
    CHECK(error_after([](hid_t f) { remove_object(f, "a/inputs/x"); }) == "inputs/x: is missing");
    CHECK(error_after([](hid_t f) { remove_object(f, "a/inputs/gamma"); }) == "inputs/gamma: is missing");
    CHECK(error_after([](hid_t f) { remove_object(f, "a/judge/sigma_out"); }) == "judge/sigma_out: is missing");
    CHECK(error_after([](hid_t f) {
              put_dataset(f, "a/inputs/b_out", {4}, H5T_STD_I32LE, {1, 2, 3, 4});
          }).starts_with("inputs/b_out: holds integers"));
    CHECK(error_after([](hid_t f) {
              set_attribute(f, "a/outputs/out", "crc32", std::int64_t{1});
          }).starts_with("outputs/out: "));
    CHECK(error_after([](hid_t f) {
              h5::check(H5Lcreate_soft("/a/inputs/x", f, "a/outputs/dx2", H5P_DEFAULT, H5P_DEFAULT), "link");
          }) == "outputs/dx2: is a soft or external link, which is not accepted");
    CHECK(error_after([](hid_t f) { set_attribute(f, "a/inputs", "heads", std::int64_t{2}); }) ==
          "inputs: unknown attribute heads; attributes of the problem belong on the case");
}

TEST_CASE("lint reads a candidate's chunk-summary case, which has outputs only") {
    const ScratchFolder folder;
    write_file(folder / "a.h5", {sample_summary(attention_case)});
    edit(folder / "a.h5", [](hid_t file) {
        remove_object(file, "a/inputs");
        remove_object(file, "a/judge");
    });
    CHECK(lint(folder / "a.h5").ok());
    edit(folder / "a.h5", [](hid_t file) { set_attribute(file, "a/outputs/out", "crc32", std::int64_t{1}); });
    CHECK_FALSE(lint(folder / "a.h5").ok());
}
