// What another program drew, made fit to stand inside a page: only shapes, only colours of the page, no names.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dca::picture {

/// Colours that follow the page, as gnuplot is told them; embeddable() replaces them by the page's.
inline constexpr std::string_view ink = "#010203", faint = "#010204", alarm = "#010205", accent = "#010206";

struct Svg {
    int width = 0, height = 0;
    std::string body;  ///< the content of an svg element with this view box; needs no namespace and no definitions
};

/// Keeps groups, paths, polygons, texts and embedded PNG pictures with their geometry; everything else is dropped: ids,
/// titles, definitions, links, scripts, unknown attributes. Nothing where the text is no SVG or no shape is left.
[[nodiscard]] std::optional<Svg> embeddable(std::string_view svg);

}  // namespace dca::picture
