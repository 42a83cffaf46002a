// Mistakes that need no recomputation: the outputs are right but for a factor, a convention, or rows nobody wrote.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "verify/diagnose/mistake.hpp"

namespace dca::verify {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

template <class T, int Rank>
Tensor<T, Rank> scaled(Tensor<T, Rank> tensor, double factor) {
    for (T& value : tensor.values()) value = static_cast<T>(value * factor);
    return tensor;
}

/// A trial in which one tensor is the golden's times a factor. Its error scale is too: rounding errors are relative.
template <class Member, class ScaleMember>
std::optional<Trial> times(const Evidence& evidence, Member member, ScaleMember scale_member, double factor) {
    const auto& value = evidence.golden.results.*member;
    if (!value || !(evidence.candidate.*member) || factor == 1 || !std::isfinite(factor)) return std::nullopt;
    Trial trial{without_results(evidence.golden), evidence.candidate, false, {}};
    trial.truth.results.*member = scaled(*value, factor);
    const auto& scale = evidence.golden.judge->scales.*scale_member;
    if constexpr (requires { scale->values(); }) {
        if (!scale) return std::nullopt;
        trial.truth.judge->scales.*scale_member = scaled(*scale, std::abs(factor));
    } else {
        trial.truth.judge->scales.*scale_member = scaled(scale, std::abs(factor));
    }
    return trial;
}

std::optional<Trial> lse_base_2(const Evidence& evidence) {
    return times(evidence, &golden::Results::lse, &ErrorScales::lse, std::numbers::log2e);
}

std::optional<Trial> dq_unscaled(const Evidence& evidence) {
    return times(evidence, &golden::Results::dq, &ErrorScales::dq,
                 1 / evidence.golden.problem.resolved_softmax_scale());
}

std::optional<Trial> dk_unscaled(const Evidence& evidence) {
    return times(evidence, &golden::Results::dk, &ErrorScales::dk,
                 1 / evidence.golden.problem.resolved_softmax_scale());
}

/// Undoes +inf where -inf belongs.
std::optional<Trial> lse_empty_plus_inf(const Evidence& evidence) {
    const auto& expected = evidence.golden.results.lse;
    if (!expected || !evidence.candidate.lse) return std::nullopt;
    Trial trial{evidence.golden, evidence.candidate, true, {}};
    const auto got = trial.candidate.lse->values();
    std::int64_t rows = 0;
    for (std::size_t n = 0; n < got.size(); ++n) {
        if (expected->values()[n] != -infinity || got[n] != infinity) continue;
        got[n] = -infinity;
        ++rows;
    }
    return rows > 0 ? std::optional(std::move(trial)) : std::nullopt;
}

/// Puts the golden's values into rows of one head that hold nothing but zeros or NaN where the golden has something
/// else.
struct Repair {
    std::int64_t repaired = 0, rows = 0;
    bool nan = false;

    template <int Rank>
    void apply(const std::optional<Tensor<double, Rank>>& expected, std::optional<Tensor<double, Rank>>& got) {
        if (!expected || !got) return;
        const auto length = static_cast<std::size_t>(Rank == 4 ? got->extent(3) : 1);
        for (std::size_t begin = 0; begin < got->values().size(); begin += length) {
            const auto row = got->values().subspan(begin, length);
            const auto right = expected->values().subspan(begin, length);
            ++rows;
            const bool zeros = std::all_of(row.begin(), row.end(), [](double x) { return x == 0; });
            const bool nans = std::all_of(row.begin(), row.end(), [](double x) { return std::isnan(x); });
            if (!(zeros || nans) || std::equal(row.begin(), row.end(), right.begin())) continue;
            std::copy(right.begin(), right.end(), row.begin());
            ++repaired;
            nan = nan || nans;
        }
    }
};

std::optional<Trial> unwritten(const Evidence& evidence) {
    Trial trial{evidence.golden, evidence.candidate, true, {}};
    const golden::Results& truth = evidence.golden.results;
    Repair repair;
    repair.apply(truth.out, trial.candidate.out);
    repair.apply(truth.lse, trial.candidate.lse);
    repair.apply(truth.dq, trial.candidate.dq);
    repair.apply(truth.dk, trial.candidate.dk);
    repair.apply(truth.dv, trial.candidate.dv);
    if (repair.repaired == 0) return std::nullopt;
    trial.title = "output that was never written: " +
                  (repair.repaired == repair.rows ? std::string("all rows hold")
                                                  : std::to_string(repair.repaired) + " of " +
                                                        std::to_string(repair.rows) + " rows of failing tensors hold") +
                  (repair.nan ? " NaN" : " zeros");
    return trial;
}

constexpr Mistake in_outputs(std::string_view id, std::optional<Trial> (*attempt)(const Evidence&)) {
    return {id, Cost{}, Shows::anywhere, attempt};
}

constexpr std::array mistakes{
    in_outputs("unwritten", unwritten),
    in_outputs("lse-base-2", lse_base_2),
    in_outputs("lse-empty-plus-inf", lse_empty_plus_inf),
    in_outputs("dq-unscaled", dq_unscaled),
    in_outputs("dk-unscaled", dk_unscaled),
};

}  // namespace

std::span<const Mistake> output_mistakes() {
    return mistakes;
}

}  // namespace dca::verify
