#include "verify/diagnose/fingerprint.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "reference/error_scale.hpp"
#include "verify/diagnose/agreement.hpp"
#include "verify/diagnose/mistake.hpp"

namespace dca::verify {
namespace {

/// rms(error) / rms(sigma) of honest kernels, over whole tensors: 0.16 to 0.71 in the table of docs/error_model.md
/// section 7, where the rms is one over all rows; an eighth more for fewer rows.
constexpr double honest_least = 0.1, honest_most = 0.8;
/// rms(error) / rms(sigma of the flash profile) of a healthy kernel (the same section).
constexpr double flash_ratio = 0.72;

/// Rows whose error has the size of most rows' errors, and that size in sigma.
struct Noise {
    std::vector<RowRef> rows;
    double ratio = 0;
};

double mean_square(std::span<const double> a, std::span<const double> b) {
    double sum = 0;
    for (std::size_t c = 0; c < a.size(); ++c) {
        if (a[c] == b[c]) continue;  // infinities too
        sum += (a[c] - b[c]) * (a[c] - b[c]);
    }
    return sum / static_cast<double>(a.size());
}
double mean_square(std::span<const float> a) {
    double sum = 0;
    for (const float x : a) sum += double{x} * double{x};
    return sum / static_cast<double>(a.size());
}

/// Nothing where the error is no rounding: half of the rows at least must err by a few times the median, and not by a
/// factor on the expected values.
std::optional<Noise> noise_of(std::string_view tensor, const golden::CaseData& golden,
                              const golden::Results& candidate) {
    const Rows expected(golden.results, tensor), got(candidate, tensor);
    const ScaleRows sigma(golden.judge->scales, tensor);
    if (!expected || !got || !sigma) return std::nullopt;
    struct Row {
        RowRef at;
        double ratio;
    };
    std::vector<Row> rows;
    for (const RowRef& at : every_row(golden.results, tensor)) {
        const double s = mean_square(sigma.at(at)), e = mean_square(expected.at(at), got.at(at));
        // Rows that are exact in every kernel say nothing.
        if (s > 0 && std::isfinite(s) && std::isfinite(e) && s > 1e-60) rows.push_back({at, e / s});
    }
    if (rows.size() < 8) return std::nullopt;
    std::vector<double> sorted;
    for (const Row& row : rows) sorted.push_back(row.ratio);
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2), sorted.end());
    const double median = sorted[sorted.size() / 2];
    Noise noise;
    double sum = 0, xx = 0, xe = 0, ee = 0;
    for (const Row& row : rows) {
        if (row.ratio > 16 * median) continue;
        noise.rows.push_back(row.at);
        sum += row.ratio;
        const double s = mean_square(sigma.at(row.at));
        for (std::size_t c = 0; c < expected.at(row.at).size(); ++c) {
            const double x = expected.at(row.at)[c], e = got.at(row.at)[c] - x;
            if (!std::isfinite(x) || !std::isfinite(e)) continue;
            xx += x * x / s;
            xe += x * e / s;
            ee += e * e / s;
        }
    }
    if (2 * noise.rows.size() < rows.size() || (xx > 0 && ee > 0 && xe * xe > 0.1 * xx * ee)) return std::nullopt;
    noise.ratio = std::sqrt(sum / static_cast<double>(noise.rows.size()));
    return noise;
}

struct Alternative {
    std::string name;
    reference::KernelProfile profile;
    ErrorScales scales;
};

