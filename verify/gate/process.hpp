// A program of somebody else's: run once, without a shell, in its own process group, bounded in time and memory.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace dca::verify {

struct ProcessOrder {
    std::filesystem::path program;       ///< the file itself (find_program)
    std::vector<std::string> arguments;  ///< the first is the name the program sees
    double timeout = 600;                ///< seconds of wall time
    std::int64_t memory_limit = 0;       ///< bytes of address space of each process; 0: no limit
};

struct ProcessEnd {
    enum class How : std::uint8_t { exited, signalled, timed_out, not_started, stopped };
    How how = How::not_started;
    int number = 0;        ///< exit status, signal or errno
    double seconds = 0;    ///< wall time
    std::string out, err;  ///< the last 4 KiB of each at most
};

/// Runs the program to its end with empty standard input. Whatever the end, its whole process group is gone afterwards.
/// Reads and forgets output of any length. `stop` set from another thread ends it early. Throws IoError where the
/// system has no process or pipe left. Safe to call from several threads; the child inherits no open file.
[[nodiscard]] ProcessEnd run_process(const ProcessOrder& order, const std::atomic<bool>& stop);

/// How it ended, one clause: "exited with status 3", "was killed by SIGSEGV (Segmentation fault)", with the end of
/// what it said.
[[nodiscard]] std::string describe(const ProcessEnd& end, const ProcessOrder& order);

/// The file that a word names: as it is where it has a slash, otherwise looked for in PATH. Throws IoError saying what
/// was not found or is not executable.
[[nodiscard]] std::filesystem::path find_program(const std::string& word);

}  // namespace dca::verify
