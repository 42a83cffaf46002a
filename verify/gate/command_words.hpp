// The text after --command -> the words of a command line, and {input}, {output} and {case} put in their place.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dca::verify {

/// Splits at blanks. '...' is taken as it is; in "..." a backslash before " or \ takes it as it is; outside quotes a
/// backslash takes the next character as it is. Nothing else is special: no variables, no wildcards, no pipes, no ~.
/// Throws InvalidProblem for a quote that is never closed, a backslash at the end, or no word at all.
[[nodiscard]] std::vector<std::string> split_command(std::string_view command);

using Placeholders = std::map<std::string, std::string>;  ///< "{input}" -> a path

/// The word with every placeholder replaced, in one pass: what is put in is not looked at again. Other braces stay.
[[nodiscard]] std::string filled(std::string_view word, const Placeholders& values);

/// The text as one word of a POSIX shell command, quoted where it must be.
[[nodiscard]] std::string shell_word(std::string_view text);

/// The words of a shell command line.
[[nodiscard]] std::string shell_command(const std::vector<std::string>& words);

}  // namespace dca::verify
