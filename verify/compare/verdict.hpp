// The closed vocabulary of verdicts, how they join, and the exit status they mean.
#pragma once

#include <cstdint>
#include <string_view>

namespace dca::verify {

/// Ordered by severity: the more severe verdict decides. Anything that is less than "passed" as evidence is more severe
/// than it, so that verified and not verified together are not verified.
///   listed      not asked to be judged
///   passed      every rule met
///   marginal    passed, but above half of a line
///   skipped     asked for, but there was nothing to compare
///   mistrusted  nothing failed, but the comparison could not have failed either
///   waived      failed, and a waiver says that this is known
///   failed      a rule was broken
///   errored     the candidate could not be read or broke
///   untested    the initial value, an error if it survives
enum class Verdict : std::uint8_t { listed, passed, marginal, skipped, mistrusted, waived, failed, errored, untested };

[[nodiscard]] std::string_view name(Verdict verdict);

/// The more severe of the two. The verdicts are a chain, so this is a join-semilattice: commutative, associative,
/// idempotent and monotone, and the order in which cases are judged cannot matter.
[[nodiscard]] Verdict join(Verdict a, Verdict b);

/// 0 passed or marginal; 1 failed; 2 errored or untested; 3 anything else. Nothing but 0 may mean "verified".
[[nodiscard]] int exit_status(Verdict verdict);

}  // namespace dca::verify
