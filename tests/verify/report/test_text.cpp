// The first line is the verdict; a failing case says what, where, why and how to see it again.
#include <algorithm>

#include "tests/support/catch.hpp"
#include "tests/verify/report/reports.hpp"

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

}  // namespace
