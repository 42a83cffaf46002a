// What checking the conservation laws of a file found: plain values, the single source of its reports.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "verify/compare/verdict.hpp"

namespace dca::verify {

/// The laws of docs/laws.md, in the order they are reported.
enum class Law : std::uint8_t {
    nothing_seen,  ///< rows without keys: out 0, lse -inf, dq 0; keys that no query sees: dk, dv 0
    range,         ///< out lies within the range of the visible v
    lse_bounds,    ///< |lse - ln(number of visible keys)| is at most the largest possible logit
    sum_dv,        ///< the sum of dv over keys is that of dout over queries
    dout_out,      ///< <dout, out> = <dv, v>, channel by channel
    q_dq,          ///< <q, dq> = <k, dk>, rotary pair by rotary pair
    key_shift,     ///< on dims without rotation dk sums to 0 over keys
    linear_in_v    ///< v[2] = v[0] + v[1] carries over to out, dq and dk
};

inline constexpr std::array<Law, 8> all_laws{Law::nothing_seen, Law::range, Law::lse_bounds, Law::sum_dv,
                                             Law::dout_out,     Law::q_dq,  Law::key_shift,  Law::linear_in_v};

/// "sum-dv"
[[nodiscard]] std::string_view name(Law law);
/// The law as a formula.
[[nodiscard]] std::string_view statement(Law law);

/// A law holds where no residual exceeds this many standard deviations of the rounding errors of an honest kernel. Six
/// are exceeded by a normal error once in 5e8 (docs/error_model.md section 1).
inline constexpr double law_line = 6;

struct LawResult {
    Law law{};
    Verdict verdict = Verdict::untested;  ///< passed, failed, or skipped: not checked
    std::string reason;                   ///< why it was not checked
    std::int64_t residuals = 0;           ///< how many were formed
    double worst = 0, rms = 0;            ///< |residual| in units of its expected rounding error
    std::string where;                    ///< coordinates of the worst
    double residual = 0, expected = 0;    ///< of the worst: its value and its expected rounding error
};

struct LawsCase {
    std::string id, dtype, dialect;
    Verdict verdict = Verdict::untested;  ///< failed: a law is broken; skipped: nothing could be checked
    std::string reason;                   ///< of a verdict other than passed and failed
    std::vector<LawResult> laws;
    std::vector<std::string> cannot_see;  ///< mistakes that keep every law that was checked
};

struct LawsReport {
    std::string file, inputs;  ///< inputs: empty where the file has its own
    Verdict verdict = Verdict::untested;
    std::vector<LawsCase> cases;
    std::vector<std::string> notes;
};

}  // namespace dca::verify
