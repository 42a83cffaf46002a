// The first line is the verdict; a failing case says what, where, why and how to see it again.
#include <algorithm>

#include "tests/support/catch.hpp"
#include "tests/verify/report/rich_reports.hpp"

namespace {

using namespace dca::test;

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}
std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}
auto lines(const std::string& text) {
    return std::count(text.begin(), text.end(), '\n');
}

TEST_CASE("text: a healthy run is one line per case and little else") {
    std::vector<dca::verify::CaseReport> cases;
    for (int i = 0; i < 20; ++i) cases.push_back(passing_case("case_" + std::to_string(i)));
    const std::string text = text_of(run_of(cases));
    INFO(text);
    CHECK(first_line(text) ==
          "PASSED: 20 of 20 cases passed; largest: case_0 out, row error 0.73 sigma (passes up to 2)");
    CHECK(lines(text) <= 20 + 6);
    CHECK(has(text, "passed  case_7   f32    1.25 | 0.73  1.25"));
    CHECK_FALSE(has(text, "repeat with"));
    CHECK_FALSE(has(text, "region"));
    CHECK(has(text_of(run_of(cases), {.verbose = true}), "region  elements"));
}

TEST_CASE("text: a failing case comes first, with everything needed to act on it") {
    const std::string text = text_of(run_of({passing_case("good"), failing_case("wrong")}));
    INFO(text);
    CHECK(first_line(text).rfind(
              "FAILED: 1 of 2 cases failed, 1 passed; largest: wrong dq, element error 3.75e+03 sigma", 0) == 0);
    for (const char* part :
         {"failed wrong (f32)", "dq failed: 512 of 1056 elements are off by more than 6 sigma",
          "batch 0, row 12, head 1, channel 3 (region +inter): expected 0.25, got -0.125, error -0.375 = 3.75e+03 "
          "sigma",
          "worst row: batch 0, row 12, head 1: RMS error 1.23e+03 sigma (passes up to 3)",
          "region  elements  bad  worst element", "+inter       800  512", "out passed: 1.25 | 0.73 sigma",
          "looks like a detached merge (H34); dq agrees with that within 0.4 sigma; seen in somebody's pull request",
          "repeat with: dca compare g.h5 c.h5 --case wrong"}) {
        CAPTURE(part);
        CHECK(has(text, part));
    }
    CHECK(text.find("failed wrong") < text.find("passed  good"));
}

TEST_CASE("text: what was not verified says so in its first line") {
    const auto head = [](const dca::verify::CaseReport& one) { return first_line(text_of(run_of({one}))); };
    auto weak = passing_case("weak");
    weak.verdict = dca::verify::Verdict::mistrusted;
    CHECK(has(head(weak), "NOT VERIFIED: 1 of 1 case mistrusted"));
    weak.verdict = dca::verify::Verdict::skipped;
    CHECK(has(head(weak), "NOT VERIFIED: 1 of 1 case skipped"));
    weak.verdict = dca::verify::Verdict::errored;
    CHECK(has(head(weak), "ERROR: 1 of 1 case errored"));
    weak.verdict = dca::verify::Verdict::untested;
    CHECK(has(head(weak), "ERROR: 1 of 1 case untested"));
    weak.verdict = dca::verify::Verdict::marginal;
    CHECK(has(head(weak), "PASSED: 1 of 1 case marginal"));
    CHECK(first_line(text_of(run_of({}))) == "NOT VERIFIED: nothing was compared");
    const std::string all = text_of(everything());
    CHECK(first_line(all).rfind("ERROR: 1 of 5 cases errored, 1 failed, 1 mistrusted, 1 skipped, 1 passed", 0) == 0);
    CHECK(has(all, "skipped absent: the candidate has no tensor of this case"));
    CHECK(has(all, "note: a note"));
    CHECK(has(all, "got nan"));
}

TEST_CASE("text: many failing cases are told in brief after the third, and counted by mistake") {
    std::vector<dca::verify::CaseReport> cases;
    for (int i = 0; i < 9; ++i) cases.push_back(failing_case("case_" + std::to_string(i)));
    const std::string text = text_of(run_of(cases));
    INFO(text);
    CHECK(has(text, "9 of 9 failing cases look like detached-merge (H34)"));
    CHECK(has(text, "failed case_8 (f32): dq 3.75e+03 | 1.23e+03"));
    CHECK(has(text, "--case case_8"));
    CHECK(lines(text) < 3 * 14 + 6 * 4 + 10);
    CHECK(lines(text_of(run_of(cases), {.verbose = true})) > 9 * 12);
}

