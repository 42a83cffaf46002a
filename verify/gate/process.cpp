#include "verify/gate/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "reference/spec/error.hpp"

namespace dca::verify {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kept_bytes = 4096;

[[noreturn]] void refuse(const char* what) {
    throw IoError(std::string(what) + ": " + std::generic_category().message(errno));
}

/// Both ends of a pipe, closed at the end of the scope, and by exec.
struct Pipe {
    Pipe() {
        if (pipe2(ends.data(), O_CLOEXEC) != 0) refuse("cannot make a pipe");
    }
    ~Pipe() {
        close_end(0);
        close_end(1);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    void close_end(int which) {
        if (ends[which] >= 0) close(ends[which]);
        ends[which] = -1;
    }
    std::array<int, 2> ends{-1, -1};
};

/// The child between fork and exec: system calls alone, since other threads may hold any lock.
[[noreturn]] void become(const char* program, char* const* arguments, rlim_t memory, const std::array<int, 3>& pipes) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // a gate that is killed takes it along
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    const rlimit space{memory, memory};
    if (memory > 0) setrlimit(RLIMIT_AS, &space);
    const int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(pipes[0], STDOUT_FILENO);
    dup2(pipes[1], STDERR_FILENO);
    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    execv(program, arguments);
    const int error = errno;
    (void)!write(pipes[2], &error, sizeof error);
    _exit(127);
}

/// Appends what there is to read now, of a stream without end a part, and keeps its end. False at the end of the
/// stream.
bool drain(int pipe, std::string& kept) {
    std::array<char, 65536> buffer;
    for (int pieces = 0; pieces < 32; ++pieces) {
        const ssize_t got = read(pipe, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno == EAGAIN;
        if (got == 0) return false;
        kept.append(buffer.data(), static_cast<std::size_t>(got));
        if (kept.size() > kept_bytes) kept.erase(0, kept.size() - kept_bytes);
        if (static_cast<std::size_t>(got) < buffer.size()) return true;
    }
    return true;
}

/// The child ended; it is not yet reaped, so that its group's number cannot mean anybody else.
bool has_ended(pid_t child) {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child;
}

int reap(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) refuse("cannot wait for the program");
    }
    return status;
}

/// Reads both streams until the child has ended, was told to stop, or has used its time.
ProcessEnd::How watch(pid_t child, Pipe& out, Pipe& err, Clock::time_point deadline, const std::atomic<bool>& stop,
                      ProcessEnd& end) {
    using namespace std::chrono_literals;
    std::array<pollfd, 2> streams{pollfd{out.ends[0], POLLIN, 0}, pollfd{err.ends[0], POLLIN, 0}};
    std::array<std::string*, 2> kept{&end.out, &end.err};
    for (;;) {
        const bool open = streams[0].fd >= 0 || streams[1].fd >= 0;
        if (poll(streams.data(), streams.size(), open ? 20 : 2) > 0) {
            for (std::size_t i = 0; i < streams.size(); ++i) {
                if (streams[i].fd >= 0 && streams[i].revents != 0 && !drain(streams[i].fd, *kept[i]))
                    streams[i].fd = -1;  // poll passes over it
            }
        }
        if (has_ended(child)) break;
        if (stop) return ProcessEnd::How::stopped;
        if (Clock::now() >= deadline) return ProcessEnd::How::timed_out;
    }
    return ProcessEnd::How::exited;
}

std::string last_words(const std::string& text) {
    constexpr std::size_t most = 240;
    std::string line;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n' || c == '\t' || c == ' ') {
            if (!line.empty() && line.back() != ' ') line += ' ';
        } else {
            if ((byte & 0xc0) != 0x80) line += byte >= 0x20 && byte < 0x7f ? c : '?';  // one for each UTF-8 sequence
        }
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    return line.size() > most ? "..." + line.substr(line.size() - most) : line;
}

std::string short_seconds(double seconds) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%g s", seconds);
    return text.data();
}

}  // namespace

