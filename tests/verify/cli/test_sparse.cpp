// dca sparse, and golden files of sparse prefills: from the case text to the verdict.
#include <string>
#include <vector>

#include "golden/store.hpp"
#include "tests/verify/cli/support.hpp"

using namespace dca;
using namespace dca::test;

namespace {

// One chunk of 12 keys, tiles of 4 rows. The first key and the last two diagonals are forced and are all that is asked
// for, so the picture follows from V.7 alone: vertical 0, slashes 1 and 0.
const std::string forced_only =
    "id=forced seq_q=12 head_dim=4 C=14 w=2 gradient=0 dialect_sparse_vertical_size=1 dialect_sparse_slash_size=2 "
    "dialect_sparse_block=4 dialect_sparse_forced_verticals=1 dialect_sparse_forced_slashes=2";

const std::string shape = "seq_q=48 head_dim=16 heads_q=2 heads_kv=1 C=14 w=4 gradient=0 ";
const std::string facts =
    "dialect_sparse_vertical_size=6,7 dialect_sparse_slash_size=5 dialect_sparse_block=4 "
    "dialect_sparse_forced_verticals=2 dialect_sparse_forced_slashes=3 dialect_sparse_rules=sglang_later ";
const std::string everything =
    "dialect_sparse_vertical_size=100 dialect_sparse_slash_size=100 dialect_sparse_rules=sglang_later ";

std::string sparse(const std::string& text) {
    return "sparse --case " + shell_quoted(text);
}

golden::CaseData only_case(const std::string& path) {
    const golden::FileReader reader(path);
    REQUIRE(reader.case_ids().size() == 1);
    return reader.read(reader.case_ids().front());
}

std::string generate(const std::string& text, const std::string& path) {
    return "generate --case " + shell_quoted(text) + " -o " + path;
}

}  // namespace

TEST_CASE("the picture and the counts of a case worked by hand") {
    const Finished shown = run_dca(sparse(forced_only));
    require_success(shown);
    // Tile of rows 4 .. 7: slash 1 asks for [3, 7), slash 0 for [4, 8), which grows the range by a block to [3, 11),
    // cut by causality. Key 0 is a column. Rows 8 .. 11 likewise have [7, 12).
    CHECK(contains(shown.out,
                   "sequence 0, head 0\n"
                   "   0  #\n"
                   "   1  ##\n"
                   "   2  ###\n"
                   "   3  ####\n"
                   "   4  #..##\n"
                   "   5  #..###\n"
                   "   6  #..####\n"
                   "   7  #..#####\n"
                   "   8  #......##\n"
                   "   9  #......###\n"
                   "  10  #......####\n"
                   "  11  #......#####\n"));
    CHECK(contains(shown.out, "   0  intra             46             78    0.5897\n"));
    CHECK(contains(shown.out, "   0  succ               0              0         -\n"));
    CHECK(contains(shown.out, "   0  all               46             78    0.5897           0\n"));
    CHECK(contains(shown.out, "selections: 1 (heads x segments), 0 dense by threshold, 0 that"));
}

TEST_CASE("modes have their own marks, and long sequences no picture") {
    const Finished shown = run_dca(sparse(shape + facts));
    require_success(shown);
    CHECK(contains(shown.out, "# intra, + succ, o inter"));
    CHECK(contains(shown.out, "sequence 0, head 1\n"));
    CHECK(contains(shown.out, "oo"));
    CHECK(contains(shown.out, "++"));
    const Finished longer = run_dca(sparse("seq_q=65 head_dim=4 heads_q=2 C=14 w=4 " + facts));
    require_success(longer);
    CHECK(contains(longer.out, "no picture: no sequence has at most 64 keys"));
}

