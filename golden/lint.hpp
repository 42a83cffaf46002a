// Checks a file against the schema and against itself, collecting every finding instead of stopping at the first.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace dca::golden {

struct Finding {
    enum class Level : std::uint8_t { error, note } level;
    std::string where;  ///< case id and dataset or attribute, empty for the file itself
    std::string message;
};

struct LintReport {
    std::vector<Finding> findings;
    std::size_t cases = 0;
    [[nodiscard]] bool ok() const;  ///< no finding of level error, and at least one case
};

/// Throws IoError only if the file cannot be opened at all.
[[nodiscard]] LintReport lint(const std::filesystem::path& path);

}  // namespace dca::golden
