#include "tests/verify/laws/law_cases.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "reference/math/chunk_positions.hpp"
#include "tests/reference/error_model/trial.hpp"

namespace dca::test {

golden::CaseData run_case(const Problem& problem, const Inputs& inputs, const KernelStyle& style) {
    KernelResult result = run_kernel(problem, inputs, style);
    golden::CaseData data;
    data.id = "trial";
    data.problem = problem;
    data.inputs = inputs;
    data.results.out = std::move(result.outputs.out);
    data.results.lse = std::move(result.outputs.lse);
    if (result.gradients) {
        data.results.dq = std::move(result.gradients->dq);
        data.results.dk = std::move(result.gradients->dk);
        data.results.dv = std::move(result.gradients->dv);
    }
    return data;
}

std::vector<KernelStyle> styles_of(Dtype dtype) {
    using Rotation = KernelStyle::Rotation;
    using Softmax = KernelStyle::Softmax;
    std::vector<KernelStyle> styles;
    for (const Softmax softmax : {Softmax::online, Softmax::unfused, Softmax::merged}) {
        styles.push_back({Rotation::wide, softmax, 0});
        if (dtype == Dtype::f16 || dtype == Dtype::bf16) styles.push_back({Rotation::in_dtype, softmax, 0});
    }
    return styles;
}

Inputs linear_inputs(const Problem& problem, std::uint64_t seed) {
    expects(problem.shape.batch == 3, "linear_inputs: batch 3");
    Inputs inputs = trial_inputs(problem, seed, 1.0, true);
    const auto repeat = [](Tensor4& tensor) {
        const std::size_t size = tensor.values().size() / 3;
        for (std::size_t e = 0; e < 2 * size; ++e) tensor.values()[size + e] = tensor.values()[e];
    };
    repeat(inputs.q);
    repeat(inputs.k);
    repeat(*inputs.dout);
    const auto v = inputs.v.values();
    const std::size_t size = v.size() / 3;
    for (std::size_t e = 0; e < 2 * size; ++e) v[e] = std::round(v[e] * 8) / 8;  // sums below 16 have 8 bits
    for (std::size_t e = 0; e < size; ++e) v[2 * size + e] = v[e] + v[size + e];
    return inputs;
}

const verify::LawResult& find(const verify::LawsCase& report, verify::Law law) {
    for (const verify::LawResult& result : report.laws) {
        if (result.law == law) return result;
    }
    throw ContractError("no such law in the report");
}

std::vector<std::string> broken_laws(const verify::LawsCase& report) {
    std::vector<std::string> names;
    for (const verify::LawResult& result : report.laws) {
        if (result.verdict == verify::Verdict::failed) names.emplace_back(verify::name(result.law));
    }
    return names;
}

std::string describe(const verify::LawsCase& report) {
    std::string text;
    for (const verify::LawResult& result : report.laws) {
        if (result.verdict == verify::Verdict::skipped) continue;
        char number[32];
        std::snprintf(number, sizeof number, " %.3g", result.worst);
        text += std::string(text.empty() ? "" : ", ") + std::string(verify::name(result.law)) + number;
        if (result.verdict == verify::Verdict::failed) text += " BROKEN at " + result.where;
    }
    return text;
}

namespace {

void scale(Tensor4& tensor, double factor) {
    for (double& x : tensor.values()) x *= factor;
}

/// Gradients as the definition gives them with one step of each row changed: p of the pair, its dS, and D.
struct Change {
    std::function<bool(std::int64_t i, std::int64_t j)> lost = [](auto, auto) { return false; };
    double d_factor = 1;
    bool in_dq = true, in_dk = true, in_dv = true;  ///< where lost pairs are lost
};

/// Attention without rotation, in double, rounded to the dtype at the end: rope none makes the laws' premises plain.
void recompute(golden::CaseData& data, const Change& change) {
    const Shape& s = data.problem.shape;
    const double tau = data.problem.resolved_softmax_scale();
    expects(data.problem.rope.layout == RopeLayout::none && s.batch == 1, "recompute: rope none, batch 1");
    scale(*data.results.dq, 0);
    scale(*data.results.dk, 0);
    scale(*data.results.dv, 0);
    const auto dot = [](const double* a, const double* b, std::int64_t n) {
        double sum = 0;
        for (std::int64_t c = 0; c < n; ++c) sum += a[c] * b[c];
        return sum;
    };
    for (std::int64_t h = 0; h < s.heads_q; ++h) {
        const std::int64_t g = h / (s.heads_q / s.heads_kv);
        for (std::int64_t i = 0; i < s.seq_q; ++i) {
            const double* q = &data.inputs.q(0, i, h, 0);
            const double* dout = &(*data.inputs.dout)(0, i, h, 0);
            const double lse = (*data.results.lse)(0, h, i);
            const double d = change.d_factor * dot(dout, &(*data.results.out)(0, i, h, 0), s.head_dim_v);
            for (std::int64_t j = 0; j <= i; ++j) {
                const double* k = &data.inputs.k(0, j, g, 0);
                const bool lost = change.lost(i, j);
                const double p = std::exp(tau * dot(q, k, s.head_dim) - lse);
                const double ds = tau * p * (dot(dout, &data.inputs.v(0, j, g, 0), s.head_dim_v) - d);
                for (std::int64_t c = 0; c < s.head_dim; ++c) {
                    if (!lost || !change.in_dq) (*data.results.dq)(0, i, h, c) += ds * k[c];
                    if (!lost || !change.in_dk) (*data.results.dk)(0, j, g, c) += ds * q[c];
                }
                if (lost && change.in_dv) continue;
                for (std::int64_t c = 0; c < s.head_dim_v; ++c) (*data.results.dv)(0, j, g, c) += p * dout[c];
            }
        }
    }
    for (Tensor4* tensor : {&*data.results.dq, &*data.results.dk, &*data.results.dv}) {
        for (double& x : tensor->values()) x = round_to(data.problem.dtype, x);
    }
}

bool one_tile(std::int64_t i, std::int64_t j) {
    return i >= 128 && i < 192 && j >= 64 && j < 128;
}

/// Zeroes the second half of the rows.
void zero_late_half(Tensor4& tensor) {
    const std::int64_t rows = tensor.extent(1), row = tensor.extent(2) * tensor.extent(3);
    auto values = tensor.values();
    for (std::int64_t b = 0; b < tensor.extent(0); ++b) {
        const auto first = static_cast<std::size_t>((b * rows + rows / 2) * row);
        std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(first), (rows - rows / 2) * row, 0.0);
    }
}

void exchange_heads(Tensor4& tensor) {
    for (std::int64_t i = 0; i < tensor.extent(1); ++i) {
        for (std::int64_t c = 0; c < tensor.extent(3); ++c) std::swap(tensor(0, i, 0, c), tensor(0, i, 1, c));
    }
}

/// Takes the rows of one query head from dk and dv again: a group sum that forgot it.
void drop_head(golden::CaseData& data, bool dk, bool dv) {
    golden::CaseData one = data;
    // The share of a head is what the gradients become where the other heads get no dout.
    const Shape& s = data.problem.shape;
    for (std::int64_t i = 0; i < s.seq_q; ++i) {
        for (std::int64_t h = 1; h < s.heads_q; ++h) {
            for (std::int64_t c = 0; c < s.head_dim_v; ++c) {
                (*one.inputs.dout)(0, i, h, c) = 0;
            }
        }
    }
    recompute(one, {});
    const auto subtract = [](Tensor4& from, const Tensor4& share) {
        for (std::size_t e = 0; e < from.values().size(); ++e) from.values()[e] -= share.values()[e];
    };
    if (dk) subtract(*data.results.dk, *one.results.dk);
    if (dv) subtract(*data.results.dv, *one.results.dv);
}

}  // namespace

