#include "verify/run/sampled_golden.hpp"

#include "golden/case_text.hpp"
#include "golden/make_inputs.hpp"
#include "golden/sample_rows.hpp"
#include "reference/error_scale.hpp"
#include "reference/math/chunk_positions.hpp"
#include "reference/sampled/sampled.hpp"

namespace dca::verify {
namespace {

namespace sampled = reference::sampled;

/// The inputs of a case as the sampled computation asks for them.
class CaseSource final : public sampled::Source {
public:
    explicit CaseSource(const golden::CaseSpec& spec) : source_(spec) {}
    void fill(sampled::InputKind kind, std::int64_t batch, std::int64_t begin, std::int64_t end,
              std::span<double> out) const override {
        constexpr golden::InputTensor tensors[] = {golden::InputTensor::q, golden::InputTensor::k,
                                                   golden::InputTensor::v, golden::InputTensor::dout};
        source_.fill_rows(tensors[static_cast<std::size_t>(kind)], batch, begin, end, out);
    }

private:
    golden::InputSource source_;
};

golden::CaseData head_of(const golden::CaseSpec& spec) {
    golden::CaseData data;
    data.id = spec.id;
    data.problem = spec.problem;
    data.regenerates = spec;
    data.sample_rows = golden::sample_rows(spec);
    data.provenance["case_text"] = golden::to_text(spec);
    data.judge.emplace();
    data.judge->regions = reference::row_regions(spec.problem);
    data.judge->error_model_version = reference::error_model_version;
    return data;
}

std::vector<std::string> tensors_of(bool gradient) {
    if (!gradient) return {"outputs/out", "outputs/lse", "judge/sigma_out", "judge/sigma_lse"};
    return {"outputs/out",     "outputs/lse",     "outputs/dq",     "outputs/dk",     "outputs/dv",
            "judge/sigma_out", "judge/sigma_lse", "judge/sigma_dq", "judge/sigma_dk", "judge/sigma_dv"};
}

}  // namespace

void write_sampled_case(const golden::CaseSpec& spec, golden::FileWriter& writer, const Within& within) {
    const bool gradient = spec.recipe.gradient;
    const CaseSource source(spec);
    const golden::CaseData head = head_of(spec);
    golden::CaseStream stream = writer.begin(head, tensors_of(gradient));
    const sampled::KeySink sink{[&](std::span<const double> dk, std::span<const double> dv) {
                                    stream.append("outputs/dk", dk);
                                    stream.append("outputs/dv", dv);
                                },
                                [&](std::span<const float> dk, std::span<const float> dv) {
                                    stream.append("judge/sigma_dk", dk);
                                    stream.append("judge/sigma_dv", dv);
                                }};
    const sampled::RowResults rows = sampled::compute(spec.problem, head.sample_rows, gradient, source, sink, within);
    const auto append = [&](const char* path, const auto& tensor) { stream.append(path, tensor.values()); };
    append("outputs/out", rows.outputs.out);
    append("outputs/lse", rows.outputs.lse);
    append("judge/sigma_out", rows.scales.out);
    append("judge/sigma_lse", rows.scales.lse);
    golden::Certificates certificates{{"out", {rows.radii.out, true, false}}, {"lse", {rows.radii.lse, true, false}}};
    if (gradient) {
        append("outputs/dq", *rows.dq);
        append("judge/sigma_dq", *rows.scales.dq);
        certificates["dq"] = {rows.radii.dq, true, false};
        certificates["dk"] = {rows.radii.dk, true, false};
        certificates["dv"] = {rows.radii.dv, true, false};
    }
    stream.finish(certificates);
}

}  // namespace dca::verify
