// p_dtype, accumulator and output_dtype: words of a case, attributes of a file, and what is refused.
#include <functional>

#include "golden/case_text.hpp"
#include "golden/make_inputs.hpp"
#include "golden/schema.hpp"
#include "golden/store.hpp"
#include "tests/golden/scratch_folder.hpp"
#include "tests/support/catch.hpp"

namespace dca::test {
namespace {

constexpr const char* shape = "seq_q=5 head_dim=4 chunk_size=3 local_size=1";

/// The message of the InvalidProblem that the work ends with.
std::string refusal(const std::function<void()>& work) {
    try {
        work();
    } catch (const InvalidProblem& error) {
        return error.what();
    }
    return "nothing was refused";
}

golden::CaseSpec with(const std::string& words) {
    return golden::parse_case(std::string(shape) + " " + words);
}

}  // namespace

TEST_CASE("the types a candidate works in come from words, or from dtype", "[work_types]") {
    const golden::CaseSpec plain = with("dtype=e4m3");
    CHECK(plain.problem.work == WorkTypes{});
    CHECK(plain.problem.resolved_p_dtype() == Dtype::e4m3);
    CHECK(plain.problem.resolved_accumulator() == Dtype::f32);
    CHECK(plain.problem.resolved_output_dtype() == Dtype::bf16);
    CHECK(with("dtype=tf32").problem.resolved_output_dtype() == Dtype::f32);
    CHECK(with("").problem.resolved_accumulator() == Dtype::f64);
    const std::string text = std::string(shape) + " dtype=f16 p_dtype=e5m2 accumulator=f16 output_dtype=bf16";
    const golden::CaseSpec spec = golden::parse_case(text);
    CHECK(spec.problem.work == WorkTypes{Dtype::e5m2, Dtype::f16, Dtype::bf16});
    CHECK(golden::to_text(spec) == text);
    CHECK_NOTHROW(validate(spec.problem));
}

TEST_CASE("a file keeps the types a candidate works in, and says nothing where none are given", "[work_types]") {
    const ScratchFolder folder;
    const std::filesystem::path path = folder.path() / "types.h5";
    for (const char* words : {"dtype=bf16", "dtype=bf16 p_dtype=e4m3 accumulator=f64 output_dtype=f32"}) {
        const golden::CaseSpec spec = with(words);
        golden::CaseData data;
        data.id = "one";
        data.problem = spec.problem;
        data.inputs = golden::make_inputs(spec);
        golden::FileWriter writer(path);
        writer.write(data);
        writer.commit();
        CHECK(golden::FileReader(path).read("one").problem.work == spec.problem.work);
    }
    for (const golden::AttributeRule& rule : golden::problem_attributes()) {
        const bool of_work = rule.name == "p_dtype" || rule.name == "accumulator" || rule.name == "output_dtype";
        if (of_work) CHECK_FALSE(rule.get(with("").problem).has_value());
    }
}

TEST_CASE("combinations of types that make no sense are refused, by name", "[work_types]") {
    const std::pair<const char*, const char*> wrong[] = {
        {"dtype=f64 accumulator=f32", "accumulator f32 is coarser than dtype f64"},
        {"dtype=bf16 p_dtype=f64", "accumulator f32 is coarser than p_dtype f64"},
        {"dtype=f16 accumulator=f16 output_dtype=f32", "accumulator f16 is coarser than output_dtype f32"},
        {"dtype=f16 accumulator=bf16", "accumulator bf16 is coarser than dtype f16"},
        {"dtype=e4m3 accumulator=e4m3", "accumulator is e4m3, must be f64, f32, f16 or bf16"},
        {"dtype=bf16 output_dtype=e4m3", "output_dtype is e4m3, must be f64, f32, f16 or bf16"},
        {"dtype=f32 output_dtype=tf32", "output_dtype is tf32, must be f64, f32, f16 or bf16"},
    };
    for (const auto& [words, message] : wrong) {
        INFO(words);
        CHECK(refusal([&] { validate(with(words).problem); }) == message);
    }
    CHECK(refusal([] { (void)with("p_dtype=float"); }).find("expected one of f64 f32") != std::string::npos);
}

}  // namespace dca::test
