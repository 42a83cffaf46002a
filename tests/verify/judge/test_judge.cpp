// The judge as other projects use it, through its public header alone.
#include <cmath>
#include <filesystem>
#include <set>
#include <sstream>

#include "tests/support/catch.hpp"
#include "tests/support/process.hpp"
#include "tests/verify/judge/kernels.hpp"

using namespace dca::judge;
using dca::test::PeerKernel;

namespace {

const std::string small = "id=small seq_q=23 heads_q=4 heads_kv=2 head_dim=16 chunk_size=9 local_size=3 seed=5 dtype=";

bool has(const std::string& text, const std::string& words) {
    return text.find(words) != std::string::npos;
}

std::byte* last_element(const OutputTensor& tensor) {
    const auto last = static_cast<std::size_t>(tensor.size() - 1);
    return static_cast<std::byte*>(tensor.data) + last * storage_bytes(tensor.dtype);
}

std::vector<std::byte> kept;  // what a buffer held before the kernel ran

}  // namespace

TEST_CASE("an honest kernel passes in every type, through buffers of that type") {
    for (const char* dtype : {"f64", "f32", "tf32", "f16", "bf16", "e4m3", "e5m2"}) {
        PeerKernel kernel(small + dtype);
        const Result result = judge_case(small + dtype, kernel);
        INFO(result.text());
        CHECK(result.passed());
        CHECK(result.exit_status() == 0);
        REQUIRE(result.cases().size() == 1);
        CHECK(result.cases()[0].id == "small");
        CHECK(name(kernel.seen.dtype) == dtype);
        CHECK(kernel.runs == 1);
    }
}

TEST_CASE("a packed case has one batch, all tokens, and its borders") {
    const std::string text =
        "id=packed seq_q=20 heads_q=2 head_dim=16 chunk_size=6 local_size=2 cu_seqlens=0,7,7,20 dtype=f32";
    PeerKernel kernel(text);
    const Result result = judge_case(text, kernel);
    INFO(result.text());
    CHECK(result.passed());
    CHECK(kernel.seen.packed());
    CHECK(kernel.seen.cu_seqlens == std::vector<std::int32_t>{0, 7, 7, 20});
    CHECK(kernel.seen.query_offset == 0);
}

TEST_CASE("what a kernel does not compute is not judged, and results may be kept in a wider type") {
    PeerKernel kernel(small + "bf16");
    kernel.support.lse = false;
    kernel.support.gradients = false;
    kernel.support.out_dtype = Dtype::f32;
    kernel.afterwards = [](const Inputs& in, const Outputs& to) {
        CHECK(in.dout);
        CHECK(to.out.dtype == Dtype::f32);
        CHECK_FALSE(to.lse);
        CHECK_FALSE(to.dq);
        CHECK_THROWS_AS(to.lse.as<float>(), std::logic_error);
        CHECK_THROWS_AS(to.out.as<double>(), std::logic_error);
    };
    const Result result = judge_case(small + "bf16", kernel);
    INFO(result.text());
    CHECK(result.passed());
}

TEST_CASE("an element that is not written breaks the case, whatever the type") {
    for (const char* dtype : {"f64", "f32", "f16", "bf16", "e4m3"}) {
        PeerKernel kernel(small + dtype);
        kernel.beforehand = [](const Inputs&, const Outputs& to) {
            const std::size_t bytes = storage_bytes(to.out.dtype);
            kept.assign(last_element(to.out), last_element(to.out) + bytes);
        };
        kernel.afterwards = [](const Inputs&, const Outputs& to) {
            std::copy(kept.begin(), kept.end(), last_element(to.out));
        };
        const Result result = judge_case(small + dtype, kernel);
        INFO(dtype << "\n" << result.text());
        CHECK(result.exit_status() == 2);
        CHECK(has(result.cases().at(0).reason, "1 element of out, in row 22"));
    }
}

