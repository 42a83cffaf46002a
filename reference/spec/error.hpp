// Errors as types, and the always-on check of a contract. Libraries throw; only verify/cli turns errors into exit
// codes.
#pragma once

#include <source_location>
#include <stdexcept>
#include <string>

namespace dca {

/// Base of everything this project throws on purpose. what() is one line, ready to be shown to a user.
struct Error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A problem that no implementation could run: bad shape, chunk settings, rotary settings, sizes.
struct InvalidProblem : Error {
    using Error::Error;
};

/// A file that does not follow the schema, is truncated, or holds the wrong type or shape. Names file, case and
/// dataset.
struct FormatError : Error {
    using Error::Error;
};

/// The environment refused: unreadable file, full disk, missing permission.
struct IoError : Error {
    using Error::Error;
};

/// A valid request this build cannot serve (a dialect without an implementation, CUDA in a build without it).
struct Unsupported : Error {
    using Error::Error;
};

/// A caller broke a documented precondition: a bug in this project or in the calling program.
struct ContractError : std::logic_error {
    using std::logic_error::logic_error;
};

/// Checks a precondition in every build type: a verifier must not lose its checks under NDEBUG.
inline void expects(bool condition, const char* message, std::source_location at = std::source_location::current()) {
    if (!condition) {
        throw ContractError(std::string(at.file_name()) + ":" + std::to_string(at.line()) + ": " + message);
    }
}

}  // namespace dca
