// Candidates of this process: whatever they do is the result of one case and not the end of the run.
#include <algorithm>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "tests/support/catch.hpp"
#include "tests/verify/gate/candidates.hpp"
#include "verify/candidate/poisoned_buffer.hpp"
#include "verify/gate/run_gate.hpp"

using namespace dca;
using verify::Verdict;

namespace {

verify::RunReport gate(test::Changed& candidate, std::vector<golden::CaseSpec> cases, bool fail_fast = false) {
    verify::GateOptions options;
    options.cases = std::move(cases);
    options.fail_fast = fail_fast;
    return run_gate(options, candidate);
}

/// The verdict and reason of a peer changed like this, on one case.
verify::CaseReport one(test::Changed::Change change) {
    test::Changed candidate(std::move(change));
    verify::RunReport report = gate(candidate, test::cases_of({test::small_case}));
    REQUIRE(report.cases.size() == 1);
    CHECK(report.verdict == report.cases.front().verdict);
    return report.cases.front();
}

}  // namespace

TEST_CASE("An honest candidate passes and is shown every valid case once") {
    test::Changed candidate;
    const auto report = gate(candidate, test::cases_of({test::small_case, test::reject_case, test::other_case}));
    CHECK(verify::exit_status(report.verdict) == 0);
    CHECK(candidate.runs == 2);
    REQUIRE(report.cases.size() == 2);
    CHECK(report.cases[0].id == "small");
    CHECK(report.cases[0].tensors.size() == 5);
    CHECK(report.cases[0].seconds > 0);
    CHECK(report.cases[1].repro.find("--case-text 'id=other ") != std::string::npos);
    REQUIRE(report.notes.size() == 1);
    CHECK(report.notes.front().find("1 case that must be rejected was refused") == 0);
}

TEST_CASE("Nothing judged is not verified") {
    test::Changed candidate;
    CHECK(verify::exit_status(gate(candidate, {}).verdict) == 3);
    CHECK(verify::exit_status(gate(candidate, test::cases_of({test::reject_case})).verdict) == 3);
    candidate.unsupported = [](const Problem&) { return true; };
    const auto skipped = gate(candidate, test::cases_of({test::small_case}));
    CHECK(skipped.cases.front().verdict == Verdict::skipped);
    CHECK(skipped.cases.front().reason == "not in this test");
    CHECK(candidate.runs == 0);
}

TEST_CASE("What is not supported counts only where it was asked for") {
    test::Changed candidate;
    candidate.unsupported = [](const Problem& problem) { return problem.dtype == Dtype::bf16; };
    verify::GateOptions options;
    options.cases = test::cases_of({test::small_case, test::other_case});
    CHECK(verify::exit_status(run_gate(options, candidate).verdict) == 3);
    options.supported_only = true;
    const auto report = run_gate(options, candidate);
    CHECK(verify::exit_status(report.verdict) == 0);
    CHECK(report.cases.back().verdict == Verdict::listed);
    candidate.unsupported = [](const Problem&) { return true; };
    CHECK(verify::exit_status(run_gate(options, candidate).verdict) == 3);
}

TEST_CASE("A candidate that throws breaks its case") {
    const auto report = one([](auto&, auto&, auto&) { throw std::runtime_error("no such kernel"); });
    CHECK(report.verdict == Verdict::errored);
    CHECK(report.reason == "it threw: no such kernel");
    CHECK(one([](auto&, auto&, auto&) { throw 7; }).verdict == Verdict::errored);
    CHECK(one([](auto&, auto&, auto&) { throw std::bad_alloc(); }).reason == "it ran out of memory");
}

TEST_CASE("A kernel that leaves its buffer unwritten breaks the case") {
    const auto report = one([](auto& problem, auto&, golden::Results& got) {
        const auto extents = out_extents(problem.shape);
        verify::PoisonedBuffer out("out", verify::ElementType::f64, {extents.begin(), extents.end()});
        std::memset(out.data(), 0, sizeof(double));
        const std::vector<double> values = out.values();
        std::copy(values.begin(), values.end(), got.out->values().begin());
    });
    CHECK(report.verdict == Verdict::errored);
    CHECK(report.reason == "it never wrote 207 elements of out, in rows 0 to 12");
}

