// dca positions for the published dialects, against tables worked out by hand, and the figure of the documents.
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/verify/cli/support.hpp"

using namespace dca::test;

namespace {

const std::string figure2 = "positions --chunk-size 10 --local-size 4 --seq-len 12 --dialect paper";

std::string file_text(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

struct Worked {
    const char* options;
    std::vector<const char*> lines;  // of the text form, whole
};

const std::vector<Worked> worked = {
    // The paper's figure 2: s = 6, c = 10, w_p = 4.
    {"--chunk-size 10 --local-size 4 --seq-len 12 --dialect paper",
     {"P_succ   6  7  8  9  9  9 |  6  7  8  9  9  9", "P_inter  9  9  9  9  9  9 |  9  9  9  9  9  9",
      "i= 5: 5 4 3 2 1 0", "i= 6: 6 5 4 3 2 1 | 0", "i= 8: 8 7 6 5 4 3 | 2 1 0", "i= 9: 9 8 7 6 5 4 | 3 2 1 0",
      "i=10: 9 8 7 6 5 4 | 4 3 2 1 0", "i=11: 9 8 7 6 5 4 | 5 4 3 2 1 0",
      "In the paper's symbols: s = 6, c = 10, w_p = 4.", "The same positions in code: chunk_size 9, local_size 3."}},
    // A window below c - 1 - s: the position jumps from 7 to 9.
    {"--chunk-size 10 --local-size 4 --seq-len 9 --dialect paper --paper-window 2",
     {"P_succ  6 7 9 9 9 9 | 6 7 9", "i=7: 7 6 5 4 3 2 | 1 0", "i=8: 9 8 7 6 5 4 | 2 1 0",
      "No code settings have these positions: query 8 is at position 9 for the keys of the chunk before, and in code "
      "at most at 8, one more than the query before."}},
    // H3: P_inter is C where code has 2L - 1 = 3.
    {"--chunk-size 5 --local-size 3 --seq-len 5 --dialect zerollama",
     {"P_succ  2 3 | 2 3 | 2", "P_inter 5 5 | 5 5 | 5", "i=3: 3 2 | 1 0", "i=4: 5 4 | 2 1 | 0",
      "No code settings have these positions: query 4 is at position 5 for the keys of earlier chunks, and in code at "
      "3, as its positions for the chunk before rise up to that."}},
    {"--chunk-size 3 --local-size 1 --seq-len 5 --dialect zerollama",
     {"P_inter 3 3 | 3 3 | 3", "The same positions in code: chunk_size 3, local_size 1."}},
    // H12: min(r / 2 + 3, 4) / 2 against min(r + 3, 4) / 2.
    {"--chunk-size 4 --local-size 1 --seq-len 5 --dialect chunkqwen --rope-factor 2",
     {"P_k        0  0.5    1 |    0  0.5", "P_succ   1.5 1.75    2 |  1.5 1.75", "i=3:  1.5    1  0.5 |    0",
      "i=4: 1.75 1.25 0.75 |  0.5    0"}},
    {"--chunk-size 4 --local-size 1 --seq-len 5 --dialect chunkllama --rope-factor 2",
     {"P_succ  1.5   2   2 | 1.5   2", "i=3: 1.5   1 0.5 |   0", "i=4:   2 1.5   1 | 0.5   0"}},
    // Positions stay whole where the frequencies are divided, or nothing is.
    {"--chunk-size 4 --local-size 1 --seq-len 5 --rope-factor 2",
     {"P_succ  3 4 4 | 3 4", "rope_factor divides the frequencies of this dialect, not its positions."}},
    {"--chunk-size 4 --local-size 1 --seq-len 5 --dialect vllm --rope-factor 2",
     {"P_succ  3 4 4 | 3 4", "rope_factor does nothing: this dialect ignores rope_scaling (H15)."}},
    // Code in the paper's symbols; beyond 2L - 1 chunk_size clamps nothing.
    {"--chunk-size 9 --local-size 3 --seq-len 5",
     {"The same positions in the paper's symbols: s = 6, c = 10, w_p = 4 (--dialect paper --chunk-size 10 "
      "--local-size 4)."}},
    {"--chunk-size 50 --local-size 48 --seq-len 5",
     {"The same positions in the paper's symbols: s = 2, c = 4, w_p = 2 (--dialect paper --chunk-size 4 --local-size "
      "2)."}},
};

}  // namespace

TEST_CASE("the text form of other dialects agrees with the tables worked by hand") {
    for (const Worked& table : worked) {
        const Finished text = run_dca(std::string("positions ") + table.options);
        require_success(text);
        for (const std::string line : table.lines) {
            CAPTURE(table.options, line, text.out);
            CHECK(contains(text.out, "\n" + line + "\n"));
        }
    }
}

TEST_CASE("the settings that remarks name have the same csv") {
    const auto csv = [](const std::string& options) {
        const Finished finished = run_dca("positions --seq-len 40 --format csv " + options);
        require_success(finished);
        return finished.out;
    };
    CHECK(csv("--dialect paper --chunk-size 10 --local-size 4") == csv("--chunk-size 9 --local-size 3"));
    CHECK(csv("--dialect paper --chunk-size 4 --local-size 2") == csv("--chunk-size 50 --local-size 48"));
    CHECK(csv("--dialect paper --chunk-size 10 --local-size 4") != csv("--chunk-size 10 --local-size 4"));
}

TEST_CASE("csv has fractions that read back exactly and integers as such") {
    const Finished csv = run_dca(
        "positions --chunk-size 4 --local-size 1 --seq-len 5 --dialect chunkllama --rope-factor 3 --format csv");
    require_success(csv);
    // The published code divides in float32: 4 / 3 is 1.33333337306976318359375, and 1 / 3 is 0.333333343267440796.
    CHECK(contains(csv.out, "\n4,0,succ,1.3333333730697632,0,1.3333333730697632\n"));
    CHECK(contains(csv.out, "\n4,1,succ,1.3333333730697632,0.3333333432674408,1.0000000298023224\n"));
    CHECK(contains(csv.out, "\n3,0,succ,1,0,1\n"));
    const Finished large = run_dca("positions --chunk-size 400000 --local-size 0 --seq-len 2 --format csv");
    require_success(large);
    CHECK(contains(run_dca("positions --chunk-size 100000 --local-size 99999 --seq-len 3 --dialect zerollama "
                           "--format csv")
                       .out,
                   "\n2,0,inter,100000,0,100000\n"));
}

TEST_CASE("what a dialect has no positions for is refused") {
    check_refused(run_dca("positions --chunk-size 6 --local-size 2 --seq-len 5 --dialect megatron_pr4048"), "H43");
    check_refused(run_dca("positions --chunk-size 6 --local-size 2 --seq-len 5 --dialect vllm_fork --rope-factor 2"),
                  "H15");
    check_refused(run_dca("positions --chunk-size 2 --local-size 1 --seq-len 5 --dialect chunkllama"), "H7");
    check_refused(run_dca("positions --chunk-size 6 --local-size 2 --seq-len 5 --paper-window 2"), "--local-size");
    check_refused(run_dca("positions --chunk-size 6 --local-size 2 --seq-len 5 --dialect paper --paper-window=-1"),
                  "--paper-window");
    check_refused(run_dca("positions --chunk-size 6 --local-size 2 --seq-len 5 --rope-factor 0"), "rope_factor");
    // What is refused for other reasons is drawn: keys repeated twice, a temperature without a place.
    require_success(run_dca("positions --chunk-size 6 --local-size 2 --seq-len 7 --dialect megatron_pr4048"));
    for (const char* dialect : {"chunkqwen", "chunkllama_flash_decoding", "vllm_fork", "vllm", "sglang",
                                "megatron_bridge_pr4185", "llama_cpp_dca", "zerollama"}) {
        CAPTURE(dialect);
        require_success(
            run_dca(std::string("positions --chunk-size 6 --local-size 2 --seq-len 5 --dialect ") + dialect));
    }
}

TEST_CASE("svg draws every number of a small table and names the settings") {
    const Finished svg =
        run_dca("positions --chunk-size 5 --local-size 3 --seq-len 5 --dialect zerollama --format svg");
    require_success(svg);
    CHECK(contains(svg.out, "dialect zerollama, chunk_size 5, local_size 3, chunk_len 2, seq_len 5"));
    // Row i = 4 (y is 76 + 4 * 26 + 17): 5 4 | 2 1 | 0, cells of 26 pixels from x = 52 on.
    CHECK(contains(svg.out, "<text x=\"65\" y=\"197\" text-anchor=\"middle\" fill=\"#ffffff\">5</text>"));
    CHECK(contains(svg.out, "<text x=\"117\" y=\"197\" text-anchor=\"middle\" fill=\"#1f2328\">2</text>"));
    CHECK(contains(svg.out, "text-anchor=\"end\">5</text>"));  // the scale ends at the largest, not at the first column
    CHECK(contains(svg.out, "M0 2H2V5M0 4H4V5"));              // chunk borders
}

TEST_CASE("the figure of the documents is what the program draws") {
    const Finished svg = run_dca(figure2 + " --format svg");
    require_success(svg);
    INFO("make it again with: dca " << figure2 << " --format svg > docs/figures/paper_figure2.svg");
    CHECK(svg.out == file_text(DCA_SOURCE_DIR "/docs/figures/paper_figure2.svg"));
    CHECK(contains(file_text(DCA_SOURCE_DIR "/docs/definition.md"), "(figures/paper_figure2.svg)"));
}
