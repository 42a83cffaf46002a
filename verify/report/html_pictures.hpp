// The pictures of the HTML page, and the tables that stand for them where they cannot be drawn.
#pragma once

#include <iosfwd>
#include <string>

#include "verify/picture/picture.hpp"
#include "verify/run/result.hpp"

namespace dca::verify::html {

/// Of the failing tensors of one case: error grids and histograms; and the position matrix. `id`: unique on the page.
/// Where `plotter` draws nothing, tables of the worst cells and of the counts.
void write_pictures(std::ostream& out, const CaseReport& report, const std::string& id, picture::Plotter* plotter);

/// A picture with its caption. `what`: its title for those who do not see it; `caption`: below it. Both plain text.
void write_figure(std::ostream& out, const picture::Svg& svg, const std::string& id, const std::string& what,
                  const std::string& caption, bool wide = false);

}  // namespace dca::verify::html
