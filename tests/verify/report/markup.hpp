// A strict reader of the XML that reports use: elements, attributes in double quotes, text, the five entities and
// decimal line breaks, valid ASCII control-free text. Fails the test where it is not well-formed.
#pragma once

#include <cctype>
#include <map>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

namespace dca::test {

struct MarkupElement {
    std::string name;
    std::map<std::string, std::string> attributes;
};

/// The elements in order of opening. `prologue`: what the text must begin with.
inline std::vector<MarkupElement> elements_of(const std::string& xml, const std::string& prologue) {
    std::vector<MarkupElement> seen;
    std::vector<std::string> open;
    std::size_t at = 0;
    const auto accept = [&](const std::string& token) {
        if (xml.compare(at, token.size(), token) != 0) return false;
        at += token.size();
        return true;
    };
    const auto name = [&] {
        const std::size_t begin = at;
        while (at < xml.size() && (std::isalnum(static_cast<unsigned char>(xml[at])) != 0 || xml[at] == '-')) ++at;
        if (at == begin) FAIL("no name at " << xml.substr(begin, 60));
        return xml.substr(begin, at - begin);
    };
    const auto character = [&] {
        const auto c = static_cast<unsigned char>(xml[at]);
        if (c != '\n' && (c < 0x20 || c == 0x7f || c == '<')) FAIL("a character at " << xml.substr(at, 60));
        if (c != '&') {
            ++at;
            return;
        }
        const bool entity = accept("&amp;") || accept("&lt;") || accept("&gt;") || accept("&quot;") ||
                            accept("&apos;") || accept("&#10;");
        if (!entity) FAIL("an entity at " << xml.substr(at, 60));
    };
    REQUIRE(accept(prologue));
    while (at < xml.size()) {
        if (accept("</")) {
            const std::string closed = name();
            if (open.empty() || closed != open.back()) FAIL("</" << closed << "> closes nothing");
            open.pop_back();
            REQUIRE(accept(">"));
        } else if (accept("<")) {
            seen.push_back({name(), {}});
            while (accept(" ")) {
                const std::string key = name();
                REQUIRE(accept("=\""));
                const std::size_t begin = at;
                while (xml.at(at) != '"') character();
                if (!seen.back().attributes.emplace(key, xml.substr(begin, at - begin)).second) FAIL("two " << key);
                ++at;
            }
            if (accept("/>")) continue;
            REQUIRE(accept(">"));
            open.push_back(seen.back().name);
        } else {
            character();
        }
    }
    REQUIRE(open.empty());
    return seen;
}

}  // namespace dca::test
