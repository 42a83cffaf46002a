// Text from outside (file names, case ids, reasons) made safe for a reader: what every format but JSON starts from.
#pragma once

#include <string>
#include <string_view>

#include "verify/run/result.hpp"

namespace dca::verify {

/// One line of valid UTF-8: line breaks and tabs become blanks; other control characters, characters that reorder or
/// hide text (bidirectional controls, zero width) and bytes that are not UTF-8 become '?'.
[[nodiscard]] std::string printable(std::string_view text);

/// printable() as text or attribute value of XML and HTML.
[[nodiscard]] std::string markup_text(std::string_view text);

/// The report with printable() of every text in it and without pictures, for the formats made of lines.
[[nodiscard]] RunReport printable(const RunReport& report);

}  // namespace dca::verify
