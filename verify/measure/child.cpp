#include "verify/measure/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "reference/spec/error.hpp"

namespace dca::measure {
namespace {

constexpr std::size_t kept_bytes = 4096;

[[noreturn]] void refuse(const char* what) {
    throw IoError(std::string(what) + ": " + std::generic_category().message(errno));
}

/// A pair of connected sockets: unlike a pipe's, a write to one whose other end is gone can be told not to signal.
std::array<int, 2> connection() {
    std::array<int, 2> ends{-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) refuse("cannot make a socket");
    return ends;
}

/// The child between fork and exec: system calls alone.
[[noreturn]] void become(const char* program, char* const* arguments, rlim_t memory, int in, int out, int err,
                         pid_t parent) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    const rlimit space{memory, memory};
    if (memory > 0) setrlimit(RLIMIT_AS, &space);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    execv(program, arguments);
    _exit(127);
}

/// Appends what there is to read. False at the end of the stream.
bool drain(int stream, std::string& to) {
    std::array<char, 4096> buffer;
    for (;;) {
        const ssize_t got = read(stream, buffer.data(), buffer.size());
        if (got > 0) {
            to.append(buffer.data(), static_cast<std::size_t>(got));
            if (static_cast<std::size_t>(got) < buffer.size()) return true;
            continue;
        }
        if (got < 0 && errno == EINTR) continue;
        return got < 0 && errno == EAGAIN;
    }
}

}  // namespace

Deadline after_seconds(double seconds) {
    return std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                                  std::chrono::duration<double>(std::clamp(seconds, 0.0, 1e8)));
}

Child::Child(verify::ProcessOrder order) : order_(std::move(order)) {
    std::vector<char*> arguments;
    for (const std::string& word : order_.arguments) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const std::array<int, 2> in = connection(), out = connection(), err = connection();
    const pid_t parent = getpid();
    begin_ = std::chrono::steady_clock::now();
    child_ = fork();
    if (child_ == 0) {
        become(order_.program.c_str(), arguments.data(), static_cast<rlim_t>(order_.memory_limit), in[1], out[1],
               err[1], parent);
    }
    for (const auto& pair : {in, out, err}) close(pair[1]);
    in_ = in[0];
    out_ = out[0];
    err_ = err[0];
    if (child_ < 0) {
        close_all();
        refuse("cannot start a process");
    }
    setpgid(child_, child_);
    for (const int stream : {out_, err_}) fcntl(stream, F_SETFL, O_NONBLOCK);
}

Child::~Child() {
    if (child_ > 0) {
        kill(-child_, SIGKILL);
        while (waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
    close_all();
}

void Child::close_all() {
    for (int* stream : {&in_, &out_, &err_}) {
        if (*stream >= 0) close(*stream);
        *stream = -1;
    }
}

void Child::send(const std::string& line) {
    const std::string text = line + "\n";
    std::size_t sent = 0;
    while (sent < text.size()) {
        const ssize_t got = ::send(in_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return;
        sent += static_cast<std::size_t>(got);
    }
}

bool Child::take(int milliseconds) {
    std::array<pollfd, 2> streams{pollfd{out_, POLLIN, 0}, pollfd{err_, POLLIN, 0}};
    if (poll(streams.data(), streams.size(), milliseconds) > 0) {
        if (streams[0].revents != 0 && !drain(out_, lines_)) {
            close(out_);
            out_ = -1;
        }
        if (streams[1].revents != 0 && !drain(err_, end_.err)) {
            close(err_);
            err_ = -1;
        }
        if (end_.err.size() > kept_bytes) end_.err.erase(0, end_.err.size() - kept_bytes);
    }
    return out_ >= 0 || err_ >= 0;
}

std::optional<std::string> Child::receive(Deadline deadline, const Waiting& waiting) {
    for (;;) {
        if (const std::size_t end = lines_.find('\n'); end != std::string::npos) {
            std::string line = lines_.substr(0, end);
            lines_.erase(0, end + 1);
            return line;
        }
        if (out_ < 0 || std::chrono::steady_clock::now() >= deadline) return std::nullopt;
        take(50);
        if (waiting) waiting();
    }
}

void Child::finish(Deadline deadline, const Waiting& waiting) {
    expects(child_ > 0, "Child::finish: once");
    if (in_ >= 0) shutdown(in_, SHUT_WR);
    end_.how = verify::ProcessEnd::How::exited;
    for (;;) {
        siginfo_t info{};
        const bool ended =
            waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child_;
        if (ended) break;
        if (std::chrono::steady_clock::now() >= deadline) {
            end_.how = verify::ProcessEnd::How::timed_out;
            break;
        }
        // With both streams closed there is nothing to wake up for: then short sleeps.
        if (!take(20)) usleep(1000);
        if (lines_.size() > kept_bytes) lines_.erase(0, lines_.size() - kept_bytes);
        if (waiting) waiting();
    }
    end_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    kill(-child_, SIGKILL);
    int status = 0;
    while (wait4(child_, &status, 0, &usage_) < 0 && errno == EINTR) {
    }
    child_ = -1;
    take(0);
    end_.out = lines_;
    if (end_.how == verify::ProcessEnd::How::timed_out) return;
    if (WIFSIGNALED(status)) end_.how = verify::ProcessEnd::How::signalled;
    end_.number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace dca::measure
