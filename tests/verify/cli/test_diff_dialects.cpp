// dca diff-dialects: positions, temperature, rules and results against values worked out by hand or by other commands.
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "golden/store.hpp"
#include "tests/verify/cli/support.hpp"

using namespace dca;
using namespace dca::test;
using json = nlohmann::json;

namespace {

/// The only case of the JSON report.
json difference(const std::string& dialects, const std::string& words) {
    const TemporaryFolder folder;
    const std::string file = folder / "d.json";
    CAPTURE(dialects, words);
    require_success(run_dca("diff-dialects " + dialects + " " + words + " --json " + shell_quoted(file)));
    const json report = json::parse(std::ifstream(file));
    REQUIRE(report["schema"] == "dca-dialect-difference");
    REQUIRE(report["cases"].size() == 1);
    return report["cases"][0];
}

std::string case_of(const std::string& words) {
    return "--case " + shell_quoted("id=c head_dim=8 heads_q=2 seed=3 " + words);
}

const json& tensor(const json& report, const std::string& name) {
    for (const json& one : report["tensors"]) {
        if (one["tensor"] == name) return one;
    }
    throw std::runtime_error("no tensor " + name);
}

const json& region(const json& tensor, const std::string& name) {
    for (const json& one : tensor["regions"]) {
        if (one["region"] == name) return one;
    }
    throw std::runtime_error("no region " + name);
}

std::string rule(const json& report, const std::string& name) {
    for (const json& one : report["rules"]) {
        if (one["rule"] == name)
            return one["values"][0].get<std::string>() + " | " + one["values"][1].get<std::string>();
    }
    return "";
}

golden::CaseData generated(const std::string& words) {
    const TemporaryFolder folder;
    const std::string file = folder / "g.h5";
    require_success(run_dca("generate -o " + shell_quoted(file) + " " + case_of(words)));
    return golden::FileReader(file).read("c");
}

}  // namespace

TEST_CASE("positions that differ are counted by mode and the first one is shown") {
    // H1: code(10, 4) clamps at 10, the paper at 9, so rows 10 and 11 differ, for their 6 succ keys each.
    const json paper = difference("exact paper", case_of("chunk_size=10 local_size=4 seq_q=12"));
    CHECK(paper["positions"]["first"] ==
          json{{"sequence", 0}, {"query", 10}, {"key", 0}, {"mode", "succ"}, {"relative_positions", {10.0, 9.0}}});
    const json& modes = paper["positions"]["modes"];
    CHECK(modes[0] == json{{"mode", "intra"}, {"pairs", 42}, {"different", 0}});
    CHECK(modes[1] == json{{"mode", "succ"}, {"pairs", 36}, {"different", 12}});
    CHECK(modes[2] == json{{"mode", "inter"}, {"pairs", 0}, {"different", 0}});
    CHECK(tensor(paper, "out")["first_row"] == 10);

    // The settings of the dictionary have nothing to tell apart.
    const json same = difference("exact paper", case_of("chunk_size=10 local_size=4 seq_q=10"));
    CHECK(same["positions"]["first"] == nullptr);
    CHECK(tensor(same, "out")["difference"] == "identical");

    // H12, chunk 4, 1 and factor 2: 2 against 1.75 in the three succ pairs of row 4.
    const std::string linear = "chunk_size=4 local_size=1 seq_q=5 rope_scaling=linear rope_factor=2";
    const json divided = difference("chunkllama chunkqwen", case_of(linear));
    CHECK(divided["positions"]["first"]["query"] == 4);
    CHECK(divided["positions"]["first"]["relative_positions"] == json{2.0, 1.75});
    CHECK(divided["positions"]["modes"][1]["different"] == 3);

    // Keys that differ: every pair but the diagonal has half the position.
    const json halved = difference("exact chunkllama", case_of(linear));
    CHECK(halved["positions"]["first"]["query"] == 1);
    CHECK(halved["positions"]["modes"][0] == json{{"mode", "intra"}, {"pairs", 9}, {"different", 4}});
    CHECK(halved["positions"]["modes"][1] == json{{"mode", "succ"}, {"pairs", 6}, {"different", 6}});
    CHECK(rule(halved, "rope_scaling") == "divides frequencies | divides positions after the clamp");
}