ProcessEnd run_process(const ProcessOrder& order, const std::atomic<bool>& stop) {
    std::vector<char*> arguments;
    for (const std::string& word : order.arguments) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);

    ProcessEnd end;
    Pipe out, err, failure;
    const auto begin = Clock::now();
    const pid_t child = fork();
    if (child < 0) refuse("cannot start a process");
    if (child == 0) {
        become(order.program.c_str(), arguments.data(), static_cast<rlim_t>(order.memory_limit),
               {out.ends[1], err.ends[1], failure.ends[1]});
    }
    setpgid(child, child);  // whichever of the two comes first
    for (Pipe* pipe : {&out, &err, &failure}) pipe->close_end(1);
    int error = 0;
    const bool not_started = read(failure.ends[0], &error, sizeof error) == static_cast<ssize_t>(sizeof error);
    if (not_started) {
        reap(child);
        end.number = error;
        return end;
    }
    for (Pipe* pipe : {&out, &err}) fcntl(pipe->ends[0], F_SETFL, O_NONBLOCK);
    const auto deadline = begin + std::chrono::duration_cast<Clock::duration>(
                                      std::chrono::duration<double>(std::min(order.timeout, 1e9)));
    end.how = watch(child, out, err, deadline, stop, end);
    end.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    kill(-child, SIGKILL);
    const int status = reap(child);
    drain(out.ends[0], end.out);
    drain(err.ends[0], end.err);
    if (end.how == ProcessEnd::How::exited) {
        if (WIFSIGNALED(status)) end.how = ProcessEnd::How::signalled;
        end.number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    }
    return end;
}

std::string describe(const ProcessEnd& end, const ProcessOrder& order) {
    std::string text;
    switch (end.how) {
        case ProcessEnd::How::exited: text = "exited with status " + std::to_string(end.number); break;
        case ProcessEnd::How::signalled: {
            const char* name = sigabbrev_np(end.number);
            const char* meaning = sigdescr_np(end.number);
            text = "was killed by SIG" + std::string(name != nullptr ? name : std::to_string(end.number).c_str());
            if (meaning != nullptr) text += std::string(" (") + meaning + ")";
            if (end.number == SIGKILL) text += ", perhaps for want of memory";
            break;
        }
        case ProcessEnd::How::timed_out:
            text = "did not end within " + short_seconds(order.timeout) + " and was killed";
            break;
        case ProcessEnd::How::not_started:
            return "could not be started: " + std::generic_category().message(end.number);
        case ProcessEnd::How::stopped: text = "was stopped"; break;
    }
    const bool failed = end.how != ProcessEnd::How::exited || end.number != 0;
    if (failed && order.memory_limit > 0) {
        text += ", under a memory limit of " + std::to_string(order.memory_limit >> 20) + " MiB";
    }
    const std::string err = last_words(end.err), out = last_words(end.out);
    if (!err.empty()) return text + "; its last words: " + err;
    return out.empty() ? text : text + "; its last output: " + out;
}

std::filesystem::path find_program(const std::string& word) {
    namespace fs = std::filesystem;
    const auto usable = [](const fs::path& path) {
        std::error_code ignored;
        return fs::is_regular_file(path, ignored) && access(path.c_str(), X_OK) == 0;
    };
    if (word.find('/') != std::string::npos) {
        std::error_code ignored;
        if (!fs::exists(word, ignored)) throw IoError(word + ": there is no such program");
        if (!usable(word)) throw IoError(word + ": is not an executable file");
        return word;
    }
    const char* variable = std::getenv("PATH");
    const std::string folders = variable != nullptr ? variable : "/usr/local/bin:/usr/bin:/bin";
    for (std::size_t begin = 0; begin <= folders.size() && !word.empty();) {
        const std::size_t end = std::min(folders.find(':', begin), folders.size());
        const std::string folder = folders.substr(begin, end - begin);
        const fs::path path = fs::path(folder.empty() ? "." : folder) / word;
        if (usable(path)) return path;
        begin = end + 1;
    }
    throw IoError("'" + word + "': there is no program of that name in PATH");
}

}  // namespace dca::verify