TEST_CASE("what dca sparse refuses") {
    check_refused(run_dca("sparse"), "sparse needs --case TEXT or --file");
    check_refused(run_dca(sparse("seq_q=8 head_dim=4 C=14 w=4")), "asks for no sparse prefill");
    check_refused(run_dca(sparse(shape + facts + "dialect_phase=decode")), "decode is dense");
    check_refused(run_dca(sparse(shape + "dialect_sparse_slash_size=5")), "without dialect_sparse_vertical_size");
    check_refused(run_dca(sparse(shape + "dialect_sparse_block=5")), "dialect_sparse_* facts are given without");
    check_refused(run_dca(sparse(shape + facts + "dialect=chunkllama")), "only vllm and sglang have a sparse prefill");
    check_refused(run_dca(sparse(shape + "dialect_sparse_vertical_size=1,2,3 dialect_sparse_slash_size=5")),
                  "each of the 2 query heads");
    check_refused(run_dca(sparse(shape + "dialect_sparse_vertical_size=0 dialect_sparse_slash_size=5")),
                  "from 1 to 2^40");
    check_refused(run_dca(sparse(shape + "dialect_sparse_vertical_size=6 dialect_sparse_slash_size=5")), "(H54)");
    check_refused(run_dca("sparse --file nosuch.h5"), "nosuch.h5");
}

TEST_CASE("a golden file of a sparse prefill: written, recomputed, judged and shown") {
    const TemporaryFolder folder;
    const auto golden = folder / "golden.h5", again = folder / "again.h5", dense = folder / "dense.h5";
    require_success(run_dca(generate(
        "id=a dialect=vllm dtype=f32 dialect_original_max_position_embeddings=8 seed=4 " + shape + facts, golden)));
    require_success(run_dca("run " + golden + " -o " + again));
    CHECK(read_file(golden) == read_file(again));
    // The file has what the text had.
    CHECK(contains(run_dca("sparse --file " + golden).out,
                   "case a: dialect vllm, dtype f32, chunk_len 10, "
                   "vertical_size 6,7, slash_size 5, block 4"));
    // Dense attention is a numeric failure, and no explanation is made up for it.
    require_success(run_dca(
        generate("id=a dialect=vllm dtype=f32 dialect_original_max_position_embeddings=8 seed=4 " + shape, dense)));
    const Finished failed = run_dca("compare " + golden + " " + dense);
    CHECK(failed.status == 1);
    CHECK(contains(failed.out, "FAILED"));
    // exact keeps the sparse facts and drops the others.
    const auto exact = folder / "exact.h5";
    require_success(run_dca("run --dialect exact " + golden + " -o " + exact));
    CHECK(only_case(exact).problem.facts.sparse_vertical_size == std::vector<std::int64_t>{6, 7});
    // Facts that exact does not use stay: a diagnosis under other dialects needs them.
    CHECK(only_case(exact).problem.facts.original_max_position_embeddings.has_value());
    check_refused(run_dca("run --dialect llama_cpp_dca " + golden + " -o " + exact),
                  "only vllm and sglang have a sparse prefill");
}

TEST_CASE("P22: with everything selected the golden file is the dense one") {
    const TemporaryFolder folder;
    const auto sparse = folder / "sparse.h5", dense = folder / "dense.h5";
    const std::string rest = "id=a dialect=vllm dialect_original_max_position_embeddings=8 seed=4 " + shape;
    require_success(run_dca(generate(rest + everything, sparse)));
    require_success(run_dca(generate(rest, dense)));
    const Finished compared = run_dca("compare " + sparse + " " + dense);
    INFO(compared.out);
    CHECK(compared.status == 0);
    CHECK(run_dca("compare " + dense + " " + sparse).status == 0);
}

TEST_CASE("a selection that a kernel may make otherwise is mistrusted, not judged") {
    const TemporaryFolder folder;
    const auto golden = folder / "golden.h5";
    require_success(run_dca(generate("id=a dialect=vllm dtype=bf16 seed=4 " + shape + facts, golden)));
    const Finished compared = run_dca("compare " + golden + " " + golden);
    CHECK(compared.status == 3);
    CHECK(contains(compared.out, "mistrusted"));
}

TEST_CASE("gradients of a sparse prefill are refused with the way out, decode is dense") {
    const TemporaryFolder folder;
    const auto a = folder / "a.h5", b = folder / "b.h5";
    const std::string with_gradient = "id=a seq_q=48 head_dim=16 heads_q=2 heads_kv=1 C=14 w=4 seed=4 ";
    check_refused(run_dca(generate(with_gradient + facts, a)), "gradient=0");
    require_success(run_dca(generate(with_gradient + facts + "dialect_phase=decode", a)));
    require_success(run_dca(generate(with_gradient, b)));
    CHECK(only_case(a).results.dq == only_case(b).results.dq);
    CHECK(only_case(a).results.out == only_case(b).results.out);
}
