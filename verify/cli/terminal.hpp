// What depends on where the program's output goes: progress and colour only on a terminal, every lost byte an error.
#pragma once

#include <cstddef>
#include <string>

namespace dca::cli {

/// One line on stderr that is rewritten in place and erased at the end; silent where stderr is not a terminal.
class ProgressLine {
public:
    ProgressLine();
    ~ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    /// "[3/12] what"
    void show(std::size_t done, std::size_t total, const std::string& what);

private:
    bool enabled_;
    bool shown_ = false;
};

/// stdout is a terminal that shows colours and NO_COLOR is not set.
[[nodiscard]] bool stdout_has_color();

/// Flushes std::cout. Throws IoError if anything written to it so far was lost (full disk, closed stdout).
void flush_stdout();

/// The text as one line without control characters, so that no file name or library message breaks the one-line rule.
[[nodiscard]] std::string one_line(const std::string& text);

}  // namespace dca::cli