TEST_CASE("A result of another shape breaks the case") {
    const auto report = one([](auto&, auto&, golden::Results& got) { got.dk = Tensor4({1, 12, 2, 8}); });
    CHECK(report.verdict == Verdict::errored);
    CHECK(report.reason == "dk has shape (1, 12, 2, 8), the problem has (1, 13, 2, 8)");
    CHECK(one([](auto&, auto&, golden::Results& got) { got.lse = Tensor3({1, 13, 2}); }).verdict == Verdict::errored);
}

TEST_CASE("A candidate that changes its inputs breaks the case") {
    for (const char* name : {"q", "k", "v", "dout"}) {
        const std::string which = name;
        const auto report = one([&](auto&, const Inputs& inputs, auto&) {
            const Tensor4& tensor = which == "q"   ? inputs.q
                                    : which == "k" ? inputs.k
                                    : which == "v" ? inputs.v
                                                   : *inputs.dout;
            const_cast<double&>(tensor(0, 3, 1, 7)) *= -1;
        });
        CHECK(report.verdict == Verdict::errored);
        CHECK(report.reason == "it changed its input " + which + ", first in row 3");
    }
}

TEST_CASE("Wrong numbers fail") {
    CHECK(one([](auto&, auto&, golden::Results& got) { (*got.dv)(0, 12, 1, 7) += 1; }).verdict == Verdict::failed);
    CHECK(one([](auto&, auto&, golden::Results& got) {
              (*got.out)(0, 12, 1, 7) = std::numeric_limits<double>::quiet_NaN();
          }).verdict == Verdict::failed);
    CHECK(one([](auto&, auto&, golden::Results& got) { got.out->values()[0] = 0; }).verdict == Verdict::failed);
    CHECK(one([](auto&, auto&, golden::Results& got) { got = {}; }).verdict == Verdict::errored);
}

TEST_CASE("A candidate that repeats its last result fails") {
    golden::Results last;
    test::Changed candidate([&](auto&, auto&, golden::Results& got) { got = last.out ? last : (last = got); });
    const auto report = gate(candidate, test::cases_of({test::small_case,
                                                        "id=next seq_q=13 heads_q=2 head_dim=8 chunk_size=6 "
                                                        "local_size=2 dtype=f32 seed=3"}));
    CHECK(report.cases[0].verdict == Verdict::passed);
    CHECK(report.cases[1].verdict == Verdict::failed);
}

TEST_CASE("Failing fast stops after the first failure and says so") {
    test::Changed candidate([](auto&, auto&, golden::Results& got) { got.out->values()[0] = 99; });
    const auto cases = test::cases_of({test::small_case, test::other_case});
    CHECK(gate(candidate, cases).cases.size() == 2);
    const auto report = gate(candidate, cases, true);
    CHECK(report.cases.size() == 1);
    CHECK(report.verdict == Verdict::failed);
    CHECK(report.notes.back().find("1 more case") != std::string::npos);
}

TEST_CASE("Cases that cannot be judged end the run before it starts") {
    test::Changed candidate;
    CHECK_THROWS_AS(gate(candidate, test::cases_of({test::small_case, test::small_case})), InvalidProblem);
    auto accepted = test::cases_of({test::small_case, test::small_case});
    accepted[1].id = "not_refused";
    accepted[1].expectation = golden::Expectation::must_reject;
    CHECK_THROWS_AS(gate(candidate, accepted), ContractError);
    auto refused = test::cases_of({test::small_case, test::reject_case});
    refused[1].expectation = golden::Expectation::valid;
    CHECK_THROWS_AS(gate(candidate, refused), InvalidProblem);
    CHECK(candidate.runs == 0);
}
