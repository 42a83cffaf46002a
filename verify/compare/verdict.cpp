#include "verify/compare/verdict.hpp"

#include <algorithm>

namespace dca::verify {

std::string_view name(Verdict verdict) {
    switch (verdict) {
        case Verdict::listed: return "listed";
        case Verdict::passed: return "passed";
        case Verdict::marginal: return "marginal";
        case Verdict::skipped: return "skipped";
        case Verdict::mistrusted: return "mistrusted";
        case Verdict::waived: return "waived";
        case Verdict::failed: return "failed";
        case Verdict::errored: return "errored";
        case Verdict::untested: return "untested";
    }
    return "?";
}

Verdict join(Verdict a, Verdict b) {
    return std::max(a, b);
}

int exit_status(Verdict verdict) {
    switch (verdict) {
        case Verdict::passed:
        case Verdict::marginal: return 0;
        case Verdict::failed: return 1;
        case Verdict::errored:
        case Verdict::untested: return 2;
        case Verdict::listed:
        case Verdict::skipped:
        case Verdict::mistrusted:
        case Verdict::waived: return 3;
    }
    return 2;
}

}  // namespace dca::verify
