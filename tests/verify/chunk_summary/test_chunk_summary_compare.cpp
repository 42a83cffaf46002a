// Chunk-summary cases from text to verdict: honest candidates pass, mistaken ones do not, and files that do not fit are
// refused.
#include <algorithm>
#include <cmath>

#include "golden/case_text.hpp"
#include "reference/chunk_summary/network.hpp"
#include "reference/chunk_summary/oracle/network.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/process.hpp"
#include "verify/run/make_golden.hpp"
#include "verify/run/run_compare.hpp"

namespace {

using dca::chunk_summary::Bundle;
using dca::chunk_summary::TensorId;
using dca::golden::CaseData;
using dca::test::TemporaryFolder;
using dca::verify::RunReport;
using dca::verify::TensorReport;
using dca::verify::Verdict;
namespace oracle = dca::chunk_summary::oracle;

const std::string f64_case = "id=a algorithm=chunk_summary batch=2 seq_len=12 hidden=6 heads=2 chunk_size=4 seed=7";
const std::string f32_case = f64_case + " dtype=f32";

std::string write(const std::string& path, const CaseData& data) {
    dca::golden::FileWriter writer(path);
    writer.write(data);
    writer.commit();
    return path;
}

CaseData made(const std::string& text) {
    return dca::verify::make_case(dca::golden::parse_case(text));
}

/// Golden and candidate on disk, and the verdict.
struct Comparison {
    TemporaryFolder folder;
    std::string golden, candidate;

    Comparison(const CaseData& truth, CaseData other) {
        golden = write(folder / "golden.h5", truth);
        if (other.chunk_summary) other.chunk_summary->judged = false;
        candidate = write(folder / "candidate.h5", other);
    }
    [[nodiscard]] RunReport run(const dca::verify::CompareOptions& options = {}) const {
        return run_compare(golden, candidate, options);
    }
};

Verdict verdict_of(const CaseData& truth, const CaseData& other, const std::string& tensor) {
    const RunReport report = Comparison(truth, other).run();
    for (const TensorReport& one : report.cases.front().tensors) {
        if (one.tensor == tensor) return one.verdict;
    }
    return Verdict::untested;
}

/// What a candidate that computes the definition in float, or in double, writes.
template <class S>
CaseData honest(CaseData data) {
    auto& of = *data.chunk_summary;
    const Bundle<S> given = oracle::convert<S>(of.inputs.tensors);
    const std::vector<S> out = oracle::forward(of.problem, given);
    of.results.out.assign(out.begin(), out.end());
    const Bundle<S> gradients =
        oracle::backward(of.problem, given, std::vector<S>(of.inputs.dout.begin(), of.inputs.dout.end()));
    for (const TensorId id : dca::chunk_summary::all_tensors) {
        of.results.gradients[id].assign(gradients[id].begin(), gradients[id].end());
    }
    return data;
}

/// The results of changed inputs, offered as those of the unchanged.
template <class Change>
CaseData mistaken(const CaseData& truth, const Change& change) {
    CaseData data = truth;
    auto& of = *data.chunk_summary;
    dca::chunk_summary::Inputs inputs = of.inputs;
    dca::chunk_summary::Problem problem = of.problem;
    change(problem, inputs);
    of.results.out = forward(problem, inputs);
    of.results.gradients = backward(problem, inputs);
    return data;
}

}  // namespace

TEST_CASE("chunk summary: honest candidates pass, in every scope and type") {
    for (const std::string extra : {"", " qk_scale=3", " gradient=0"}) {
        for (const std::string scope : {"", " scope=block", " scope=model embed=5 layers=2",
                                        " scope=model pooling=mean_pool", " scope=model pooling=all"}) {
            CAPTURE(extra, scope);
            const CaseData single = made(f32_case + scope + extra), wide = made(f64_case + scope + extra);
            if (single.chunk_summary->inputs.dout.empty()) {
                CHECK(Comparison(single, single).run().verdict == Verdict::passed);
                continue;
            }
            const RunReport report = Comparison(single, honest<float>(single)).run();
            CHECK((report.verdict == Verdict::passed || report.verdict == Verdict::marginal));
            const RunReport exact = Comparison(wide, honest<double>(wide)).run();
            CHECK((exact.verdict == Verdict::passed || exact.verdict == Verdict::marginal));
            CHECK(report.cases.front().tensors.size() >= 7);
        }
    }
}

