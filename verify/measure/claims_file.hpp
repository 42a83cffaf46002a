// A file of claims (TOML): each with who makes it and where, the candidate it is held against and the sizes to measure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verify/measure/claim.hpp"
#include "verify/measure/series.hpp"
#include "verify/measure/size.hpp"

namespace dca::measure {

/// What is to be measured of every candidate that is held against claims on this ladder.
struct LadderPlan {
    std::string name;
    Setting setting;
    std::vector<Size> sizes;  ///< ascending n, then ascending chunk_size; none twice
    int repeats = 5;
};

struct FiledClaim {
    std::string id;
    Claim claim;
    std::vector<std::string> candidates;  ///< one verdict each
    std::string ladder;                   ///< name of a LadderPlan
    std::string who, source;              ///< who makes the claim, and where it can be read
    std::string says;                     ///< its wording there, quoted or in short
    std::string note;                     ///< what one should know when reading the verdict; may be empty
    std::optional<ClaimOutcome> expect;   ///< what is known of the outcome
};

struct ClaimsFile {
    std::vector<LadderPlan> ladders;
    std::vector<FiledClaim> claims;
};

/// `name` stands in messages. Throws FormatError with one line, "NAME:LINE: ...", for anything that is not
/// docs/measure.md's format: syntax, unknown or missing keys, sizes, claims.
[[nodiscard]] ClaimsFile parse_claims(std::string_view text, const std::string& name);

/// Reads a file of 1 MiB at most. Throws IoError, and what parse_claims throws.
[[nodiscard]] ClaimsFile read_claims(const std::string& path);

}  // namespace dca::measure
