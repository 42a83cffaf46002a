// gnuplot scripts. Nothing from outside is written into one but numbers and label().
#pragma once

#include <string>
#include <string_view>

#include "verify/picture/picture.hpp"

namespace dca::picture {

/// A gnuplot string constant of the text: letters, digits and " _.+-/()|%" stay, anything else becomes '?', and what is
/// long is cut. In single quotes, where gnuplot knows no escapes but the doubled quote.
[[nodiscard]] std::string label(std::string_view text, std::size_t longest = 24);

/// Up to nine significant digits; "NaN" where there is no number.
[[nodiscard]] std::string number(double value);

/// Terminal, colours, and what all pictures share.
[[nodiscard]] std::string prologue(int width, int height);

/// "set xtics (...)": at most `most` of the cells are labelled, all of them where the axis has names.
[[nodiscard]] std::string tics(char axis, const Axis& cells, int most);

[[nodiscard]] std::string script(const HeatMap& map);
[[nodiscard]] std::string script(const Octaves& octaves);
[[nodiscard]] std::string script(const Mosaic& mosaic);
[[nodiscard]] std::string script(const LogPlot& plot);

}  // namespace dca::picture
