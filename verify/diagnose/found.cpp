#include "verify/diagnose/found.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace dca::verify {
namespace {

double rms(std::span<const float> sigma) {
    double sum = 0;
    for (const float s : sigma) sum += double{s} * double{s};
    return std::sqrt(sum / static_cast<double>(sigma.size()));
}

/// Whether a candidate's noise, about half a sigma in every element, leaves a choice: with a squared distance of 4 in
/// sigma, 16 in units of that noise, the nearer one is the right one in 98 of 100 cases.
bool same(const Found& a, const Found& b) {
    if (a.explanation.tensors != b.explanation.tensors || a.result.size() != b.result.size()) return false;
    double distance = 0;
    for (std::size_t n = 0; n < a.result.size(); ++n) {
        if (a.result[n] == b.result[n] || (std::isnan(a.result[n]) && std::isnan(b.result[n]))) continue;
        distance += (a.result[n] - b.result[n]) * (a.result[n] - b.result[n]);
        if (!(distance < 4)) return false;
    }
    return true;
}

}  // namespace

void add_evidence(Found& found, std::string_view tensor, std::span<const RowRef> rows, const golden::Results& golden,
                  const ErrorScales& scales, const golden::Results& candidate, const golden::Results& exact) {
    const Rows g(golden, tensor), c(candidate, tensor), m(exact, tensor);
    const ScaleRows s(scales, tensor);
    double energy = 0, counted = 0;
    for (const RowRef& at : rows) {
        const double sigma = rms(s.at(at));
        double sum = 0;
        for (std::size_t e = 0; e < g.at(at).size(); ++e) {
            const double left = c.at(at)[e] - m.at(at)[e];
            if (std::isfinite(left)) sum += left * left;
            found.result.push_back(sigma > 0 ? m.at(at)[e] / sigma : m.at(at)[e] - g.at(at)[e]);
        }
        if (!(sigma > 0)) continue;
        counted += 1;
        energy += sum / static_cast<double>(g.at(at).size()) / sigma / sigma;
    }
    if (counted > 0) found.energy += energy / counted;
}

std::vector<Explanation> ranked(std::vector<Found> found) {
    const auto place = [](const Found& one) {
        return std::tuple(-static_cast<std::int64_t>(one.explanation.tensors.size()), one.repaired,
                          one.energy * (one.dialect ? 2 : 1));
    };
    std::stable_sort(found.begin(), found.end(), [&](const Found& a, const Found& b) { return place(a) < place(b); });
    std::vector<Found> kept;
    for (Found& one : found) {
        const auto twin = std::find_if(kept.begin(), kept.end(), [&](const Found& other) {
            if (other.dialect != one.dialect || other.repaired || one.repaired) return false;
            // Every dialect that is left passes the judge's own rules, so none is ruled out.
            return one.dialect ? other.explanation.tensors == one.explanation.tensors : same(other, one);
        });
        if (twin == kept.end()) {
            kept.push_back(std::move(one));
        } else {
            twin->explanation.same_as.push_back(one.explanation.id);
        }
    }
    std::vector<Explanation> explanations;
    for (Found& one : kept) {
        std::string twins;
        for (const std::string& id : one.explanation.same_as) twins += (twins.empty() ? "" : ", ") + id;
        if (!twins.empty()) one.explanation.title += " (here it cannot be told from " + twins + ")";
        explanations.push_back(std::move(one.explanation));
    }
    return explanations;
}

}  // namespace dca::verify
