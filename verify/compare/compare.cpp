#include "verify/compare/compare.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "golden/make_inputs.hpp"
#include "verify/compare/golden_facts.hpp"
#include "verify/compare/reason.hpp"

namespace dca::verify {
namespace {

double largest(std::span<const double> values) {
    double size = 0;
    for (double value : values) size = std::max(size, std::abs(value));
    return size;
}

/// Largest magnitudes of the inputs. Where they are not stored, of a sample of theirs: in constant memory, and at most
/// the true ones, which is the careful side.
struct InputSizes {
    explicit InputSizes(const golden::CaseData& golden) {
        if (golden.regenerates) {
            const golden::InputSource source(*golden.regenerates);
            std::tie(q, k, v) = std::tuple(source.typical_largest(golden::InputTensor::q),
                                           source.typical_largest(golden::InputTensor::k),
                                           source.typical_largest(golden::InputTensor::v));
            gradient = golden.regenerates->recipe.gradient;
            if (gradient) dout = source.typical_largest(golden::InputTensor::dout);
            return;
        }
        if (!golden.largest_inputs.empty()) {  // read_head has seen them pass by
            const auto& found = golden.largest_inputs;
            std::tie(q, k, v) = std::tuple(found.at("q"), found.at("k"), found.at("v"));
            gradient = found.contains("dout");
            if (gradient) dout = found.find("dout")->second;
            return;
        }
        const Inputs& in = golden.inputs;
        std::tie(q, k, v) = std::tuple(largest(in.q.values()), largest(in.k.values()), largest(in.v.values()));
        gradient = in.dout.has_value();
        if (gradient) dout = largest(in.dout->values());
    }
    double q = 0, k = 0, v = 0, dout = 0;
    bool gradient = false;
};

/// The size of a typical wrong value of each tensor, for the trust in expected zeros (compare_tensor): weights sum to
/// 1, so |out| <= max |v| and a gradient's terms are bounded the same way (|dP - D| <= 2 head_dim_v max |dout| max
/// |v|).
struct NaturalSizes {
    explicit NaturalSizes(const golden::CaseData& golden) {
        const InputSizes in(golden);
        out = in.v;
        if (!in.gradient) return;
        dv = in.dout;
        const double logit_gradient = 2 * static_cast<double>(golden.problem.shape.head_dim_v) * dv * out;
        const double scale = std::abs(golden.problem.resolved_softmax_scale());
        dq = scale * logit_gradient * in.k;
        dk = scale * logit_gradient * in.q;
    }
    double out = 0, dq = 0, dk = 0, dv = 0;
    double lse = 1;  // an error of 1 is a factor e in the sum of the row
};

class CaseJudge {
public:
    explicit CaseJudge(const golden::CaseData& golden) {
        report_.id = golden.id;
        report_.dtype = name(golden.problem.dtype);
    }

    /// scale: pointer to the golden's scales, null where there are none.
    template <int Rank>
    void tensor(const std::string& name, const std::optional<Tensor<double, Rank>>& expected,
                const std::optional<Tensor<double, Rank>>& got, const Tensor<float, Rank>* scale,
                std::span<const Region> regions, double natural_size) {
        if (!expected && !got) return;
        if (!got) {
            report_.not_in_candidate.push_back(name);
            return;
        }
        if (!expected) {
            TensorReport skipped;
            skipped.tensor = name;
            skipped.verdict = Verdict::skipped;
            skipped.reason = "the golden has no " + name + " to compare with";
            skipped.extents.assign(got->extents().begin(), got->extents().end());
            report_.tensors.push_back(std::move(skipped));
            return;
        }
        expects(expected->extents() == got->extents(), "compare_case: shapes differ");
        const std::vector<Region> unlabelled(regions.empty() ? rows_of(*expected) : 0, Region::none);
        report_.tensors.push_back(compare_tensor(name, expected->extents(), expected->values(), got->values(),
                                                 scale ? scale->values() : std::span<const float>{},
                                                 regions.empty() ? unlabelled : regions, natural_size));
    }

    [[nodiscard]] CaseReport finish() {
        conclude(report_);
        return std::move(report_);
    }

private:
    template <int Rank>
    static std::size_t rows_of(const Tensor<double, Rank>& tensor) {
        return static_cast<std::size_t>(tensor.extent(Rank == 4 ? 1 : 2));
    }

    CaseReport report_;
};

template <class T>
const T* pointer(const std::optional<T>& value) {
    return value ? &*value : nullptr;
}

}  // namespace

Lines lines_for(const std::string& tensor) {
    // Emulated honest kernels stay below 4 sigma per element and 1.6 per row (docs/error_model.md measures them). lse
    // has one value per row, so a row rule would repeat the element rule.
    if (tensor == "out") return {6, 2};
    if (tensor == "lse") return {6, 0};
    const auto is_gradient = [&](chunk_summary::TensorId id) { return tensor == gradient_name(id); };
    const auto& others = chunk_summary::all_tensors;
    expects(
        tensor == "dq" || tensor == "dk" || tensor == "dv" || std::any_of(others.begin(), others.end(), is_gradient),
        "lines_for: unknown tensor");
    return {6, 3};
}

std::map<std::string, double> natural_sizes(const golden::CaseData& golden) {
    const NaturalSizes sizes(golden);
    return {{"out", sizes.out}, {"lse", sizes.lse}, {"dq", sizes.dq}, {"dk", sizes.dk}, {"dv", sizes.dv}};
}

CaseReport compare_case(const golden::CaseData& golden, const golden::Results& candidate) {
    const golden::Results& truth = golden.results;
    const ErrorScales* scales = golden.judge ? &golden.judge->scales : nullptr;
    const RowRegions regions = golden.judge ? golden.judge->regions : RowRegions{};
    const NaturalSizes natural(golden);

    CaseJudge judge(golden);
    judge.tensor("out", truth.out, candidate.out, scales ? &scales->out : nullptr, regions.query, natural.out);
    judge.tensor("lse", truth.lse, candidate.lse, scales ? &scales->lse : nullptr, regions.query, natural.lse);
    judge.tensor("dq", truth.dq, candidate.dq, scales ? pointer(scales->dq) : nullptr, regions.query, natural.dq);
    judge.tensor("dk", truth.dk, candidate.dk, scales ? pointer(scales->dk) : nullptr, regions.key, natural.dk);
    judge.tensor("dv", truth.dv, candidate.dv, scales ? pointer(scales->dv) : nullptr, regions.key, natural.dv);
    CaseReport report = judge.finish();
    add_golden_facts(golden, report);
    return report;
}

}  // namespace dca::verify