TEST_CASE("pairs of packed sequences and of decode rows are counted as they are visible") {
    const json packed = difference("exact paper", case_of("chunk_size=4 local_size=1 seq_q=10 cu_seqlens=0,3,10"));
    // L = 3; sequences of 3 and 7 tokens. C = 4 against 3 = c - 1: P_succ 3 4 4 | 3 3 3, P_inter 4 | 3.
    CHECK(packed["positions"]["first"] ==
          json{{"sequence", 1}, {"query", 4}, {"key", 0}, {"mode", "succ"}, {"relative_positions", {4.0, 3.0}}});
    CHECK(packed["positions"]["modes"][0]["pairs"] == 6 + 13);
    CHECK(packed["positions"]["modes"][1] == json{{"mode", "succ"}, {"pairs", 12}, {"different", 6}});
    CHECK(packed["positions"]["modes"][2] == json{{"mode", "inter"}, {"pairs", 3}, {"different", 3}});
    const json decode = difference("exact paper", case_of("chunk_size=4 local_size=1 seq_q=1 seq_k=7 batch=2"));
    CHECK(decode["positions"]["first"]["query"] == 6);
    CHECK(decode["positions"]["modes"][1] == json{{"mode", "succ"}, {"pairs", 6}, {"different", 0}});
    CHECK(decode["positions"]["modes"][2] == json{{"mode", "inter"}, {"pairs", 6}, {"different", 6}});
}

TEST_CASE("temperatures are those of H21 and H23") {
    const auto f = [](double x) { return std::max(1.0, 0.1 * std::log(x / 8) + 1); };
    const std::string decode =
        "chunk_size=6 local_size=2 seq_q=8 seq_k=24 gradient=0 dialect_phase=decode dialect_prompt_length=16 "
        "dialect_original_max_position_embeddings=8";
    const json generated_keys = difference("vllm sglang", case_of(decode))["temperature"];
    CHECK(generated_keys["first_key"] == 16);
    CHECK(generated_keys["first_query"] == nullptr);
    CHECK(generated_keys["logit"][0].get<double>() == Approx(f(24) * f(17)).epsilon(1e-6));
    CHECK(generated_keys["logit"][1].get<double>() == Approx(f(24)).epsilon(1e-6));
    CHECK(generated_keys["factors"][0]["last_key"].get<double>() == Approx(f(24)).epsilon(1e-6));

    const std::string prefill = "chunk_size=6 local_size=2 seq_q=12 dialect_original_max_position_embeddings=8";
    const json power = difference("vllm llama_cpp_dca", case_of(prefill))["temperature"];
    CHECK(power["first_query"] == 0);  // f(12) for every row against f(i + 1)
    CHECK(power["first_key"] == 0);
    CHECK(power["first_length"] == 9);
    CHECK(power["logit"][0].get<double>() == Approx(f(12) * f(12)).epsilon(1e-6));
    CHECK(power["logit"][1].get<double>() == Approx(f(12)).epsilon(1e-6));
    CHECK(difference("vllm sglang", case_of(prefill))["temperature"]["different"] == false);
    const json without = difference("exact vllm", case_of("chunk_size=6 local_size=2 seq_q=12"));
    CHECK(without["temperature"]["different"] == false);
    CHECK(without["temperature"]["factors"][1]["acts"] == false);
    // Rotary dims against all dims: equal factors, different results, unless every dim is rotary.
    const std::string tables = prefill + " dialect_max_position_embeddings=8 rotary_dim=4";
    CHECK(difference("chunkllama_flash_decoding vllm_fork", case_of(tables))["temperature"]["other_dims"] == true);
}

TEST_CASE("a sequence of a batch may be the only one that differs") {
    const json report =
        difference("exact vllm", case_of("chunk_size=6 local_size=2 seq_q=8 batch=2 dtype=f32 gradient=0 "
                                         "dialect_prompt_length=8,24 "
                                         "dialect_original_max_position_embeddings=8"));
    CHECK(report["temperature"]["sequence"] == 1);
    CHECK(tensor(report, "lse")["first_row"] == 0);
    CHECK(tensor(report, "out")["first_row"] == 1);  // row 0 sees one key: a softmax of one logit
    CHECK(tensor(report, "out")["worst_element"]["index"][0] == 1);
}

