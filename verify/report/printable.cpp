#include "verify/report/printable.hpp"

#include <cstddef>
#include <cstdint>

namespace dca::verify {
namespace {

/// The character at `at` and its length in bytes; length 0 where the bytes are no UTF-8 (RFC 3629: shortest form, no
/// surrogates, up to U+10FFFF).
struct Character {
    std::uint32_t code = 0;
    std::size_t length = 0;
};

Character decode(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(at);
    if (first < 0x80) return {first, 1};
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() - at < length) return {};
    std::uint32_t code = first & (0x7fU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xc0U) != 0x80) return {};
        code = code << 6 | (byte(at + i) & 0x3fU);
    }
    const std::uint32_t least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {};
    return {code, length};
}

bool shows(std::uint32_t code) {
    const auto within = [&](std::uint32_t first, std::uint32_t last) { return code >= first && code <= last; };
    if (code < 0x20 || within(0x7f, 0x9f)) return false;
    // Marks and overrides of direction, zero width, line and paragraph separators, the byte order mark; and what XML
    // does not know.
    return code != 0x61c && !within(0x200b, 0x200f) && !within(0x2028, 0x202e) && !within(0x2060, 0x206f) &&
           code != 0xfeff && !within(0xfff9, 0xfffb) && code != 0xfffe && code != 0xffff;
}

}  // namespace

std::string printable(std::string_view text) {
    std::string result;
    for (std::size_t at = 0; at < text.size();) {
        const Character character = decode(text, at);
        if (text[at] == '\n' || text[at] == '\r' || text[at] == '\t') {
            result += ' ';
        } else if (character.length > 0 && shows(character.code)) {
            result += text.substr(at, character.length);
        } else {
            result += '?';
        }
        at += character.length > 0 ? character.length : 1;
    }
    return result;
}

std::string markup_text(std::string_view text) {
    std::string result;
    for (const char c : printable(text)) {
        switch (c) {
            case '&': result += "&amp;"; break;
            case '<': result += "&lt;"; break;
            case '>': result += "&gt;"; break;
            case '"': result += "&quot;"; break;
            case '\'': result += "&apos;"; break;
            default: result += c;
        }
    }
    return result;
}

namespace {

void make_printable(std::string& text) {
    text = printable(std::string_view(text));
}
void make_printable(std::vector<std::string>& texts) {
    for (std::string& text : texts) make_printable(text);
}

void make_printable(TensorReport& tensor) {
    make_printable(tensor.tensor);
    make_printable(tensor.reason);
    make_printable(tensor.remark);
    tensor.grids.clear();
}

void make_printable(Explanation& explanation) {
    make_printable(explanation.id);
    make_printable(explanation.title);
    make_printable(explanation.hazard);
    make_printable(explanation.public_example);
    make_printable(explanation.tensors);
}

void make_printable(CaseReport& one) {
    for (std::string* text : {&one.id, &one.reason, &one.dtype, &one.waiver, &one.coverage, &one.repro}) {
        make_printable(*text);
    }
    make_printable(one.not_in_candidate);
    for (TensorReport& tensor : one.tensors) make_printable(tensor);
    for (Explanation& explanation : one.explanations) make_printable(explanation);
    for (Localisation& place : one.localisations) {
        make_printable(place.tensor);
        make_printable(place.findings);
    }
    for (Fingerprint& fingerprint : one.fingerprints) {
        make_printable(fingerprint.tensor);
        make_printable(fingerprint.best);
        make_printable(fingerprint.text);
    }
}

}  // namespace

RunReport printable(const RunReport& report) {
    RunReport copy = report;
    make_printable(copy.golden);
    make_printable(copy.candidate);
    make_printable(copy.notes);
    for (CaseReport& one : copy.cases) make_printable(one);
    return copy;
}

}  // namespace dca::verify
