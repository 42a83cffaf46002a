#include "verify/measure/model_fit.hpp"

#include <algorithm>
#include <string>

#include "reference/spec/error.hpp"

namespace dca::measure {

namespace {

constexpr std::uint32_t stream = 64;

std::vector<Column> columns(const std::vector<Growth>& terms, const Medians& at) {
    std::vector<Column> made;
    for (const Growth& term : terms) made.push_back(column(term, at));
    return made;
}

double share(const Combination& fit, const std::vector<Column>& terms, std::size_t term) {
    return fit.coefficients[term] * terms[term].back() / fit.values.back();
}

}  // namespace

ModelFit fit_model(const Series& series, const std::vector<Growth>& terms, int replicates) {
    Replicas replicas(series, stream, replicates);
    const Medians& base = replicas.base();
    if (base.y.size() <= terms.size()) {
        throw InvalidProblem("a model of " + std::to_string(terms.size()) + " terms needs " +
                             std::to_string(terms.size() + 1) + " sizes at least, got " +
                             std::to_string(base.y.size()));
    }
    const std::vector<Column> basis = columns(terms, base);
    const Combination fit = combine(basis, base.y);
    ModelFit made;
    // Terms that came out as 0 still took part in the choice: all of them count.
    made.misfit = replicas.set_misfit(fit.values, static_cast<int>(terms.size()));
    made.score = information_score(fit.deviance, base.y.size(), static_cast<int>(terms.size()));
    std::vector<std::vector<double>> coefficients(terms.size()), shares(terms.size());
    replicas.for_each([&](const Column& y) {
        const Combination one = combine(basis, y);
        for (std::size_t t = 0; t < terms.size(); ++t) {
            coefficients[t].push_back(one.coefficients[t]);
            shares[t].push_back(share(one, basis, t));
        }
    });
    for (std::size_t t = 0; t < terms.size(); ++t) {
        made.name += (t == 0 ? "" : " + ") + name(terms[t]);
        Term term{name(terms[t]), central(fit.coefficients[t], coefficients[t]),
                  central(share(fit, basis, t), shares[t])};
        // Columns are scaled to at most 1.
        const Sample& last = *base.samples.back();
        const double unit = basis[t].back() / value(terms[t], last.n, last.chunk_size);
        for (double* one : {&term.coefficient.value, &term.coefficient.low, &term.coefficient.high}) *one *= unit;
        made.terms.push_back(std::move(term));
    }
    return made;
}

std::vector<std::vector<Growth>> usual_models(const Series& series) {
    const Growth one{}, n{1, 0, 0}, n_log{1, 0, 1}, square{2, 0, 0}, cube{3, 0, 0};
    std::vector<std::vector<Growth>> models = {{one, n},         {one, n_log},        {one, square},
                                               {one, n, square}, {one, square, cube}, {one, cube}};
    const bool chunks_vary = std::any_of(series.samples.begin(), series.samples.end(), [&](const Sample& sample) {
        return sample.chunk_size != series.samples.front().chunk_size;
    });
    if (chunks_vary) {
        const Growth nc{1, 1, 0}, summaries{2, -2, 0};
        models.insert(models.end(), {{one, nc}, {one, n, nc}, {one, nc, summaries}});
    }
    return models;
}

std::vector<ModelFit> compare_models(const Series& series, const std::vector<std::vector<Growth>>& models,
                                     int replicates) {
    const std::size_t sizes = medians(series).y.size();
    std::vector<ModelFit> fits;
    for (const std::vector<Growth>& terms : models) {
        if (sizes > terms.size()) fits.push_back(fit_model(series, terms, replicates));
    }
    std::stable_sort(fits.begin(), fits.end(), [](const ModelFit& a, const ModelFit& b) { return a.score < b.score; });
    return fits;
}

}  // namespace dca::measure
