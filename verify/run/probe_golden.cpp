#include "verify/run/probe_golden.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "golden/case_text.hpp"
#include "golden/make_inputs.hpp"
#include "reference/error_scale.hpp"
#include "reference/math/chunk_positions.hpp"
#include "reference/math/parallel.hpp"
#include "reference/probe/probe.hpp"

namespace dca::verify {
namespace {

using reference::probe::Tensor2;

bool asked(const std::vector<std::string>& tensors, const char* tensor) {
    return tensors.empty() || std::find(tensors.begin(), tensors.end(), tensor) != tensors.end();
}

Tensor2 first_row(const golden::InputSource& source, golden::InputTensor tensor) {
    Tensor2 rows({source.extents(tensor)[2], source.extents(tensor)[3]});
    source.fill_rows(tensor, 0, 0, 1, rows.values());
    return rows;
}

/// All rows, on every thread.
Tensor4 all_rows(const golden::InputSource& source, golden::InputTensor which) {
    Tensor4 tensor(source.extents(which));
    const auto [batches, rows, heads, dim] = tensor.extents();
    constexpr std::int64_t step = 1024;
    const std::int64_t pieces = (rows + step - 1) / step, width = heads * dim;
    reference::parallel_for(
        batches * pieces, 50.0 * static_cast<double>(tensor.size()), [&, rows = rows](std::int64_t n) {
            const std::int64_t b = n / pieces, begin = n % pieces * step, end = std::min(rows, begin + step);
            source.fill_rows(which, b, begin, end,
                             tensor.values().subspan(static_cast<std::size_t>((b * rows + begin) * width),
                                                     static_cast<std::size_t>((end - begin) * width)));
        });
    return tensor;
}

}  // namespace

void require_probes_for(const std::vector<std::string>& tensors, const std::vector<golden::CaseSpec>& cases) {
    for (const golden::CaseSpec& spec : cases) {
        if (tensors.empty() || spec.expectation == golden::Expectation::must_reject) continue;
        if (!spec.recipe.probe) {
            throw InvalidProblem("case " + spec.id +
                                 ": --tensor is for probes; any other golden stores every tensor (leave it out)");
        }
        for (const std::string& tensor : tensors) {
            if (tensor != "out" && tensor != "lse" && !spec.recipe.gradient) {
                throw InvalidProblem("case " + spec.id + ": --tensor " + tensor + " with gradient=0");
            }
        }
    }
}

golden::CaseData make_probe_case(const golden::CaseSpec& spec, const std::vector<std::string>& tensors) {
    const golden::InputSource source(spec);
    reference::probe::Wanted wanted{asked(tensors, "out"), asked(tensors, "lse"), asked(tensors, "dq"),
                                    asked(tensors, "dk"), asked(tensors, "dv")};
    if (!spec.recipe.gradient) wanted.dq = wanted.dk = wanted.dv = false;
    reference::probe::ProbeInputs inputs{first_row(source, golden::InputTensor::q),
                                         first_row(source, golden::InputTensor::k),
                                         all_rows(source, golden::InputTensor::v),
                                         {}};
    if (wanted.gradients()) inputs.dout = all_rows(source, golden::InputTensor::dout);
    reference::probe::ProbeResults results = reference::probe::probe(spec.problem, inputs, wanted);

    golden::CaseData data;
    data.id = spec.id;
    data.problem = spec.problem;
    data.regenerates = spec;
    data.provenance["case_text"] = golden::to_text(spec);
    golden::JudgeData& judge = data.judge.emplace();
    judge.regions = reference::row_regions(spec.problem);
    judge.error_model_version = reference::error_model_version;
    const reference::probe::ErrorRadii radii =
        reference::probe::error_radii(spec.problem, inputs, results.largest_key_sum);
    const auto certify = [&](bool there, const char* tensor, double radius) {
        if (there) data.certificates[tensor] = {radius, radii.proven && std::isfinite(radius), false};
    };
    certify(wanted.out, "out", radii.out);
    certify(wanted.lse, "lse", radii.lse);
    certify(wanted.dq, "dq", radii.dq);
    certify(wanted.dk, "dk", radii.dk);
    certify(wanted.dv, "dv", radii.dv);
    data.results = {std::move(results.out), std::move(results.lse), std::move(results.dq), std::move(results.dk),
                    std::move(results.dv)};
    if (results.sigma_out) judge.scales.out = std::move(*results.sigma_out);
    if (results.sigma_lse) judge.scales.lse = std::move(*results.sigma_lse);
    judge.scales.dq = std::move(results.sigma_dq);
    judge.scales.dk = std::move(results.sigma_dk);
    judge.scales.dv = std::move(results.sigma_dv);
    return data;
}

}  // namespace dca::verify