TEST_CASE("chunk summary: mistakes fail") {
    const CaseData truth = made(f32_case);
    const std::size_t head_dim = 3;
    const auto gate = mistaken(truth, [](auto&, auto& in) {
        for (double& gamma : in.tensors[TensorId::gamma]) gamma = -gamma;  // g and 1 - g exchanged
    });
    CHECK(verdict_of(truth, gate, "out") == Verdict::failed);
    const auto scale = mistaken(truth, [&](auto& p, auto& in) {  // no 1 / sqrt(d)
        for (const TensorId id : {TensorId::w_qkv, TensorId::b_qkv}) {
            auto& values = in.tensors[id];
            for (std::size_t n = 0; n < values.size(); ++n) {
                if (n % (3 * p.hidden) < static_cast<std::size_t>(p.hidden)) values[n] *= std::sqrt(double(head_dim));
            }
        }
    });
    CHECK(verdict_of(truth, scale, "out") == Verdict::failed);
    const auto chunk = mistaken(truth, [](auto& p, auto&) { p.chunk_size = 6; });
    CHECK(verdict_of(truth, chunk, "out") == Verdict::failed);
    const auto heads = mistaken(truth, [](auto& p, auto&) { p.heads = 3; });
    CHECK(verdict_of(truth, heads, "out") == Verdict::failed);
    CaseData gamma = truth;  // the gradient of g instead of that of gamma
    for (double& d : gamma.chunk_summary->results.gradients[TensorId::gamma]) d *= 4;
    CHECK(verdict_of(truth, gamma, "dgamma") == Verdict::failed);
    CHECK(verdict_of(truth, gamma, "out") == Verdict::passed);
    CaseData nan = truth;
    nan.chunk_summary->results.out[5] = NAN;
    CHECK(verdict_of(truth, nan, "out") == Verdict::failed);
    CaseData zero = truth;
    std::fill(zero.chunk_summary->results.out.begin(), zero.chunk_summary->results.out.end(), 0.0);
    CHECK(verdict_of(truth, zero, "out") == Verdict::failed);
}

TEST_CASE("chunk summary: a denominator without the 1e-8 fails in f64 and passes in f32") {
    for (const std::string& text : {f64_case, f32_case}) {
        CAPTURE(text);
        CaseData data = made(text + " gradient=0");
        auto& of = *data.chunk_summary;
        const auto hidden = static_cast<std::size_t>(of.problem.hidden);
        // v = 1 everywhere: without the 1e-8 every head returns ones, and the output is the column sums of w_out +
        // b_out.
        for (std::size_t n = 0; n < of.inputs.tensors[TensorId::w_qkv].size(); ++n) {
            if (n % (3 * hidden) >= 2 * hidden) of.inputs.tensors[TensorId::w_qkv][n] = 0;
        }
        for (std::size_t c = 0; c < hidden; ++c) of.inputs.tensors[TensorId::b_qkv][2 * hidden + c] = 1;
        dca::verify::complete(data);
        CaseData without = data;
        for (std::size_t n = 0; n < of.results.out.size(); ++n) {
            double sum = of.inputs.tensors[TensorId::b_out][n % hidden];
            for (std::size_t c = 0; c < hidden; ++c) sum += of.inputs.tensors[TensorId::w_out][c * hidden + n % hidden];
            without.chunk_summary->results.out[n] = sum;
        }
        CHECK(verdict_of(data, without, "out") == (text == f64_case ? Verdict::failed : Verdict::passed));
    }
}

TEST_CASE("chunk summary: run reproduces generate byte for byte from the inputs alone") {
    const TemporaryFolder folder;
    const std::vector<dca::golden::CaseSpec> specs{dca::golden::parse_case(f32_case + " scope=model layers=2")};
    dca::verify::generate(specs, folder / "made.h5", nullptr);
    CaseData inputs_only = dca::golden::FileReader(folder / "made.h5").read("a");
    inputs_only.chunk_summary->results = {};
    inputs_only.chunk_summary->judged = false;
    write(folder / "inputs.h5", inputs_only);
    dca::verify::run_file(folder / "inputs.h5", folder / "run.h5", {}, nullptr);
    CHECK(dca::test::read_file(folder / "run.h5") == dca::test::read_file(folder / "made.h5"));
    dca::verify::RunOptions other;
    other.dialect = "vllm";
    CHECK_THROWS_AS(dca::verify::run_file(folder / "inputs.h5", folder / "no.h5", other, nullptr), dca::Unsupported);
}