std::vector<Alternative> alternatives(const Problem& problem) {
    const reference::KernelProfile declared = reference::flash_profile(problem);
    std::vector<Alternative> all{{"as declared", declared, {}}};
    const auto add = [&](const char* what, Dtype type, Dtype instead_of, auto&& change) {
        if (type == instead_of) return;
        all.push_back({std::string(what) + " in " + std::string(name(type)), declared, {}});
        change(all.back().profile);
    };
    for (const Dtype p : {Dtype::f32, Dtype::tf32, Dtype::f16, Dtype::bf16, Dtype::e4m3, Dtype::e5m2}) {
        if (problem.dtype == Dtype::f64 && p == Dtype::f32) continue;
        add("P", p, declared.p, [&](reference::KernelProfile& k) {
            k.p = k.ds = p;
            k.p_scale = traits(p).storage_bits == 8 ? 256 : 1;
        });
    }
    for (const Dtype sums : {Dtype::f16, Dtype::bf16}) {
        add("the accumulator", sums, declared.accumulator, [&](reference::KernelProfile& k) { k.accumulator = sums; });
    }
    for (const Dtype input : {Dtype::tf32, Dtype::f16, Dtype::bf16, Dtype::e4m3}) {
        if (!(unit_roundoff(input) > unit_roundoff(declared.input))) continue;
        add("operands", input, declared.input, [&](reference::KernelProfile& k) { k.input = input; });
    }
    for (const Dtype output : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
        if (!(unit_roundoff(output) > unit_roundoff(declared.output))) continue;
        add("outputs", output, declared.output, [&](reference::KernelProfile& k) { k.output = output; });
    }
    if (problem.dtype == Dtype::f64) {
        Problem narrow = problem;
        narrow.dtype = Dtype::f32;
        all.push_back({"everything in f32", reference::flash_profile(narrow), {}});
    }
    return all;
}

/// What a healthy kernel with these scales would measure in these rows.
double predicted(std::string_view tensor, const Noise& noise, const ErrorScales& scales, const ErrorScales& family) {
    const ScaleRows own(scales, tensor), all(family, tensor);
    double sum = 0;
    for (const RowRef& at : noise.rows) sum += mean_square(own.at(at)) / mean_square(all.at(at));
    return flash_ratio * std::sqrt(sum / static_cast<double>(noise.rows.size()));
}

std::string times(double factor) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.2g times", factor);
    return text.data();
}

std::string declared_types(const Problem& problem) {
    std::string text(name(problem.dtype));
    if (problem.work.p) text += ", P " + std::string(name(*problem.work.p));
    if (problem.work.accumulator) text += ", accumulator " + std::string(name(*problem.work.accumulator));
    if (problem.work.output) text += ", outputs " + std::string(name(*problem.work.output));
    return text;
}

std::string usual_text(const Problem& problem) {
    return "noise as that of honest kernels in declared " + declared_types(problem);
}

/// The alternative whose prediction is nearest, if within a factor of 2: kernels of the same types differ by that.
void choose(Fingerprint& print, const Noise& noise, const std::vector<Alternative>& all,
            const golden::CaseData& golden) {
    print.declared_ratio = predicted(print.tensor, noise, all.front().scales, golden.judge->scales);
    double nearest = std::log2(2.0);
    for (const Alternative& one : all) {
        const double ratio = predicted(print.tensor, noise, one.scales, golden.judge->scales);
        const double octaves = std::abs(std::log2(noise.ratio / ratio));
        if (!(octaves < nearest)) continue;
        nearest = octaves;
        print.best = one.name;
        print.best_ratio = ratio;
    }
    print.text = "noise is " + times(noise.ratio / print.declared_ratio) + " that of a kernel in declared " +
                 declared_types(golden.problem);
    if (print.best.empty() || (print.worse_than_declared && print.best == "as declared")) {
        print.best.clear();
        print.text += "; no other single type explains it";
    } else if (print.best != "as declared") {
        print.text += ": " + print.best + " would explain it";
    }
}

}  // namespace

