// Position probes on the command line: judged against the dense path, and stored tensor by tensor.
#include "golden/store.hpp"
#include "tests/verify/cli/support.hpp"

using namespace dca::test;

namespace {

const std::string probe_case = "'probe id=p seq_q=400 heads_q=2 heads_kv=1 head_dim=16 C=48 w=8 dtype=bf16 seed=3'";

}  // namespace

TEST_CASE("a probe and the dense path agree far below sigma, and a candidate that is wrong fails") {
    const TemporaryFolder folder;
    const std::string probe = shell_quoted(folder / "probe.h5"), inputs = shell_quoted(folder / "inputs.h5"),
                      dense = shell_quoted(folder / "dense.h5"), paper = shell_quoted(folder / "paper.h5");
    require_success(run_dca("generate --case " + probe_case + " -o " + probe));
    require_success(run_dca("generate --inputs-only --case " + probe_case + " -o " + inputs));
    require_success(run_dca("run " + inputs + " -o " + dense));
    const Finished passed = run_dca("compare " + probe + " " + dense);
    CAPTURE(passed.out, passed.err);
    CHECK(passed.status == 0);
    CHECK(contains(passed.out, "PASSED"));
    require_success(run_dca("run " + inputs + " --dialect paper -o " + paper));  // far keys one position nearer
    CHECK(run_dca("compare " + probe + " " + paper).status == 1);
    CHECK(run_dca("lint " + probe).status == 0);

    const dca::golden::CaseData data = dca::golden::FileReader(folder / "probe.h5").read("p");
    CHECK(data.regenerates);
    CHECK(data.certificates.size() == 5);
    CHECK(data.certificates.at("out").proven);
    CHECK(data.certificates.at("out").error_radius < 1e-11);
}

TEST_CASE("generate --tensor stores what is asked for, of probes alone") {
    const TemporaryFolder folder;
    const std::string target = folder / "t.h5";
    require_success(run_dca("generate --case " + probe_case + " --tensor lse --tensor dv -o " + shell_quoted(target)));
    const dca::golden::CaseData data = dca::golden::FileReader(target).read("p");
    CHECK((data.results.lse && data.results.dv && !data.results.out && !data.results.dq && !data.results.dk));
    CHECK((data.judge && data.judge->scales.dv && !data.judge->scales.dq));
    const std::string to = " -o " + shell_quoted(folder / "no.h5");
    check_refused(run_dca("generate --case " + small_case + " --tensor out" + to), "--tensor is for probes");
    check_refused(run_dca("generate --case 'probe seq_q=9 head_dim=4 C=4 w=1 gradient=0' --tensor dk" + to),
                  "--tensor dk with gradient=0");
    check_refused(run_dca("generate --case 'probe seq_q=9 head_dim=4 C=4 w=1 dialect=llama_cpp_dca "
                          "dialect_original_max_position_embeddings=2'" +
                          to),
                  "length factor");
}
