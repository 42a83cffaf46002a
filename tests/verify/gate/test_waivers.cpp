// Known failures: what they excuse, what they do not, and a file of them in which every mistake is named.
#include "reference/spec/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/process.hpp"
#include "tests/verify/gate/candidates.hpp"
#include "verify/gate/run_gate.hpp"

using namespace dca;
using verify::Verdict;
using verify::Waiver;

namespace {

verify::Date day(const char* text) {
    return *verify::parse_date(text);
}

Waiver waiver(const char* cases = "small", std::vector<std::string> tensors = {}) {
    Waiver one;
    one.issue = "#17";
    one.reason = "being repaired";
    one.cases = cases;
    one.tensors = std::move(tensors);
    one.expires = day("2026-06-30");
    return one;
}

/// A candidate whose dq is wrong, and out too where asked for, on the small case; the other case is right.
verify::RunReport gate(std::vector<Waiver> waivers, bool out_too = false, const char* on = "2026-06-30",
                       bool whole = true) {
    test::Changed candidate([&](const Problem& problem, auto&, golden::Results& got) {
        if (problem.dtype != Dtype::f32) return;
        got.dq->values()[5] += 1;
        if (out_too) got.out->values()[5] += 1;
    });
    verify::GateOptions options;
    options.cases = test::cases_of({test::small_case, test::other_case});
    options.waivers = std::move(waivers);
    options.day = day(on);
    options.whole = whole;
    return run_gate(options, candidate);
}

Verdict verdict(const verify::RunReport& report) {
    CHECK(report.cases.size() == 2);
    return report.cases.front().verdict;
}

bool noted(const verify::RunReport& report, const std::string& text) {
    for (const std::string& note : report.notes) {
        if (note.find(text) != std::string::npos) return true;
    }
    return false;
}

/// What is wrong with a file of this text.
std::string fault(const std::string& text) {
    const test::TemporaryFolder folder;
    test::write_file(folder / "w.json", text);
    try {
        (void)verify::read_waivers(folder / "w.json");
    } catch (const FormatError& error) {
        const std::string what = error.what();
        return what.substr(what.find("w.json: ") + 8);
    }
    return {};
}

}  // namespace

TEST_CASE("A known failure is waived until its last day, and the run is not verified") {
    const auto report = gate({waiver()});
    CHECK(verdict(report) == Verdict::waived);
    CHECK(report.verdict == Verdict::waived);
    CHECK(verify::exit_status(report.verdict) == 3);
    CHECK(report.cases.front().waiver == "#17 (being repaired; until 2026-06-30)");
    CHECK(report.cases.back().verdict == Verdict::passed);
    CHECK(report.cases.back().waiver.empty());
    CHECK(report.notes.empty());
}

TEST_CASE("An expired waiver waives nothing and says so") {
    const auto report = gate({waiver()}, false, "2026-07-01");
    CHECK(verdict(report) == Verdict::failed);
    CHECK(report.cases.front().waiver == "#17 expired on 2026-06-30");
    CHECK(noted(report, "#17 expired on 2026-06-30"));
    CHECK(verify::exit_status(report.verdict) == 1);
}

TEST_CASE("A waiver of some tensors waives no other") {
    CHECK(verdict(gate({waiver("small", {"dq"})})) == Verdict::waived);
    CHECK(verdict(gate({waiver("small", {"dq"})}, true)) == Verdict::failed);
    CHECK(verdict(gate({waiver("small", {"dq", "out"})}, true)) == Verdict::waived);
    CHECK(verdict(gate({waiver("small", {"dq"}), waiver("small", {"out"})}, true)) == Verdict::waived);
}

TEST_CASE("An unexpected pass fails and says what to remove") {
    // the other case passes
    const auto report = gate({waiver("*")});
    CHECK(verdict(report) == Verdict::waived);
    CHECK(report.cases.back().verdict == Verdict::failed);
    CHECK(report.cases.back().reason == "unexpected pass: the case passes, but waiver #17 says otherwise: remove it");
    CHECK(verify::exit_status(report.verdict) == 1);
    // of a tensor
    const auto tensor = gate({waiver("small", {"dq", "dk"})});
    CHECK(verdict(tensor) == Verdict::failed);
    CHECK(tensor.cases.front().reason.find("dk passes, but waiver #17") != std::string::npos);
    // and an expired waiver expects nothing
    CHECK(gate({waiver("other")}, false, "2026-07-01").cases.back().verdict == Verdict::passed);
}

TEST_CASE("A waiver speaks of its candidate and its dtypes alone") {
    Waiver of_candidate = waiver(), of_dtype = waiver("*");
    of_candidate.candidates = "cuda*";
    CHECK(verdict(gate({of_candidate})) == Verdict::failed);
    CHECK_FALSE(noted(gate({of_candidate}), "#17"));
    of_candidate.candidates = "chan*";
    CHECK(verdict(gate({of_candidate})) == Verdict::waived);
    of_dtype.dtypes = {"f16", "f32"};
    CHECK(gate({of_dtype}).verdict == Verdict::waived);
    of_dtype.dtypes = {"f16"};
    CHECK(verdict(gate({of_dtype})) == Verdict::failed);
}

