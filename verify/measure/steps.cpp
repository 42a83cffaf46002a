#include "verify/measure/steps.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>

#include "verify/measure/combination.hpp"
#include "verify/measure/draws.hpp"
#include "verify/measure/elementary.hpp"

namespace dca::measure {

namespace {

constexpr std::size_t least_sizes = 6;  // three before a late term, two in it, and one to spare
constexpr double chance = 0.005;        // with what the choice of the smooth law adds, below 0.01 (tests)

struct Law {
    std::vector<Column> columns;
    Step kind = Step::staircase;
    std::size_t shows = 0;  ///< index of the first size at which it shows
    double factor = 0;      ///< of a staircase
};

Column map(const Column& x, auto&& function) {
    Column made;
    for (const double one : x) made.push_back(function(one));
    return made;
}

/// x is n / n_max.
std::vector<std::vector<Column>> smooth_laws(const Column& x) {
    const Column one(x.size(), 1.0), square = map(x, [](double v) { return v * v; }),
                                     cube = map(x, [](double v) { return v * v * v; });
    std::vector<std::vector<Column>> laws = {{one, x, square}, {one, square, cube}};
    // Power laws with an offset; the exponent is chosen among so many that the rest of a choice is below any misfit.
    for (int i = 1; i <= 64; ++i) laws.push_back({one, map(x, [&](double v) { return power_of(v, i / 16.0); })});
    return laws;
}

std::vector<Law> stepped_laws(const Column& x) {
    std::vector<Law> laws;
    const Column one(x.size(), 1.0);
    for (const double p : {1.0, 2.0}) {
        const auto low = [&](double v) { return p == 1 ? v : v * v; };
        const auto high = [&](double v) { return low(v) * v; };
        const Column base = map(x, low);
        for (std::size_t k = 2; k + 2 < x.size(); ++k) {
            const double edge = x[k];
            laws.push_back(
                {{one, base, map(x, [&](double v) { return v > edge ? high(v) : 0.0; })}, Step::late_term, k + 1, 0});
            laws.push_back({{one, base, map(x, [&](double v) { return v > edge ? high(v) - high(edge) : 0.0; })},
                            Step::late_term,
                            k + 1,
                            0});
        }
    }
    for (const double factor : {2.0, 1.5}) {
        for (const double start : x) {
            // Capacities start * factor^j: the least that holds v.
            const Column stairs = map(x, [&](double v) {
                double capacity = start;
                while (capacity < v * (1 - 1e-9)) capacity *= factor;
                while (capacity / factor >= v * (1 - 1e-9)) capacity /= factor;
                return capacity;
            });
            // A stair is one only where two sizes stand on it together.
            if (std::adjacent_find(stairs.begin(), stairs.end()) == stairs.end()) continue;
            std::size_t first = 1;
            while (first + 1 < x.size() && !(stairs[first] > stairs[first - 1])) ++first;
            laws.push_back({{one, x, stairs}, Step::staircase, first, factor});
        }
    }
    return laws;
}

struct Best {
    double smooth = std::numeric_limits<double>::infinity(), stepped = smooth;
    Column smooth_values;
    const Law* law = nullptr;
    double share = 0;
};

Best best_of(const std::vector<std::vector<Column>>& smooth, const std::vector<Law>& stepped, const Column& y) {
    Best best;
    const double least = 1e-12 * static_cast<double>(y.size());  // relative errors below 10^-6 are rounding
    for (const std::vector<Column>& columns : smooth) {
        Combination fit = combine(columns, y);
        if (fit.deviance < best.smooth) {
            best.smooth = fit.deviance;
            best.smooth_values = std::move(fit.values);
        }
    }
    for (const Law& law : stepped) {
        const Combination fit = combine(law.columns, y);
        if (fit.deviance < best.stepped) {
            best.stepped = fit.deviance;
            best.law = &law;
            best.share = fit.coefficients.back() * law.columns.back().back() / fit.values.back();
        }
    }
    best.smooth = std::max(best.smooth, least);
    best.stepped = std::max(best.stepped, least);
    return best;
}

std::string sentence(const Law& law, double share, const Medians& at) {
    const std::int64_t before = at.samples[law.shows - 1]->n, from = at.samples[law.shows]->n;
    char text[256];
    if (law.kind == Step::late_term) {
        std::snprintf(
            text, sizeof text,
            "a term of a higher power starts between n = %lld and n = %lld and is %.0f %% of the value at n = %lld",
            static_cast<long long>(before), static_cast<long long>(from), 100 * share,
            static_cast<long long>(at.samples.back()->n));
    } else {
        std::snprintf(
            text, sizeof text,
            "%.0f %% of the value grows in stairs, by a factor of %g each, the first between n = %lld and n = %lld",
            100 * share, law.factor, static_cast<long long>(before), static_cast<long long>(from));
    }
    return text;
}

}  // namespace

double tolerance(std::int64_t largest) {
    return 1 / (2 * log_of(static_cast<double>(std::max<std::int64_t>(largest, 3))));
}

std::vector<StepFinding> find_steps(const Series& series, int replicates) {
    const Medians base = medians(series);
    if (base.y.size() < least_sizes) return {};
    Column x;
    for (const Sample* sample : base.samples) {
        x.push_back(static_cast<double>(sample->n) / static_cast<double>(base.samples.back()->n));
    }
    const std::vector<std::vector<Column>> smooth = smooth_laws(x);
    const std::vector<Law> stepped = stepped_laws(x);
    const Best found = best_of(smooth, stepped, base.y);
    if (!(found.share > tolerance(base.samples.back()->n))) return {};
    const double gain = found.smooth / found.stepped;
    // How often errors around the smooth law gain as much. The gain does not depend on their size.
    const double sigma = std::min(0.1, std::sqrt(found.smooth / static_cast<double>(x.size())));
    int as_good = 0;
    for (int r = 0; r < replicates; ++r) {
        Draws draws(32, static_cast<std::uint32_t>(r));
        Column y = found.smooth_values;
        for (double& value : y) value *= exp_of(sigma * draws.normal());
        const Best other = best_of(smooth, stepped, y);
        if (other.smooth / other.stepped >= gain) ++as_good;
    }
    if (as_good + 1 > chance * (replicates + 1)) return {};
    return {{found.law->kind, base.samples[found.law->shows]->n, sentence(*found.law, found.share, base)}};
}

}  // namespace dca::measure