TEST_CASE("text: tensors nobody judged, remarks and color") {
    auto one = passing_case("good");
    one.not_in_candidate = {"dq", "dk"};
    one.tensors[0].remark = "a remark";
    const std::string text = text_of(run_of({one}));
    CHECK(has(text, "not judged: dq of 1 case, which the candidate does not have"));
    CHECK(has(text, "1.25 | 0.73 *"));
    CHECK(has(text, "* a remark"));
    CHECK_FALSE(has(text, "\033"));
    CHECK(has(text_of(run_of({one}), {.color = true}), "\033[1;32mPASSED\033[0m"));
    CHECK(has(text_of(run_of({failing_case("x")}), {.color = true}), "\033[1;31mFAILED"));
}

TEST_CASE("text: expected and got are printed with enough digits to differ") {
    auto one = failing_case("close");
    one.tensors[2].worst.expected = 1;
    one.tensors[2].worst.got = 1 + 0x1p-50;
    CHECK(has(text_of(run_of({one})), "expected 1, got 1.0000000000000009"));
}

TEST_CASE("text: a failing case is one paragraph, whatever is known of it") {
    dca::verify::RunReport report = run_of({rich_case("wrong")});
    report.cases[0].tensors[2].golden_accuracy->error_radius = 5e-3;
    report.cases[0].waiver = "issue 7";
    const std::string text = text_of(report);
    INFO(text);
    const std::size_t begin = text.find("\n\n") + 2, end = text.find("\n\n", begin);
    CHECK(text.substr(begin, end - begin) ==
          R"(failed wrong (f32)
  dq failed: 512 of 1056 elements are off by more than 6 sigma
  worst element: batch 0, row 32, head 1, channel 3 (region +inter): expected 0.25, got -0.125, error -0.375 = 3.75e+03 sigma
  worst row: batch 0, row 32, head 1: RMS error 450 sigma (passes up to 3)
  the expected value itself is proven to 0.005, 50 sigma; --certified goldens are correctly rounded
    region  elements  bad  worst element  rms error  relative L2  rows  bad  worst row
    intra        256    0           1.25        0.6       0.0001    16    0       0.73
    +inter       800  512       3.75e+03        0.6       0.0001    50   40        0.7
  out passed: 1.25 | 0.73 sigma
  lse passed: 1.25 sigma
  where dq is wrong: 97 % of the error energy lies in rows from chunk 4 on; head 0 is right, head 1 is not
  looks like a detached merge (H34); dq agrees with that within 0.4 sigma; seen in somebody's pull request
  warning: dq: noise of 5.2 sigma; P in e4m3 explains 5, f32 0.7
  waiver: issue 7
  repeat with: dca compare g.h5 c.h5 --case wrong)");
    CHECK(has(text,
              "note: expected values of 1 tensor are known no better than 0.01 sigma, the least in wrong dq: proven "
              "to 0.005, 50 sigma; a golden made with --certified is correctly rounded\n"));
}

TEST_CASE("text: a golden that is exact, or does not say, is not spoken of") {
    for (const dca::verify::GoldenAccuracy& golden :
         {dca::verify::GoldenAccuracy{1e-6, true, true}, {9e-7, true, false}, {INFINITY, false, false}}) {
        dca::verify::RunReport report = run_of({rich_case("wrong")});
        for (auto& tensor : report.cases[0].tensors) tensor.golden_accuracy = golden;
        CHECK_FALSE(has(text_of(report), "certified"));
    }
}

TEST_CASE("text: a pass that is noisier than declared says so") {
    auto one = passing_case("noisy");
    one.fingerprints = {{"out", 1.6, 0.7, "P in e4m3", 1.5, true, ""},
                        {"lse", 0.7, 0.7, "as declared", 0.7, false, "fine"}};
    const std::string text = text_of(run_of({one}));
    CHECK(has(text, "noisy: warning: out: noise 1.6 sigma, declared types explain 0.7, P in e4m3 explains 1.5\n"));
    CHECK_FALSE(has(text, "fine"));
}

}  // namespace