TEST_CASE("writing outside a buffer or into an input breaks the case") {
    const auto broken = [](const std::function<void(const Inputs&, const Outputs&)>& afterwards) {
        PeerKernel kernel(small + "f32");
        kernel.afterwards = afterwards;
        const Result result = judge_case(small + "f32", kernel);
        CHECK(result.exit_status() == 2);
        return result.cases().at(0).reason;
    };
    const auto writable = [](const InputTensor& tensor) { return const_cast<float*>(tensor.as<float>()); };
    CHECK(broken([](const Inputs&, const Outputs& to) { to.lse.as<float>()[-1] = 0; }) ==
          "it wrote 1 element before the start of lse, as far as 1 from it");
    CHECK(broken([](const Inputs&, const Outputs& to) { to.dv.as<float>()[to.dv.size() + 7] = 0; }) ==
          "it wrote 1 element past the end of dv, as far as 8 from it");
    CHECK(broken([&](const Inputs& in, const Outputs&) { writable(in.k)[3] += 1; }) == "it changed its input k");
    CHECK(broken([&](const Inputs& in, const Outputs&) { writable(in.v)[in.v.size()] = 1; }) ==
          "it wrote past the end of its input v");
    CHECK(broken([&](const Inputs& in, const Outputs&) { writable(in.dout)[-9] = 1; }) ==
          "it wrote before the start of its input dout");
}

TEST_CASE("what lies around an input is NaN, in every type") {
    for (const char* dtype : {"f64", "f32", "tf32", "f16", "bf16", "e4m3", "e5m2"}) {
        PeerKernel kernel(small + dtype);
        bool nan = false;
        kernel.afterwards = [&](const Inputs& in, const Outputs&) {
            nan = std::isnan(dca::test::read(in.q, -1)) && std::isnan(dca::test::read(in.q, in.q.size()));
        };
        CHECK(judge_case(small + dtype, kernel).passed());
        CHECK(nan);
    }
}

TEST_CASE("whatever a kernel throws is its case's result, and the run goes on") {
    PeerKernel kernel(small + "f32");
    kernel.afterwards = [](const Inputs&, const Outputs&) { throw std::runtime_error("out of registers"); };
    Result result = judge_case(small + "f32", kernel);
    CHECK(result.exit_status() == 2);
    CHECK(has(result.cases().at(0).reason, "out of registers"));
    kernel.afterwards = [](const Inputs&, const Outputs&) { throw 42; };
    result = judge_case(small + "f32", kernel);
    CHECK(result.exit_status() == 2);
    CHECK(result.cases().at(0).verdict == "errored");
}

TEST_CASE("a wrong kernel is rejected and its mistake named") {
    PeerKernel kernel(small + "f32");
    kernel.afterwards = [](const Inputs&, const Outputs& to) {
        for (std::int64_t i = 0; i < to.lse.size(); ++i) to.lse.as<float>()[i] *= 1.44269504F;
    };
    const Result result = judge_case(small + "f32", kernel);
    CHECK(result.exit_status() == 1);
    CHECK_FALSE(result.passed());
    CHECK(result.names("lse-base-2"));
    CHECK_FALSE(result.names("detached-merge"));
    CHECK(has(result.text(), "FAILED"));
    CHECK(has(result.text(), "dca::judge::judge_case(\"id=small seq_q=23"));
    std::ostringstream streamed;
    streamed << result;
    CHECK(streamed.str() == result.text());
}

TEST_CASE("a kernel that supports nothing has not passed") {
    PeerKernel kernel(small + "f32");
    kernel.support = Support::no("head_dim must be 128");
    const Result one = judge_case(small + "f32", kernel);
    CHECK(one.exit_status() == 3);
    CHECK(one.cases().at(0).reason == "head_dim must be 128");
    const Result all = run({.suite = "smoke"}, kernel);
    CHECK(all.exit_status() == 3);
    CHECK(kernel.runs == 0);
}

