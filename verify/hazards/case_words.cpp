#include "verify/hazards/case_words.hpp"

#include <algorithm>
#include <vector>

#include "golden/case_text.hpp"

namespace dca::hazards {
namespace {

struct Word {
    std::string_view key, value;
};

std::vector<Word> split(std::string_view text) {
    std::vector<Word> words;
    while (true) {
        const std::size_t begin = text.find_first_not_of(' ');
        if (begin == std::string_view::npos) return words;
        const std::size_t end = std::min(text.find(' ', begin), text.size());
        const std::string_view one = text.substr(begin, end - begin);
        const std::size_t equals = std::min(one.find('='), one.size());
        words.push_back({one.substr(0, equals), one.substr(std::min(equals + 1, one.size()))});
        text.remove_prefix(end);
    }
}

}  // namespace

std::string changed(std::string_view text, std::string_view words) {
    std::vector<Word> all = split(text);
    for (const Word& change : split(words)) {
        const auto same = std::find_if(all.begin(), all.end(), [&](const Word& one) { return one.key == change.key; });
        if (same == all.end()) {
            all.push_back(change);
        } else {
            same->value = change.value;
        }
    }
    std::string out;
    for (const Word& one : all) {
        if (one.value.empty()) continue;
        if (!out.empty()) out += ' ';
        out += std::string(one.key) + "=" + std::string(one.value);
    }
    return out;
}

std::string_view word(std::string_view text, std::string_view key) {
    for (const Word& one : split(text)) {
        if (one.key == key) return one.value;
    }
    return {};
}

golden::CaseSpec changed_case(std::string_view text, std::string_view words) {
    return golden::parse_case(changed(text, words));
}

}  // namespace dca::hazards
