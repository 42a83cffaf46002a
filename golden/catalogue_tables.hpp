// The case texts behind the suites; one table per file. Ids say what a case is for, comments beside them why it is
// there.
#pragma once

#include <span>
#include <string_view>

namespace dca::golden {

[[nodiscard]] std::span<const std::string_view> smoke_cases();
[[nodiscard]] std::span<const std::string_view> ci_cases();
/// Cases that validate() has to refuse; part of every suite.
[[nodiscard]] std::span<const std::string_view> reject_cases();

}  // namespace dca::golden