TEST_CASE("a suite in one type") {
    const std::vector<Case> as_written = cases({.suite = "smoke"});
    const std::vector<Case> in_f32 = cases({.suite = "smoke", .dtype = Dtype::f32});
    REQUIRE(as_written.size() == in_f32.size());
    std::set<std::string> ids;
    for (std::size_t i = 0; i < in_f32.size(); ++i) {
        CHECK(in_f32[i].problem.dtype == Dtype::f32);
        CHECK(ids.insert(in_f32[i].id).second);
        const bool changed = as_written[i].problem.dtype != Dtype::f32;
        CHECK(in_f32[i].id == as_written[i].id + (changed ? "_f32" : ""));
        CHECK(has(in_f32[i].text, "dtype=f32"));
    }
    CHECK(cases({.suite = "smoke", .cases = "decode_*"}).size() == 1);
    CHECK_THROWS_AS(cases({.suite = "smoke", .cases = "no_such"}), std::runtime_error);
    CHECK_THROWS_AS(cases({.suite = "smokey"}), std::runtime_error);
}

TEST_CASE("every case of every suite can be asked in every type") {
    for (const char* suite : {"smoke", "ci"}) {
        for (const Dtype dtype : {Dtype::f64, Dtype::f32, Dtype::tf32, Dtype::f16, Dtype::bf16}) {
            PeerKernel kernel("");
            kernel.support = Support::no("only looking");
            CHECK(run({.suite = suite, .dtype = dtype}, kernel).exit_status() == 3);
        }
    }
}

TEST_CASE("progress is told and may stop the run") {
    PeerKernel kernel(small + "f32");
    kernel.support = Support::no("only looking");
    std::size_t calls = 0, last = 0;
    Options options{.suite = "smoke"};
    options.progress = [&](const std::string&, std::size_t done, std::size_t total) {
        ++calls;
        last = done;
        CHECK(done <= total);
    };
    (void)run(options, kernel);
    CHECK(calls == cases({}).size() + 1);
    CHECK(last == cases({}).size());
    options.progress = [](const std::string&, std::size_t, std::size_t) { throw std::domain_error("stop"); };
    CHECK_THROWS_AS(run(options, kernel), std::domain_error);
}

TEST_CASE("reports are written or the way is said to be blocked") {
    const dca::test::TemporaryFolder folder;
    PeerKernel kernel(small + "f32");
    const Result result = judge_case(small + "f32", kernel);
    result.write_junit(folder / "junit.xml");
    result.write_json(folder / "report.json");
    result.write_markdown(folder / "report.md");
    result.write_html(folder / "report.html");
    CHECK(has(dca::test::read_file(folder / "report.html"), "</html>"));
    CHECK(has(dca::test::read_file(folder / "junit.xml"), "<testsuite"));
    CHECK(has(dca::test::read_file(folder / "report.json"), "\"verdict\""));
    CHECK(dca::test::read_file(folder / "report.md") == result.markdown());
    CHECK_THROWS_AS(result.write_json(folder / "no/such/folder.json"), std::runtime_error);
    std::filesystem::create_directory(folder / "taken");
    CHECK_THROWS_AS(result.write_json(folder / "taken"), std::runtime_error);
    CHECK_FALSE(std::filesystem::exists(folder / "taken.part"));
}

TEST_CASE("case texts that are none") {
    PeerKernel kernel(small + "f32");
    CHECK_THROWS_AS(judge_case("seq_q=4", kernel), std::runtime_error);
    CHECK_THROWS_AS(judge_case(small + "f33", kernel), std::runtime_error);
    CHECK_THROWS_AS(judge_case(small + "f32 expect=reject", kernel), std::runtime_error);
    CHECK_THROWS_AS(judge_case("seq_q=4 head_dim=16 chunk_size=4 local_size=4", kernel), std::runtime_error);
    CHECK(kernel.runs == 0);
    CHECK(version() == DCA_VERSION);
}
