#include "verify/cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string_view>

#include "reference/spec/error.hpp"

namespace dca::cli {
namespace {

bool is_set(const char* variable) {
    const char* value = std::getenv(variable);
    return value && *value;
}

std::size_t stderr_width() {
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

ProgressLine::ProgressLine() : enabled_(isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
    if (shown_) std::cerr << "\r\033[K" << std::flush;
}

void ProgressLine::show(std::size_t done, std::size_t total, const std::string& what) {
    if (!enabled_) return;
    const std::string line = "[" + std::to_string(done) + "/" + std::to_string(total) + "] " + what;
    std::cerr << "\r\033[K" << line.substr(0, stderr_width() - 1) << std::flush;
    shown_ = true;
}

bool stdout_has_color() {
    const char* term = std::getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && !is_set("NO_COLOR") && term && std::string_view(term) != "dumb";
}

void flush_stdout() {
    errno = 0;
    std::cout.flush();
    if (std::cout.good()) return;
    throw IoError(std::string("cannot write to standard output") +
                  (errno ? std::string(": ") + std::strerror(errno) : std::string()));
}

std::string one_line(const std::string& text) {
    std::string line;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f) {
            line += c;
        } else if (c == '\n' || c == '\t') {
            if (!line.empty() && line.back() != ' ') line += ' ';
        } else {
            line += '?';
        }
    }
    return line;
}

}  // namespace dca::cli
