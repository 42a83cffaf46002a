// Certified values instead of those of the double path (docs/certified.md).
#pragma once

#include <cstdint>
#include <string>

#include "verify/run/make_golden.hpp"

namespace dca::verify {

/// What was proven of the elements of all cases together.
struct CertifiedCounts {
    std::int64_t elements = 0;
    std::int64_t correctly_rounded = 0;
    std::int64_t recomputed = 0;  ///< that needed MPFR
    void add(const CertifiedCounts& other);
    /// One line: how many of how many.
    [[nodiscard]] std::string text() const;
};

/// Replaces the results of a complete case by certified ones and states their certificates; judge data stays. Throws
/// Unsupported where the case cannot be certified.
CertifiedCounts certify(golden::CaseData& data);

/// `dca generate --certified`: as generate.
GenerateCounts generate_certified(const std::vector<golden::CaseSpec>& cases, const std::filesystem::path& target,
                                  const Progress& progress, CertifiedCounts& counts);

}  // namespace dca::verify
