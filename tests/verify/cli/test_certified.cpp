// --certified: certified values with their certificates, the same file from generate and run, and clear refusals.
#include "golden/store.hpp"
#include "tests/verify/cli/support.hpp"

using namespace dca::test;

TEST_CASE("generate and run --certified write the same proven golden, and a plain one passes against it") {
    const TemporaryFolder folder;
    const Finished made = run_dca("generate --certified --case " + small_case + " -o " + shell_quoted(folder / "a.h5"));
    require_success(made);
    // 21 x 2 x 8 out and dq, 21 x 8 dk and dv, 42 lse
    CHECK(contains(made.out, "; certified: 1050 of 1050 elements proven correctly rounded, "));
    CHECK(contains(made.out, " redone in MPFR\n"));
    require_success(run_dca("generate --case " + small_case + " -o " + shell_quoted(folder / "plain.h5")));
    const Finished ran =
        run_dca("run --certified " + shell_quoted(folder / "plain.h5") + " -o " + shell_quoted(folder / "b.h5"));
    require_success(ran);
    CHECK(contains(ran.out, "; certified: 1050 of 1050 elements"));
    CHECK(read_file(folder / "a.h5") == read_file(folder / "b.h5"));
    CHECK(read_file(folder / "a.h5") != read_file(folder / "plain.h5"));

    const auto data = dca::golden::FileReader(folder / "a.h5").read("small");
    const auto plain = dca::golden::FileReader(folder / "plain.h5").read("small");
    for (const char* tensor : {"out", "lse", "dq", "dk", "dv"}) {
        CAPTURE(tensor);
        const auto found = data.certificates.find(tensor);
        REQUIRE(found != data.certificates.end());
        CHECK(found->second.proven);
        CHECK(found->second.correctly_rounded);
        // Half an ulp of the largest element, which is below 16 in every tensor of this case.
        CHECK(found->second.error_radius <= 0x1p-50);
        CHECK(found->second.error_radius > 0);
    }
    CHECK(data.judge->scales.out == plain.judge->scales.out);
    const Finished lint = run_dca("lint " + shell_quoted(folder / "a.h5"));
    CAPTURE(lint.out);
    CHECK(lint.status == 0);
    CHECK(run_dca("compare " + shell_quoted(folder / "a.h5") + " " + shell_quoted(folder / "plain.h5")).status == 0);
}

TEST_CASE("the option --certified refuses what it cannot prove, by name, and leaves no file") {
    const TemporaryFolder folder;
    const std::string target = shell_quoted(folder / "none.h5");
    check_refused(run_dca("run --certified --dialect vllm " + recording("vllm") + " -o " + target),
                  "dialect vllm rounds on the way: compute it without --certified");
    check_refused(run_dca("generate --certified --inputs-only --case " + small_case + " -o " + target),
                  "--inputs-only");
    check_refused(
        run_dca("generate --certified --case 'id=p seq_q=9 head_dim=8 chunk_size=4 local_size=1 sample=3' -o " +
                target),
        "leave out --certified");
    CHECK_FALSE(std::filesystem::exists(folder / "none.h5"));
}