std::optional<std::vector<Fingerprint>> usual_fingerprints(const Problem& problem, const CaseReport& report) {
    std::vector<Fingerprint> prints;
    for (const TensorReport& tensor : report.tensors) {
        if (tensor.verdict == Verdict::failed) return std::nullopt;
        if (tensor.verdict != Verdict::passed && tensor.verdict != Verdict::marginal) continue;
        double sum = 0, elements = 0;
        for (const RegionReport& region : tensor.regions) {
            const auto count = static_cast<double>(region.elements);
            sum += region.rms_ratio * region.rms_ratio * count;
            elements += count;
        }
        if (!(elements > 0)) continue;
        Fingerprint print;
        print.tensor = tensor.tensor;
        print.rms_ratio = std::sqrt(sum / elements);
        // The rms of a whole tensor is that of its largest errors: below the band it may still be honest.
        if (!(print.rms_ratio <= honest_most)) return std::nullopt;
        print.best = "as declared";
        print.text = usual_text(problem);
        prints.push_back(std::move(print));
    }
    return prints;
}

namespace {

bool failed(const CaseReport& report, const std::string& tensor) {
    return std::any_of(report.tensors.begin(), report.tensors.end(),
                       [&](const TensorReport& one) { return one.tensor == tensor && one.verdict == Verdict::failed; });
}

/// Explained by something else than a narrower type: then the error is no noise.
bool is_mistake(const CaseReport& report, const std::string& tensor) {
    return std::any_of(report.explanations.begin(), report.explanations.end(), [&](const Explanation& one) {
        const bool precision = one.id == "lower-precision" || one.id == "p-e4m3" || one.id == "accumulator-bf16";
        return !precision && std::find(one.tensors.begin(), one.tensors.end(), tensor) != one.tensors.end();
    });
}

}  // namespace

std::vector<Fingerprint> fingerprints(const golden::CaseData& golden, const golden::Results& candidate,
                                      const CaseReport& report, double multiply_adds) {
    std::vector<Fingerprint> prints;
    if (!golden.judge || golden.problem.sparse_prefill()) return prints;
    std::vector<Noise> noises;
    bool unusual = false, gradients = false;
    for (const TensorReport& tensor : report.tensors) {
        if (is_mistake(report, tensor.tensor)) continue;
        const std::optional<Noise> noise = noise_of(tensor.tensor, golden, candidate);
        if (!noise) continue;
        Fingerprint print;
        print.tensor = tensor.tensor;
        print.rms_ratio = noise->ratio;
        print.worse_than_declared = noise->ratio > honest_most;
        const bool usual = !print.worse_than_declared && (noise->ratio >= honest_least || noise->ratio == 0);
        print.best = usual ? "as declared" : "";
        print.text = usual ? usual_text(golden.problem) : "";
        unusual = unusual || !usual;
        gradients = gradients || (!usual && tensor.tensor != "out" && tensor.tensor != "lse");
        prints.push_back(std::move(print));
        noises.push_back(*noise);
    }
    if (!unusual) return prints;

    const golden::Results& results = golden.results;
    std::vector<Alternative> all = alternatives(golden.problem);
    gradients = gradients && golden.inputs.dout;
    const double work = forward_work(golden.problem) * (gradients ? 11 : 4) * static_cast<double>(all.size());
    const bool possible = results.out && results.lse && work <= multiply_adds && !golden.inputs.q.values().empty();
    if (possible) {
        Inputs inputs = golden.inputs;
        if (!gradients) inputs.dout.reset();
        const Outputs outputs{*results.out, *results.lse};
        for (Alternative& one : all) {
            one.scales = reference::error_scales(golden.problem, inputs, outputs, one.profile);
        }
    }
    for (std::size_t n = 0; n < prints.size(); ++n) {
        if (!prints[n].best.empty()) continue;
        const bool has_scales = prints[n].tensor == "out" || prints[n].tensor == "lse" || gradients;
        if (possible && has_scales) {
            choose(prints[n], noises[n], all, golden);
        } else {
            prints[n].text = "noise is " + times(noises[n].ratio) + " sigma, honest kernels are at 0.16 to 0.71; " +
                             "which type explains it was not asked, it would take too long";
        }
    }
    // What failed and no type explains is a mistake, not noise.
    std::erase_if(prints, [&](const Fingerprint& one) { return one.best.empty() && failed(report, one.tensor); });
    return prints;
}

}  // namespace dca::verify
