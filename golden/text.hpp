// Small text helpers of case texts and file messages.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace dca::golden {

/// Shortest decimal text that reads back as exactly this double; nan, inf and -inf as such.
[[nodiscard]] std::string shortest(double value);

/// The name a misspelt word was probably meant to be: the nearest within 2 edits (1 for words of up to 4 letters), if
/// any.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> names);

/// ", did you mean NAME?" for the nearest name, or nothing.
[[nodiscard]] std::string suggestion(std::string_view word, std::span<const std::string_view> names);

/// Text from an untrusted file made fit for one line of a terminal: control characters and non-ASCII bytes become '?',
/// and what is longer than 200 characters is cut.
[[nodiscard]] std::string printable(std::string_view text);

/// "(2, 17, 8, 64)"
[[nodiscard]] std::string shape_text(std::span<const std::int64_t> extents);

/// "(0, 3, 1, 5)" of a row-major flat index.
[[nodiscard]] std::string coordinates(std::span<const std::int64_t> extents, std::int64_t flat);

/// True for `[A-Za-z0-9_.-]+` other than "." and "..", which HDF5 and file systems read as paths.
[[nodiscard]] bool is_case_id(std::string_view id);

}  // namespace dca::golden
