// A child process that is talked to line by line, and what it used when it is over.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "verify/gate/process.hpp"

namespace dca::measure {

using Deadline = std::chrono::steady_clock::time_point;
[[nodiscard]] Deadline after_seconds(double seconds);

/// Called some times a second while something is waited for; may throw to stop.
using Waiting = std::function<void()>;

/// Runs in a process group of its own, which is gone when this is.
class Child {
public:
    /// order.timeout is what describe() says of a child that was too slow; waiting is bounded by deadlines. Throws
    /// IoError where there can be no child.
    explicit Child(verify::ProcessOrder order);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    /// Writes a line to its stdin. A child that is gone takes nothing and nobody is told.
    void send(const std::string& line);
    /// The next line of its stdout, without the line break; nothing where the stream ends or time is up.
    [[nodiscard]] std::optional<std::string> receive(Deadline deadline, const Waiting& waiting);

    /// Lets it come to its end; kills it where time is up.
    void finish(Deadline deadline, const Waiting& waiting);
    /// After finish(): how it ended, wall seconds since it was started, and what it and its own children used.
    /// ru_maxrss is the largest of: its peak, that of each of its children, and what this process had resident when it
    /// forked.
    [[nodiscard]] const verify::ProcessEnd& end() const { return end_; }
    [[nodiscard]] const rusage& usage() const { return usage_; }
    /// "was killed by SIGKILL ..."
    [[nodiscard]] std::string how_it_ended() const { return describe(end_, order_); }

private:
    /// Takes what there is; false when both streams are at their end.
    bool take(int milliseconds);
    void close_all();

    verify::ProcessOrder order_;
    verify::ProcessEnd end_;
    rusage usage_{};
    pid_t child_ = -1;
    int in_ = -1, out_ = -1, err_ = -1;
    std::string lines_;
    std::chrono::steady_clock::time_point begin_;
};

}  // namespace dca::measure