TEST_CASE("the text says what a reader asks first") {
    const Finished text = run_dca("diff-dialects exact paper " + case_of("chunk_size=10 local_size=4 seq_q=12"));
    require_success(text);
    CHECK(text.out.find("exact | paper on case c (f64): out, lse, dq, dk, dv differ by more than rounding error, out "
                        "from row 10 on\n") == 0);
    CHECK(contains(text.out,
                   "\npositions: 12 of 78 visible pairs have another relative position (intra 0 of 42, succ 12 "
                   "of 36)\n  first: query 10, key 0 (succ): 10 | 9\n"));
    CHECK(contains(text.out, "\ntemperature: the same, 1 everywhere\n"));
    CHECK(contains(text.out, "  P_succ   min(r + L, C)   r + L where r < 4, else C - 1\n"));
    CHECK(contains(text.out, "\n  out  above rounding error  10        intra "));
    const Finished gradients = run_dca("diff-dialects exact megatron_pr4048 " + case_of("chunk_size=6 local_size=2 "
                                                                                        "seq_q=12 dtype=f32"));
    CHECK(gradients.out.find("exact | megatron_pr4048 on case c (f32): dq, dk differ by more than rounding error; out "
                             "does not\n") == 0);
    const Finished law = run_dca("diff-dialects exact vllm " + case_of("chunk_size=6 local_size=2 seq_q=12 "
                                                                       "dialect_original_max_position_embeddings=8"));
    CHECK(contains(law.out,
                   "\ntemperature: differs, from query 0 on, from key 0 on; not on sequences of up to 8 tokens\n"));
    CHECK(contains(law.out, "\n  the logit of the last query and key 0 times 1 | 1.08274\n"));
    CHECK(contains(law.out,
                   "\n  vllm: max(1, 0.1 ln(x / 8) + 1), x the length of the final prompt; on the whole head\n"));
}

TEST_CASE("results are those of the golden files of both dialects") {
    const std::string words = "chunk_size=7 local_size=2 seq_q=21 dtype=f32";
    const json report = difference("exact chunkllama", case_of(words));
    const golden::CaseData a = generated(words), b = generated(words + " dialect=chunkllama");
    const Tensor4 &x = *a.results.dq, &y = *b.results.dq;
    double error = 0, size = 0;  // of the rows with inter keys
    for (std::int64_t row = 10; row < 21; ++row) {
        for (std::int64_t head = 0; head < 2; ++head) {
            for (std::int64_t c = 0; c < 8; ++c) {
                error += std::pow(y(0, row, head, c) - x(0, row, head, c), 2);
                size += std::pow(x(0, row, head, c), 2);
            }
        }
    }
    const json& dq = tensor(report, "dq");
    CHECK(region(dq, "+inter")["relative_l2"].get<double>() == Approx(std::sqrt(error / size)).epsilon(1e-12));
    CHECK(dq["difference"] == "above_noise");
    const auto index = dq["worst_element"]["index"].get<std::vector<std::int64_t>>();
    CHECK(dq["worst_element"]["values"][0] == x(index[0], index[1], index[2], index[3]));
    CHECK(dq["worst_element"]["values"][1] == y(index[0], index[1], index[2], index[3]));
    // The first chunk is not merged: bf16 merge weights and the detached merge act from row 5 = L on.
    CHECK(dq["first_row"] == 5);
    CHECK(tensor(report, "out")["first_row"] == 5);
    CHECK(region(tensor(report, "out"), "intra")["worst_element_sigma"].get<double>() < 6);
    CHECK(rule(report, "merge weights") == "exact | bf16");
    CHECK(rule(report, "gradient") == "true | merge weights are constants (H34)");
}

TEST_CASE("arithmetic within the noise of the dtype is told from differences above it") {
    const std::string words = "chunk_size=7 local_size=2 seq_q=21 dtype=";
    const json f32 = difference("exact megatron_bridge_pr4185", case_of(words + "f32"));
    for (const json& one : f32["tensors"]) CHECK(one["difference"] == "within_noise");
    CHECK(f32["tensors"].size() == 5);
    const json f64 = difference("exact megatron_bridge_pr4185", case_of(words + "f64"));
    CHECK(rule(f64, "angles").empty());  // float32 only below f64
    const json self = difference("vllm vllm", case_of(words + "bf16"));
    CHECK(self["rules"].empty());
    for (const json& one : self["tensors"]) CHECK(one["difference"] == "identical");
    const Finished text = run_dca("diff-dialects vllm sglang " + case_of(words + "bf16"));
    require_success(text);
    CHECK(text.out.find("vllm | sglang on case c (bf16): the same, bit for bit\n") == 0);
}

