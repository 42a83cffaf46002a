#include "verify/picture/filter_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <utility>

namespace dca::picture {
namespace {

using Clock = std::chrono::steady_clock;

class Descriptor {
public:
    explicit Descriptor(int value = -1) : value_(value) {}
    ~Descriptor() { close(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const { return value_; }
    void reset(int value) {
        close();
        value_ = value;
    }
    void close() {
        if (value_ >= 0) ::close(value_);
        value_ = -1;
    }

private:
    int value_;
};

/// A started program; killed and reaped when forgotten.
class Child {
public:
    Child(const std::vector<std::string>& command, int input, int output) {
        std::vector<char*> arguments;
        for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
        arguments.push_back(nullptr);
        const char* path = std::getenv("PATH");
        std::string path_entry = "PATH=" + std::string(path != nullptr ? path : "/usr/bin:/bin"), locale = "LC_ALL=C";
        std::array<char*, 3> environment{path_entry.data(), locale.data(), nullptr};
        posix_spawn_file_actions_t actions;
        if (posix_spawn_file_actions_init(&actions) != 0) return;
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        if (posix_spawnp(&id_, arguments[0], &actions, nullptr, arguments.data(), environment.data()) != 0) id_ = -1;
        posix_spawn_file_actions_destroy(&actions);
    }
    ~Child() {
        if (id_ <= 0) return;
        ::kill(id_, SIGKILL);
        (void)wait(0);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    [[nodiscard]] bool started() const { return id_ > 0; }

    /// Whether it has ended with status 0 by the deadline.
    [[nodiscard]] bool succeeded(Clock::time_point deadline) {
        while (Clock::now() < deadline) {
            if (const std::optional<int> status = wait(WNOHANG)) return WIFEXITED(*status) && WEXITSTATUS(*status) == 0;
            ::usleep(1000);
        }
        return false;
    }

private:
    std::optional<int> wait(int flags) {
        int status = 0;
        pid_t ended = 0;
        do ended = ::waitpid(id_, &status, flags);
        while (ended < 0 && errno == EINTR);
        if (ended == 0) return std::nullopt;
        id_ = -1;
        return ended < 0 ? -1 : status;
    }

    pid_t id_ = -1;
};

/// Feeds and drains until the output ends. False where a limit is exceeded.
bool exchange(Descriptor& to, Descriptor& from, const std::string& input, std::string& output,
              const FilterLimits& limits, Clock::time_point deadline) {
    std::size_t sent = 0;
    std::array<char, 65536> buffer{};
    while (true) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        if (left <= 0) return false;
        std::array<pollfd, 2> waiting{{{from.get(), POLLIN, 0}, {to.get(), POLLOUT, 0}}};
        if (::poll(waiting.data(), to.get() >= 0 ? 2 : 1, static_cast<int>(left)) <= 0) {
            if (errno == EINTR) continue;
            return false;
        }
        if (to.get() >= 0 && waiting[1].revents != 0) {
            const ssize_t n = ::send(to.get(), input.data() + sent, input.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n > 0) sent += static_cast<std::size_t>(n);
            const bool later = n < 0 && (errno == EAGAIN || errno == EINTR);
            if (sent == input.size() || (n < 0 && !later)) to.close();
        }
        if (waiting[0].revents == 0) continue;
        const ssize_t n = ::read(from.get(), buffer.data(), buffer.size());
        if (n == 0) return true;
        if (n < 0 && errno != EINTR && errno != EAGAIN) return false;
        if (n > 0) output.append(buffer.data(), static_cast<std::size_t>(n));
        if (output.size() > limits.output) return false;
    }
}

}  // namespace

std::optional<std::string> run_filter(const std::vector<std::string>& command, const std::string& input,
                                      const FilterLimits& limits) {
    // A socket instead of a pipe: sending to a program that has ended is an error there, not a signal.
    std::array<int, 2> feed{}, drain{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, feed.data()) != 0) return std::nullopt;
    Descriptor to(feed[0]), its_input(feed[1]);
    if (::pipe2(drain.data(), O_CLOEXEC) != 0) return std::nullopt;
    Descriptor from(drain[0]), its_output(drain[1]);
    Child child(command, its_input.get(), its_output.get());
    its_input.close();
    its_output.close();
    if (!child.started()) return std::nullopt;
    if (input.empty()) to.close();
    const Clock::time_point deadline = Clock::now() + limits.time;
    std::string output;
    if (!exchange(to, from, input, output, limits, deadline) || !child.succeeded(deadline)) return std::nullopt;
    return output;
}

}  // namespace dca::picture
