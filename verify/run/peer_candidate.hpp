// A golden file or inputs somebody made -> a candidate file with what an honest flash kernel computes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "verify/run/make_golden.hpp"

namespace dca::verify {

struct PeerCounts {
    std::size_t written = 0;
    std::vector<std::string> left_out;  ///< "case ID: why", of the cases a peer cannot compute
};

/// `dca peer`: every case of `source` whose id matches, computed by peer::run_peer in the types of the case. Cases of
/// other dialects, sparse prefills and chunk-summary cases are left out. Throws InvalidProblem where no case matches,
/// Unsupported where none of them can be computed.
PeerCounts write_peer(const std::filesystem::path& source, const std::filesystem::path& target,
                      const std::string& case_glob, const Progress& progress);

}  // namespace dca::verify
