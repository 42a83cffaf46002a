// From files to a report: every case of a candidate's file, with its own inputs or those of another file.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "verify/laws/result.hpp"

namespace dca::verify {

struct LawsOptions {
    std::optional<std::filesystem::path> inputs;  ///< where the inputs are, unless in the file itself
    std::vector<std::string> cases;               ///< glob patterns (* and ?); empty: every case
    std::function<void(std::size_t done, std::size_t total)> progress;
};

/// Without options.inputs the file is a tensor file (.h5) with inputs and outputs; with it, any file that compare takes
/// as a candidate. Throws IoError or FormatError where a file cannot be read as a whole; a broken case inside a
/// readable candidate becomes that case's errored verdict. Nothing checked is never a pass.
[[nodiscard]] LawsReport run_laws(const std::filesystem::path& file, const LawsOptions& options);

}  // namespace dca::verify
