// Collects the residuals of one law, each in units of its expected rounding error.
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "verify/laws/result.hpp"

namespace dca::verify {

class Tally {
public:
    explicit Tally(Law law) { result_.law = law; }

    /// where() is called for a new worst only. A residual of 0 is expected to be 0 or larger; NaN is the worst of all.
    template <class Where>
    void add(double residual, double variance, Where&& where) {
        const double expected = std::sqrt(variance);
        const double ratio = residual == 0 ? 0 : std::abs(residual) / expected;
        sum_ += ratio * ratio;
        if (result_.residuals++ == 0 || !(ratio <= result_.worst)) {
            if (std::isnan(result_.worst)) return;
            result_.worst = ratio;
            result_.residual = residual;
            result_.expected = expected;
            result_.where = where();
        }
    }

    /// `nothing`: the reason where no residual was formed.
    [[nodiscard]] LawResult result(const std::string& nothing) && {
        if (result_.residuals == 0) {
            result_.verdict = Verdict::skipped;
            result_.reason = nothing;
        } else {
            result_.rms = std::sqrt(sum_ / static_cast<double>(result_.residuals));
            result_.verdict = result_.worst <= law_line ? Verdict::passed : Verdict::failed;
        }
        return std::move(result_);
    }

private:
    LawResult result_;
    double sum_ = 0;
};

[[nodiscard]] inline LawResult not_checked(Law law, std::string reason) {
    LawResult result;
    result.law = law;
    result.verdict = Verdict::skipped;
    result.reason = std::move(reason);
    return result;
}

}  // namespace dca::verify
