#include "golden/run_apart.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "reference/spec/error.hpp"

namespace dca::golden {
namespace {

// First byte of what the child sends.
constexpr char result_tag = 'r', fault_tag = 'f';

[[noreturn]] void refuse() {
    throw IoError("cannot start a process to check a file: " + std::generic_category().message(errno));
}

void send(int pipe, const std::string& message) {
    for (std::size_t done = 0; done < message.size();) {
        const ssize_t put = write(pipe, message.data() + done, message.size() - done);
        if (put < 0 && errno != EINTR) return;
        if (put > 0) done += static_cast<std::size_t>(put);
    }
}

/// Everything until the other end closes.
std::string receive(int pipe) {
    std::string message;
    std::array<char, 4096> buffer;
    for (;;) {
        const ssize_t got = read(pipe, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return message;
        message.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

/// The child's life. It leaves by _exit, so that nothing of the parent is flushed or destroyed twice.
[[noreturn]] void work_and_exit(int pipe, unsigned seconds, const std::function<std::string()>& work) {
    const rlimit time{seconds, seconds}, no_core{0, 0};
    setrlimit(RLIMIT_CPU, &time);
    setrlimit(RLIMIT_CORE, &no_core);
    for (const int signal : {SIGXCPU, SIGSEGV, SIGBUS, SIGFPE, SIGABRT}) std::signal(signal, SIG_DFL);
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);  // the C library's last words about a corrupted heap
    std::string message;
    try {
        message = result_tag + work();
    } catch (const std::exception& error) {
        message = fault_tag + std::string(error.what());
    }
    send(pipe, message);
    _exit(0);
}

}  // namespace

std::string run_apart(unsigned seconds, const std::function<std::string()>& work) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) refuse();
    const pid_t child = fork();
    if (child == 0) work_and_exit(ends[1], seconds, work);
    close(ends[1]);
    const std::string message = child < 0 ? "" : receive(ends[0]);
    close(ends[0]);
    if (child < 0) refuse();
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) refuse();
    }
    const bool endless = WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL);
    if (endless) throw FormatError("damaged: the HDF5 library does not come to an end with it");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || message.empty()) {
        throw FormatError("damaged: the HDF5 library crashes on it");
    }
    if (message.front() == fault_tag) throw FormatError(message.substr(1));
    return message.substr(1);
}

}  // namespace dca::golden
