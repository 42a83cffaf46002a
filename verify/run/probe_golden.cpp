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
#include "verify/run/background_writer.hpp"

namespace dca::verify {
namespace {

using reference::probe::ErrorRadii;
using reference::probe::ProbeInputs;
using reference::probe::ProbeResults;
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
void fill_all_rows(const golden::InputSource& source, golden::InputTensor which, Tensor4& tensor) {
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
}

golden::CaseData head_of(const golden::CaseSpec& spec) {
    golden::CaseData head;
    head.id = spec.id;
    head.problem = spec.problem;
    head.regenerates = spec;
    head.provenance["case_text"] = golden::to_text(spec);
    head.judge.emplace();
    head.judge->regions = reference::row_regions(spec.problem);
    head.judge->error_model_version = reference::error_model_version;
    return head;
}

std::vector<std::string> paths_of(const reference::probe::Wanted& wanted) {
    std::vector<std::string> paths;
    for (const char* prefix : {"outputs/", "judge/sigma_"}) {
        if (wanted.out) paths.push_back(prefix + std::string("out"));
        if (wanted.lse) paths.push_back(prefix + std::string("lse"));
        if (wanted.dq) paths.push_back(prefix + std::string("dq"));
        if (wanted.dk) paths.push_back(prefix + std::string("dk"));
        if (wanted.dv) paths.push_back(prefix + std::string("dv"));
    }
    return paths;
}

/// Hands rows to the writer as they become final, each once and in order.
class RowsWritten {
public:
    RowsWritten(const Shape& shape, BackgroundWriter& writer) : shape_(shape), writer_(writer) {}

    void queries(const ProbeResults& r, std::int64_t batch, std::int64_t end) {
        const Range rows = advance(query_rows_, batch * shape_.seq_q + end);
        append("out", r.out, r.sigma_out, rows, shape_.heads_q * shape_.head_dim_v);
        append("dq", r.dq, r.sigma_dq, rows, shape_.heads_q * shape_.head_dim);
        // Rows are the last axis of lse: whole batch entries.
        const Range entries = advance(entries_, query_rows_ / shape_.seq_q);
        append("lse", r.lse, r.sigma_lse, entries, shape_.heads_q * shape_.seq_q);
    }
    void keys(const ProbeResults& r, std::int64_t batch, std::int64_t end) {
        const Range rows = advance(key_rows_, batch * shape_.seq_k + end);
        append("dk", r.dk, r.sigma_dk, rows, shape_.heads_kv * shape_.head_dim);
        append("dv", r.dv, r.sigma_dv, rows, shape_.heads_kv * shape_.head_dim_v);
    }

private:
    struct Range {
        std::int64_t begin, end;
    };
    static Range advance(std::int64_t& done, std::int64_t end) {
        const Range range{done, std::max(done, end)};
        done = range.end;
        return range;
    }
    template <class Values, class Scales>
    void append(const std::string& tensor, const Values& values, const Scales& scales, Range rows, std::int64_t width) {
        if (rows.begin == rows.end) return;
        const auto first = static_cast<std::size_t>(rows.begin * width),
                   count = static_cast<std::size_t>((rows.end - rows.begin) * width);
        if (values) writer_.append("outputs/" + tensor, values->values().subspan(first, count));
        if (values && scales) writer_.append("judge/sigma_" + tensor, scales->values().subspan(first, count));
    }

    const Shape& shape_;
    BackgroundWriter& writer_;
    std::int64_t query_rows_ = 0, key_rows_ = 0, entries_ = 0;
};

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

void write_probe_case(const golden::CaseSpec& spec, const std::vector<std::string>& tensors,
                      golden::FileWriter& writer) {
    const golden::InputSource source(spec);
    reference::probe::Wanted wanted{asked(tensors, "out"), asked(tensors, "lse"), asked(tensors, "dq"),
                                    asked(tensors, "dk"), asked(tensors, "dv")};
    if (!spec.recipe.gradient) wanted.dq = wanted.dk = wanted.dv = false;
    ProbeInputs inputs{first_row(source, golden::InputTensor::q), first_row(source, golden::InputTensor::k), {}, {}};
    // Making a large tensor touches all its pages: one thread each.
    reference::parallel_for(wanted.gradients() ? 2 : 1, 1e9, [&](std::int64_t n) {
        if (n == 0) inputs.v = Tensor4(source.extents(golden::InputTensor::v));
        if (n == 1) inputs.dout.emplace(source.extents(golden::InputTensor::dout));
    });
    fill_all_rows(source, golden::InputTensor::v, inputs.v);
    if (inputs.dout) fill_all_rows(source, golden::InputTensor::dout, *inputs.dout);
    golden::CaseStream stream = writer.begin(head_of(spec), paths_of(wanted));
    ProbeResults results;  // outlives the thread that reads it, whatever is thrown
    BackgroundWriter background(stream);
    RowsWritten written(spec.problem.shape, background);
    const reference::probe::Watch watch{
        [&](const ProbeResults& r, std::int64_t batch, std::int64_t end) { written.queries(r, batch, end); },
        [&](const ProbeResults& r, std::int64_t batch, std::int64_t end) { written.keys(r, batch, end); }};
    reference::probe::probe(spec.problem, inputs, wanted, watch, results);
    const ErrorRadii radii = reference::probe::error_radii(spec.problem, inputs, results.largest_key_sum);
    background.finish();
    golden::Certificates certificates;
    const auto certify = [&](bool there, const char* tensor, double radius) {
        if (there) certificates[tensor] = {radius, radii.proven && std::isfinite(radius), false};
    };
    certify(wanted.out, "out", radii.out);
    certify(wanted.lse, "lse", radii.lse);
    certify(wanted.dq, "dq", radii.dq);
    certify(wanted.dk, "dk", radii.dk);
    certify(wanted.dv, "dv", radii.dv);
    stream.finish(certificates);
}

}  // namespace dca::verify
