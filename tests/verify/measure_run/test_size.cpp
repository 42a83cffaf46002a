#include "golden/make_inputs.hpp"
#include "reference/forward.hpp"
#include "tests/support/catch.hpp"
#include "verify/measure/count.hpp"
#include "verify/measure/size.hpp"
#include "verify/measure/subject.hpp"

using namespace dca::measure;

TEST_CASE("a size is the same case for everybody") {
    Setting setting;
    setting.heads_q = 4;
    setting.heads_kv = 2;
    setting.head_dim = setting.head_dim_v = 8;
    setting.dtype = "bf16";
    setting.pass = Pass::backward;
    const dca::golden::CaseSpec spec = case_of(setting, {20, 6, 2});
    CHECK(spec.problem.shape.seq_q == 20);
    CHECK(spec.problem.chunk.chunk_len() == 4);
    const dca::Inputs inputs = dca::golden::make_inputs(spec);
    REQUIRE(inputs.dout);
    CHECK(input_elements(spec) == inputs.q.size() + inputs.k.size() + inputs.v.size() + inputs.dout->size());
    const dca::Outputs outputs = dca::reference::forward(spec.problem, inputs);
    CHECK(output_elements(spec) ==
          outputs.out.size() + outputs.lse.size() + inputs.q.size() + inputs.k.size() + inputs.v.size());
    CHECK_THROWS_AS(case_of(setting, {20, 6, 6}), dca::InvalidProblem);
    setting.dtype = "f12";
    CHECK_THROWS_AS(case_of(setting, {20, 6, 2}), dca::InvalidProblem);
}

TEST_CASE("what is counted: 4 d operations a visible pair and head forward, 14 d both ways") {
    Setting setting;
    setting.heads_q = 4;
    setting.heads_kv = 2;
    setting.head_dim = setting.head_dim_v = 8;
    Point point;
    point.n = 13;
    point.chunk_size = 6;
    point.local_size = 2;
    count_work({"reference", "", setting}, point);
    // n = 13, L = 4: 31 / 36 / 24, by hand: intra 3 * 10 + 1, succ 2 * 16 + 4, inter 16 + 2 * 4.
    CHECK(point.elements == ScoreElements{31, 36, 24});
    CHECK(point.flops == 4.0 * 91 * 4 * 8);
    setting.pass = Pass::backward;
    count_work({"reference", "", setting}, point);
    CHECK(point.flops == 4.0 * 91 * 14 * 8);
    count_work({"plain_causal", "", setting}, point);
    CHECK(point.elements == ScoreElements{91, 0, 0});
    Point other;
    other.n = 16;
    other.chunk_size = 4;
    count_work({"chunk_summary", "", setting}, other);
    CHECK(other.flops == 0);  // another algorithm
}

TEST_CASE("every built-in candidate that is here computes a small case, and says what it reads and writes") {
    for (const SubjectInfo& info : subjects()) {
        CAPTURE(info.name);
        if (!info.absent.empty()) {
            CHECK_THROWS_AS(find_subject(info.name, Pass::forward), dca::Unsupported);
            continue;
        }
        for (const Pass pass : {Pass::forward, Pass::backward}) {
            if (pass == Pass::backward && !info.backward) {
                CHECK_THROWS_AS(find_subject(info.name, pass), dca::Unsupported);
                continue;
            }
            Setting setting;
            setting.head_dim = setting.head_dim_v = 16;
            setting.dtype = "f64";
            setting.pass = pass;
            const Subject subject = find_subject(info.name, pass).make(case_of(setting, {32, 8, 0}));
            CHECK_NOTHROW(subject.call());
            CHECK_NOTHROW(subject.call());
            CHECK(subject.input_bytes > 0);
            CHECK(subject.output_bytes > 0);
            if (info.causal) CHECK(subject.input_bytes == 32 * 16 * 8 * (pass == Pass::backward ? 4 : 3));
        }
    }
    CHECK_THROWS_AS(find_subject("refrence", Pass::forward), dca::InvalidProblem);
}
