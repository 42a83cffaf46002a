#include "golden/run_apart.hpp"

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
#include <new>
#include <system_error>

#include "reference/spec/error.hpp"

namespace dca::golden {
namespace {

/// Last byte of the report of a child that did its work; a fault is reported as text instead.
constexpr char done_tag = 'd', fault_tag = 'f';

[[noreturn]] void refuse() {
    throw IoError("cannot start a process to check a file: " + std::generic_category().message(errno));
}

std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

/// Sanitizers reserve terabytes of addresses.
constexpr bool address_space_is_plain() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return false;
#else
    return true;
#endif
#else
    return true;
#endif
}

/// Bytes of address space in use, 0 if nobody says.
std::size_t address_space() {
    unsigned long pages = 0;
    if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
        if (std::fscanf(file, "%lu", &pages) != 1) pages = 0;
        std::fclose(file);
    }
    return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// Lowers a limit, never raises it.
template <class Resource>
void lower(Resource resource, rlim_t value) {
    rlimit limit{};
    if (getrlimit(resource, &limit) != 0) return;
    limit.rlim_cur = std::min(limit.rlim_cur, value);
    limit.rlim_max = std::min(limit.rlim_max, value);
    setrlimit(resource, &limit);
}

void limit_child(const ApartLimits& limits, std::size_t address_space_before) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    lower(RLIMIT_CPU, limits.seconds);
    lower(RLIMIT_CORE, 0);
    if (address_space_is_plain() && address_space_before > 0) lower(RLIMIT_AS, address_space_before + limits.memory);
    for (const int signal : {SIGXCPU, SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGPIPE}) std::signal(signal, SIG_DFL);
    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);  // last words of the C library about its heap
}

void send_all(int pipe, const char* data, std::size_t size) {
    while (size > 0) {
        const ssize_t put = write(pipe, data, size);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) _exit(1);  // nobody listens
        data += put;
        size -= static_cast<std::size_t>(put);
    }
}

/// The child's life. It leaves by _exit, so that nothing of the parent is flushed or destroyed twice.
[[noreturn]] void work_and_exit(int data, int report, const std::function<void(const ChildProcess::Send&)>& work) {
    std::string last(1, done_tag);
    try {
        work([&](std::span<const std::byte> bytes) {
            send_all(data, reinterpret_cast<const char*>(bytes.data()), bytes.size());
        });
    } catch (const std::bad_alloc&) {
        last = std::string(1, fault_tag) + "damaged: it needs more memory than a file of its size should";
    } catch (const std::exception& error) {
        last = fault_tag + std::string(error.what());
    }
    send_all(report, last.data(), last.size());
    _exit(0);
}

}  // namespace

ChildProcess::ChildProcess(const ApartLimits& limits, const std::function<void(const Send&)>& work) {
    std::array<int, 2> data{}, report{};
    if (pipe2(data.data(), O_CLOEXEC) != 0) refuse();
    if (pipe2(report.data(), O_CLOEXEC) != 0) {
        close(data[0]);
        close(data[1]);
        refuse();
    }
    const std::size_t before = address_space();
    deadline_ = now() + 1000 * (60 + 20 * static_cast<std::int64_t>(limits.seconds));
    child_ = fork();
    if (child_ == 0) {
        limit_child(limits, before);
        work_and_exit(data[1], report[1], work);
    }
    const int error = errno;
    close(data[1]);
    close(report[1]);
    data_ = data[0];
    report_ = report[0];
    if (child_ < 0) {
        close(data_);
        close(report_);
        errno = error;
        refuse();
    }
}

ChildProcess::~ChildProcess() {
    reap(true);
    close(data_);
    close(report_);
}

void ChildProcess::reap(bool kill) noexcept {
    if (child_ < 0) return;
    if (kill) ::kill(child_, SIGKILL);
    while (waitpid(child_, &status_, 0) < 0 && errno == EINTR) {
    }
    child_ = -1;
}

/// Returns when the pipe has something to say, or its end. Throws FormatError when the time is over.
void ChildProcess::wait_for(int pipe) const {
    for (;;) {
        const std::int64_t left = deadline_ - now();
        if (left <= 0) throw FormatError("damaged: the HDF5 library does not come to an end with it");
        pollfd entry{pipe, POLLIN, 0};
        const int ready = poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
        if (ready > 0) return;
        if (ready < 0 && errno != EINTR) throw IoError("cannot wait for a process that checks a file");
    }
}

std::size_t ChildProcess::receive_some(std::span<std::byte> out) {
    std::size_t done = 0;
    while (done < out.size()) {
        wait_for(data_);
        const ssize_t got = read(data_, out.data() + done, out.size() - done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

void ChildProcess::receive(std::span<std::byte> out) {
    if (receive_some(out) == out.size()) return;
    finish();
    throw FormatError("damaged: fewer elements than it says");
}

void ChildProcess::finish() {
    std::string report;
    std::array<char, 4096> buffer;
    constexpr std::size_t longest_report = 1 << 16;
    while (report.size() < longest_report) {
        wait_for(report_);
        const ssize_t got = read(report_, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        report.append(buffer.data(), static_cast<std::size_t>(got));
    }
    reap(report.size() >= longest_report);
    const bool endless = WIFSIGNALED(status_) && (WTERMSIG(status_) == SIGXCPU || WTERMSIG(status_) == SIGKILL);
    if (endless) throw FormatError("damaged: the HDF5 library does not come to an end with it");
    if (!WIFEXITED(status_) || WEXITSTATUS(status_) != 0 || report.empty()) {
        throw FormatError("damaged: the HDF5 library crashes on it");
    }
    if (report.front() == fault_tag) throw FormatError(report.substr(1));
}

std::string run_apart(const ApartLimits& limits, const std::function<std::string()>& work) {
    ChildProcess child(limits, [&](const ChildProcess::Send& send) {
        const std::string result = work();
        if (result.size() > limits.message) throw FormatError("damaged: it has more structure than is accepted");
        send(std::as_bytes(std::span(result)));
    });
    std::string message;
    constexpr std::size_t step = 1 << 16;
    for (std::size_t got = step; got == step && message.size() <= limits.message;) {
        const std::size_t before = message.size();
        message.resize(before + step);
        got = child.receive_some(std::as_writable_bytes(std::span(message).subspan(before)));
        message.resize(before + got);
    }
    if (message.size() > limits.message) throw FormatError("damaged: it has more structure than is accepted");
    child.finish();
    return message;
}

}  // namespace dca::golden