TEST_CASE("chunk summary: generate refuses what must be refused") {
    const TemporaryFolder folder;
    const auto trap = dca::golden::parse_case("id=t algorithm=chunk_summary seq_len=60 hidden=8 chunk_size=64");
    CHECK_THROWS_AS(dca::verify::generate({trap}, folder / "a.h5", nullptr), dca::InvalidProblem);
    auto expected = trap;
    expected.expectation = dca::golden::Expectation::must_reject;
    const auto counts = dca::verify::generate({expected, dca::golden::parse_case(f64_case)}, folder / "a.h5", nullptr);
    CHECK(counts.written == 1);
    CHECK(counts.refused == 1);
}

TEST_CASE("chunk summary: what was asked for and is not there is not verified") {
    const CaseData truth = made(f32_case);
    CaseData partial = truth;
    partial.chunk_summary->results.gradients[TensorId::w_out].clear();
    const Comparison files(truth, partial);
    const RunReport report = files.run();
    CHECK(report.verdict == Verdict::passed);
    CHECK(report.cases.front().not_in_candidate == std::vector<std::string>{"dw_out"});
    dca::verify::CompareOptions options;
    options.tensors = {"dw_out"};
    CHECK(files.run(options).verdict == Verdict::skipped);
    options.tensors = {"out"};
    CHECK(files.run(options).verdict == Verdict::passed);
    CHECK(files.run(options).cases.front().tensors.size() == 1);
    CaseData unjudged = truth;
    unjudged.chunk_summary->judged = false;
    CHECK(Comparison(unjudged, truth).run().verdict == Verdict::mistrusted);
    CaseData blind = truth;
    for (float& sigma : blind.chunk_summary->scales.out) sigma = INFINITY;
    CHECK(verdict_of(blind, truth, "out") == Verdict::mistrusted);
}

TEST_CASE("chunk summary: a candidate of another problem, other inputs or the other algorithm is an error") {
    const CaseData truth = made(f32_case);
    const auto reason = [&](const CaseData& other) {
        const RunReport report = Comparison(truth, other).run();
        CHECK(report.verdict == Verdict::errored);
        return report.cases.front().reason;
    };
    const auto says = [](const std::string& text, const std::string& words) {
        UNSCOPED_INFO(text);
        return text.find(words) != std::string::npos;
    };
    const std::string sizes = "id=a algorithm=chunk_summary batch=2 hidden=6 heads=2 seed=7 dtype=f32 ";
    CHECK(says(reason(made(sizes + "seq_len=12 chunk_size=3")), "attribute chunk_size is not the golden's"));
    CHECK(says(reason(made(sizes + "seq_len=8 chunk_size=4")), "outputs/out: has shape (2, 8, 6)"));
    CHECK(says(reason(made(f64_case)), "attribute dtype is not the golden's"));
    CHECK(says(reason(made(sizes + "seq_len=12 chunk_size=4 qk_scale=2")), "inputs/w_qkv: differs from the golden's"));
    CHECK(says(reason(made(f32_case + " scope=block")), "the golden's problem has no such tensor"));
    CHECK(says(reason(made("id=a seq_q=12 heads_q=2 head_dim=4 chunk_size=4 local_size=1 dtype=f32")),
               "the golden's problem has no such tensor"));
    // The other way round: Dual Chunk Attention judged against a chunk-summary candidate.
    const CaseData dual = made("id=a seq_q=12 heads_q=2 head_dim=4 chunk_size=4 local_size=1 dtype=f32");
    const RunReport report = Comparison(dual, truth).run();
    CHECK(report.verdict == Verdict::errored);
    CHECK(says(report.cases.front().reason, "the golden's problem has no such tensor"));
}