std::vector<Mistake> mistakes() {
    using Data = golden::CaseData;
    using Names = std::vector<std::string>;
    const Names value_laws{"sum-dv", "dout-out"};
    const auto lose = [](bool dq, bool dk, bool dv) {
        return [=](Data& data) {
            Change change;
            change.lost = one_tile;
            change.in_dq = dq;
            change.in_dk = dk;
            change.in_dv = dv;
            recompute(data, change);
        };
    };
    return {
        {"nothing", [](Data& data) { recompute(data, {}); }, {}},
        {"a tile of 64 x 64 pairs lost from dv", lose(false, false, true), value_laws},
        {"a tile lost from dq", lose(true, false, false), {"q-dq"}},
        {"a tile lost from dk", lose(false, true, false), {"q-dq", "key-shift"}},
        {"a tile of dS lost from dq and dk alike", lose(true, true, false), {"key-shift"}},
        {"dk of one query head of the group dropped", [](Data& data) { drop_head(data, true, false); }, {"q-dq"}},
        {"dv of one query head of the group dropped", [](Data& data) { drop_head(data, false, true); }, value_laws},
        {"dq without softmax_scale",
         [](Data& data) { scale(*data.results.dq, 1 / data.problem.resolved_softmax_scale()); },
         {"q-dq"}},
        {"late half of dq zero", [](Data& data) { zero_late_half(*data.results.dq); }, {"q-dq"}},
        {"late half of dk zero", [](Data& data) { zero_late_half(*data.results.dk); }, {"q-dq", "key-shift"}},
        {"late half of dv zero", [](Data& data) { zero_late_half(*data.results.dv); }, value_laws},
        {"late half of out zero", [](Data& data) { zero_late_half(*data.results.out); }, {"dout-out"}},
        {"64 keys of dv doubled",
         [](Data& data) {
             auto dv = data.results.dv->values();
             const auto row = static_cast<std::size_t>(data.results.dv->extent(2) * data.results.dv->extent(3));
             for (std::size_t e = 64 * row; e < 128 * row; ++e) dv[e] *= 2;
         },
         value_laws},
        {"dout doubled",
         [](Data& data) {
             for (Tensor4* t : {&*data.results.dq, &*data.results.dk, &*data.results.dv}) scale(*t, 2);
         },
         value_laws},
        {"out not divided by the sum of exponentials",
         [](Data& data) { scale(*data.results.out, 60); },
         {"range-of-v", "dout-out"}},
        {"lse without the logarithm of the sum",
         [](Data& data) {
             const Shape& s = data.problem.shape;
             for (std::int64_t i = 0; i < s.seq_q; ++i) (*data.results.lse)(0, 0, i) = 60;
         },
         {"lse-bounds"}},
        {"one NaN in dq", [](Data& data) { (*data.results.dq)(0, 7, 0, 0) = std::nan(""); }, {"q-dq"}},
        {"one infinite lse", [](Data& data) { (*data.results.lse)(0, 0, 9) = -INFINITY; }, {"lse-bounds"}},
        {"D three percent too large", [](Data& data) { recompute(data, {.d_factor = 1.03}); }, {"key-shift"}},
        {"D one percent too large", [](Data& data) { recompute(data, {.d_factor = 1.01}); }, {"key-shift"}, true},
        {"out of two query heads exchanged", [](Data& data) { exchange_heads(*data.results.out); }, {"dout-out"}},
        {"dq of two query heads exchanged", [](Data& data) { exchange_heads(*data.results.dq); }, {"q-dq"}},
        // What no law sees.
        {"softmax_scale 10 % too large everywhere",
         [](Data& data) {
             Problem wrong = data.problem;
             wrong.softmax_scale = 1.1 * wrong.resolved_softmax_scale();
             const Data other = run_case(wrong, data.inputs, {});
             data.results = other.results;
         },
         {}},
        {"a wrong mask everywhere: one sequence as two",
         [](Data& data) {
             Problem wrong = data.problem;
             const auto n = static_cast<std::int32_t>(wrong.shape.seq_q);
             wrong.cu_seqlens = {0, n / 2, n};
             const Data other = run_case(wrong, data.inputs, {});
             data.results = other.results;
         },
         {}},
    };
}

}  // namespace dca::test
