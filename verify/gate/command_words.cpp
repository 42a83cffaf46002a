#include "verify/gate/command_words.hpp"

#include <algorithm>
#include <cctype>

#include "reference/spec/error.hpp"

namespace dca::verify {

std::vector<std::string> split_command(std::string_view command) {
    std::vector<std::string> words;
    std::string word;
    bool in_word = false;
    char quote = 0;
    const auto end_word = [&] {
        if (in_word) words.push_back(std::move(word));
        word.clear();
        in_word = false;
    };
    for (std::size_t i = 0; i < command.size(); ++i) {
        const char c = command[i];
        const bool last = i + 1 == command.size();
        if (c == '\0') throw InvalidProblem("--command: holds a zero byte");
        if (quote != 0 && c == quote) {
            quote = 0;
        } else if (quote == '\'') {
            word += c;
        } else if (c == '\\' && (quote == 0 || (!last && (command[i + 1] == '"' || command[i + 1] == '\\')))) {
            if (last) throw InvalidProblem("--command: ends with a backslash");
            word += command[++i];
            in_word = true;
        } else if (quote == 0 && (c == '\'' || c == '"')) {
            quote = c;
            in_word = true;
        } else if (quote == 0 && std::isspace(static_cast<unsigned char>(c)) != 0) {
            end_word();
        } else {
            word += c;
            in_word = true;
        }
    }
    if (quote != 0) throw InvalidProblem(std::string("--command: a ") + quote + " is never closed");
    end_word();
    if (words.empty()) throw InvalidProblem("--command: there is no program in it");
    return words;
}

std::string filled(std::string_view word, const Placeholders& values) {
    std::string result;
    for (std::size_t i = 0; i < word.size();) {
        const auto found = std::find_if(values.begin(), values.end(),
                                        [&](const auto& entry) { return word.substr(i).starts_with(entry.first); });
        if (found == values.end()) {
            result += word[i++];
        } else {
            result += found->second;
            i += found->first.size();
        }
    }
    return result;
}

std::string shell_word(std::string_view text) {
    const auto harmless = [](unsigned char c) {
        return std::isalnum(c) != 0 ||
               std::string_view("/._-+=:,@%").find(static_cast<char>(c)) != std::string_view::npos;
    };
    if (!text.empty() && std::all_of(text.begin(), text.end(), harmless)) return std::string(text);
    std::string word = "'";
    for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return word + "'";
}

std::string shell_command(const std::vector<std::string>& words) {
    std::string command;
    for (const std::string& word : words) command += (command.empty() ? "" : " ") + shell_word(word);
    return command;
}

}  // namespace dca::verify
