#include "verify/picture/svg.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <tuple>
#include <utility>
#include <vector>

namespace dca::picture {
namespace {

template <std::size_t N>
bool one_of(std::string_view word, const std::array<std::string_view, N>& words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr std::array<std::string_view, 8> shapes{"g", "path", "polygon", "polyline", "rect", "circle", "text", "image"};
constexpr std::array<std::string_view, 20> geometry{"d",
                                                    "points",
                                                    "x",
                                                    "y",
                                                    "width",
                                                    "height",
                                                    "r",
                                                    "cx",
                                                    "cy",
                                                    "transform",
                                                    "text-anchor",
                                                    "font-size",
                                                    "stroke-width",
                                                    "stroke-linecap",
                                                    "stroke-linejoin",
                                                    "stroke-dasharray",
                                                    "fill-opacity",
                                                    "opacity",
                                                    "preserveAspectRatio",
                                                    "font-weight"};

bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/// Runs of white space as one blank, none at the ends.
std::string squeezed(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (!is_space(c)) {
            result += c;
        } else if (!result.empty() && result.back() != ' ') {
            result += ' ';
        }
    }
    if (!result.empty() && result.back() == ' ') result.pop_back();
    return result;
}

/// The CSS colour for one that gnuplot wrote, "rgb(  1,   2,   3)" or "#010203".
std::string color(std::string_view written) {
    std::string value;
    for (const char c : written) {
        if (!is_space(c)) value += c;
    }
    constexpr std::array<std::array<std::string_view, 3>, 4> known{{{ink, "rgb(1,2,3)", "currentColor"},
                                                                    {faint, "rgb(1,2,4)", "var(--line)"},
                                                                    {alarm, "rgb(1,2,5)", "var(--fail)"},
                                                                    {accent, "rgb(1,2,6)", "var(--link)"}}};
    for (const auto& [hexadecimal, rgb, css] : known) {
        if (value == hexadecimal || value == rgb) return std::string(css);
    }
    const auto only = [&](std::string_view characters) {
        return value.find_first_not_of(characters) == std::string::npos;
    };
    const bool is_name = only("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    const bool is_hexadecimal = value.starts_with('#') && value.rfind('#') == 0 && only("#0123456789abcdefABCDEF");
    const bool is_rgb = value.starts_with("rgb(") && value.ends_with(")") && only("rgb(0123456789,)");
    return is_name || is_hexadecimal || is_rgb ? value : "none";
}

bool is_png_data(std::string_view value) {
    constexpr std::string_view start = "data:image/png;base64,";
    return value.starts_with(start) && std::all_of(value.begin() + start.size(), value.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
                      c == '/' || c == '=' || is_space(c);
           });
}

struct Tag {
    std::string_view name;
    bool closing = false, empty = false;
    std::vector<std::pair<std::string_view, std::string_view>> attributes;
};

/// The tag that begins at text[at] == '<'; `at` is moved behind it. No name: a comment, a declaration, or broken.
Tag read_tag(std::string_view text, std::size_t& at) {
    Tag tag;
    const std::size_t end = std::min(text.find('>', at), text.size() - 1);
    std::string_view inside = text.substr(at + 1, end - at - 1);
    at = end + 1;
    if (inside.starts_with('/')) {
        tag.closing = true;
        inside.remove_prefix(1);
    }
    if (inside.ends_with('/')) {
        tag.empty = true;
        inside.remove_suffix(1);
    }
    const auto skip = [&](auto&& unwanted) {
        while (!inside.empty() && unwanted(inside.front())) inside.remove_prefix(1);
    };
    const auto take = [&](auto&& wanted) {
        std::size_t length = 0;
        while (length < inside.size() && wanted(inside[length])) ++length;
        const std::string_view word = inside.substr(0, length);
        inside.remove_prefix(length);
        return word;
    };
    const auto in_name = [](char c) { return !is_space(c) && c != '='; };
    tag.name = take(in_name);
    while (true) {
        skip(is_space);
        const std::string_view name = take(in_name);
        skip(is_space);
        if (name.empty() || inside.empty() || inside.front() != '=') return tag;
        inside.remove_prefix(1);
        skip(is_space);
        if (inside.empty() || (inside.front() != '"' && inside.front() != '\'')) return tag;
        const char quote = inside.front();
        inside.remove_prefix(1);
        const std::string_view value = take([&](char c) { return c != quote; });
        if (!inside.empty()) inside.remove_prefix(1);
        tag.attributes.emplace_back(name, value);
    }
}

std::string rewritten(const Tag& tag) {
    std::string text = "<" + std::string(tag.name), style;
    for (const auto& [name, value] : tag.attributes) {
        if (name == "fill" || name == "stroke") {
            style += std::string(name) + ":" + color(value) + ";";
        } else if ((name == "xlink:href" || name == "href") && tag.name == "image" && is_png_data(value)) {
            text += " href=\"" + squeezed(value) + "\"";
        } else if (one_of(name, geometry) && value.find_first_of("<>&\"") == std::string_view::npos) {
            text += " " + std::string(name) + "=\"" + squeezed(value) + "\"";
        }
    }
    if (!style.empty()) text += " style=\"" + style + "\"";
    return text + (tag.empty ? "/>" : ">");
}

/// The third and fourth number of a view box.
std::pair<int, int> view_box_size(std::string_view value) {
    std::array<int, 4> numbers{};
    const std::string text(value);
    const char* rest = text.c_str();
    for (int& number : numbers) {
        char* end = nullptr;
        number = static_cast<int>(std::strtol(rest, &end, 10));
        rest = end;
    }
    return {numbers[2], numbers[3]};
}

}  // namespace

std::optional<Svg> embeddable(std::string_view svg) {
    Svg result;
    std::vector<std::string_view> open;
    std::size_t dropped = 0;  // depth inside an element that is dropped with what it holds
    bool shape = false, in_svg = false;
    for (std::size_t at = 0; at < svg.size();) {
        if (svg[at] != '<') {
            const std::size_t end = std::min(svg.find('<', at), svg.size());
            const std::string text = squeezed(svg.substr(at, end - at));
            const bool wanted = dropped == 0 && !open.empty() && open.back() == "text";
            if (wanted && text.find('>') == std::string::npos) result.body += text;
            at = end;
            continue;
        }
        const Tag tag = read_tag(svg, at);
        if (tag.name.empty() || tag.name.front() == '?' || tag.name.front() == '!') continue;
        if (tag.name == "svg") {
            in_svg = true;
            for (const auto& [name, value] : tag.attributes) {
                if (name == "viewBox") std::tie(result.width, result.height) = view_box_size(value);
            }
            continue;
        }
        // The text of a tspan belongs to its text; a link is no more than what it holds.
        if (tag.name == "tspan" || tag.name == "a") continue;
        if (dropped > 0 || !one_of(tag.name, shapes)) {
            if (tag.closing && dropped > 0) --dropped;
            if (!tag.closing && !tag.empty) ++dropped;
            continue;
        }
        if (tag.closing) {
            if (open.empty() || open.back() != tag.name) return std::nullopt;
            open.pop_back();
            result.body += "</" + std::string(tag.name) + ">\n";
            continue;
        }
        result.body += rewritten(tag);
        shape = shape || tag.name == "path" || tag.name == "polygon" || tag.name == "image";
        if (!tag.empty) open.push_back(tag.name);
    }
    if (!in_svg || !shape || !open.empty() || dropped > 0 || result.width <= 0 || result.height <= 0) {
        return std::nullopt;
    }
    return result;
}

}  // namespace dca::picture