TEST_CASE("A waiver that meets no case is told where every case ran") {
    CHECK(noted(gate({waiver("gone*")}), "waiver #17 matches no case that ran ('gone*')"));
    CHECK_FALSE(noted(gate({waiver("gone*")}, false, "2026-06-30", false), "#17"));
}

TEST_CASE("A crash is waived by a waiver that speaks of crashes") {
    const auto crashing = [](bool breaks, bool errored) {
        test::Changed candidate([&](auto&, auto&, golden::Results& got) {
            if (breaks) throw std::runtime_error("boom");
            got.dq->values()[5] += 1;
        });
        verify::GateOptions options;
        options.cases = test::cases_of({test::small_case});
        options.waivers = {waiver()};
        options.waivers.front().errored = errored;
        options.day = day("2026-06-30");
        return run_gate(options, candidate).verdict;
    };
    CHECK(crashing(true, true) == Verdict::waived);
    CHECK(crashing(true, false) == Verdict::errored);
    CHECK(crashing(false, true) == Verdict::failed);
    CHECK(crashing(false, false) == Verdict::waived);
}

TEST_CASE("Days of the calendar") {
    CHECK(verify::date_text(day("2028-02-29")) == "2028-02-29");
    for (const char* text : {"", "2027-02-29", "2027-13-01", "2027-1-1", "27-01-01", "2027/01/01", "2027-01-011",
                             "+027-01-01", "2027-01-0x", "tomorrow"}) {
        CAPTURE(text);
        CHECK_FALSE(verify::parse_date(text).has_value());
    }
    CHECK(verify::today() > day("2024-01-01"));
}

TEST_CASE("A file of waivers is read") {
    const test::TemporaryFolder folder;
    test::write_file(folder / "w.json",
                     R"({"waivers": [{"issue": "https://x/1", "reason": "r", "case": "a*", "expires": "2027-01-31",
                         "tensor": "dq", "candidate": "cuda", "dtype": ["f16", "bf16"]},
                         {"issue": "2", "reason": "r", "case": "b", "expires": "2027-01-31", "verdict": "errored"}]})");
    const auto waivers = verify::read_waivers(folder / "w.json");
    REQUIRE(waivers.size() == 2);
    CHECK(waivers[0].tensors == std::vector<std::string>{"dq"});
    CHECK(waivers[0].dtypes == std::vector<std::string>{"f16", "bf16"});
    CHECK(waivers[0].candidates == "cuda");
    CHECK(waivers[1].errored);
    CHECK(waivers[1].candidates == "*");
    CHECK(fault(R"({"waivers": []})").empty());
    CHECK_THROWS_AS(verify::read_waivers(folder / "none.json"), IoError);
    CHECK_THROWS_AS(verify::read_waivers(folder.path()), Error);
}

TEST_CASE("A malformed file of waivers is named to the entry and the field") {
    const auto entry = [](const std::string& fields) { return fault("{\"waivers\": [{" + fields + "}]}"); };
    const std::string good = R"("issue": "7", "reason": "r", "case": "c", "expires": "2027-01-31")";
    CHECK(entry(good).empty());
    CHECK(fault("{").find("is not JSON, at byte ") == 0);
    CHECK(fault("") == "is not JSON, at byte 1");
    for (const char* root : {"[]", "{}", R"({"waivers": {}})", R"({"waivers": [], "more": 1})"}) {
        CAPTURE(root);
        CHECK(fault(root) == "is not an object with the one field \"waivers\", a list");
    }
    CHECK(fault(R"({"waivers": [3]})") == "waiver 1: is not an object");
    CHECK(entry(R"("issue": "7", "reason": "r", "expires": "2027-01-31")") == "waiver 1 (7): case: is missing");
    CHECK(entry(R"("reason": "r")") == "waiver 1: issue: is missing");
    CHECK(entry(R"("issue": "")") == "waiver 1: issue: is empty");
    CHECK(entry(R"("issue": 7)") == "waiver 1: issue: is not a string");
    CHECK(entry(good + R"(, "expire": "x")") == "waiver 1: unknown field 'expire', did you mean expires?");
    CHECK(entry(good + R"(, "tensor": "dw")") == "waiver 1 (7): tensor: 'dw' is none of out, lse, dq, dk, dv");
    CHECK(entry(good + R"(, "tensor": [])") == "waiver 1 (7): tensor: is an empty list");
    CHECK(entry(good + R"(, "dtype": "bfloat16")") == "waiver 1 (7): dtype: 'bfloat16' is not a dtype");
    CHECK(entry(good + R"(, "verdict": "skipped")") == "waiver 1 (7): verdict: is neither failed nor errored");
    CHECK(entry(good + R"(, "verdict": "errored", "tensor": "dq")").find("waiver 1 (7): tensor: makes no sense") == 0);
    CHECK(entry(R"("issue": "7", "reason": "r", "case": "c", "expires": "31.1.2027")") ==
          "waiver 1 (7): expires: '31.1.2027' is not a day like 2027-01-31");
}