TEST_CASE("a row can be above the noise although none of its elements is") {
    // One temperature too many, 1.014 at most: no element reaches 6 sigma, a row passes 2.
    const json out = tensor(difference("exact llama_cpp_dca",
                                       "--case 'id=c head_dim=32 seq_q=2001 chunk_size=256 local_size=32 gradient=0 "
                                       "dtype=bf16 dialect_original_max_position_embeddings=1740'"),
                            "out");
    double element = 0, row = 0;
    for (const json& one : out["regions"]) {
        element = std::max(element, one["worst_element_sigma"].get<double>());
        row = std::max(row, one["worst_row_sigma"].get<double>());
    }
    REQUIRE(element < 6);
    REQUIRE(row > 2);
    CHECK(out["difference"] == "above_noise");
    CHECK(out["first_row"].get<int>() >= 1740);
}

TEST_CASE("a dialect that cannot run the case says why, and the rest is still there") {
    const Finished crash =
        run_dca("diff-dialects exact megatron_pr4048 " + case_of("chunk_size=6 local_size=2 seq_q=5"));
    require_success(crash);
    CHECK(contains(crash.out, "results not compared"));
    CHECK(contains(crash.out, "(H43)"));
    CHECK(contains(crash.out, "positions: the same for all 15 visible pairs"));
    CHECK_FALSE(contains(crash.out, "results:"));
    const json heads = difference("chunkqwen megatron_pr4048", case_of("heads_kv=1 chunk_size=6 local_size=2 seq_q=5"));
    CHECK(contains(heads["refusals"][0], "H39"));
    CHECK(contains(heads["refusals"][1], "H43"));
    CHECK(heads["tensors"].empty());
}

TEST_CASE("facts of one dialect do not act on exact") {
    const std::string words = "chunk_size=6 local_size=2 seq_q=12 dtype=bf16";
    const json out = tensor(difference("exact megatron_pr4048", case_of(words + " dialect_path=flash")), "out");
    const auto index = out["worst_element"]["index"].get<std::vector<std::int64_t>>();
    const golden::CaseData exact = generated(words);
    CHECK(out["worst_element"]["values"][0] == (*exact.results.out)(index[0], index[1], index[2], index[3]));
}

TEST_CASE("cases of a file are compared, chosen by id") {
    const std::string file = "--file " + recording("megatron_bridge_pr4185");
    const json one = difference("exact megatron_pr4048", file + " --case bridge_gqa_b2");
    CHECK(one["id"] == "bridge_gqa_b2");
    CHECK(tensor(one, "dq")["difference"] == "above_noise");
    const Finished all = run_dca("diff-dialects exact megatron_bridge_pr4185 " + file);
    require_success(all);
    CHECK(contains(all.out, "on case bridge_gqa_b2 (f64)"));
    CHECK(contains(all.out, "on case bridge_yarn4 (f32)"));
}

TEST_CASE("wrong questions are refused") {
    const std::string good = case_of("chunk_size=6 local_size=2 seq_q=5");
    check_refused(run_dca("diff-dialects exact"), "B");
    check_refused(run_dca("diff-dialects exact vllm"), "--case");
    check_refused(run_dca("diff-dialects exact nosuch " + good), "nosuch");
    check_refused(run_dca("diff-dialects exact vllm --case chunk_size=6"), "missing");
    check_refused(run_dca("diff-dialects exact vllm " + case_of("chunk_size=4 local_size=4 seq_q=5")), "H7");
    check_refused(run_dca("diff-dialects exact vllm " +
                          case_of("chunk_size=6 local_size=2 seq_q=5 dialect_sparse_vertical_size=2 "
                                  "dialect_sparse_slash_size=2")),
                  "sparse");
    check_refused(run_dca("diff-dialects exact vllm --file /nonexistent.h5"), "/nonexistent.h5");
    check_refused(run_dca("diff-dialects exact vllm --file " + recording("vllm") + " --case zz"), "zz");
    check_refused(run_dca("diff-dialects exact vllm " + good + " --json /nonexistent/x.json"), "/nonexistent");
}
