// Work that may crash, hang or eat memory through no fault of ours, done in a child process with limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace dca::golden {

/// What a child may use. Memory is counted beyond what the parent had when it started the child, and not limited where
/// a sanitizer needs the address space.
struct ApartLimits {
    unsigned seconds = 2;  ///< processor time; waiting in all may take 60 s + 20 x this
    std::size_t memory = std::size_t{256} << 20;
    std::size_t message = std::size_t{64} << 20;  ///< bytes it may return
};

/// A child process that sends bytes. What it has sent is untrusted: the work may have gone wrong in ways that nobody
/// noticed.
class ChildProcess {
public:
    using Send = std::function<void(std::span<const std::byte>)>;
    /// Starts `work` in a child. An exception that leaves it becomes the FormatError that receive() or finish() throw.
    /// Throws IoError if there can be no child.
    ChildProcess(const ApartLimits& limits, const std::function<void(const Send&)>& work);
    /// Kills the child if it still runs.
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    /// Exactly these bytes. Throws FormatError if the child sends fewer, with its reason.
    void receive(std::span<std::byte> out);
    /// Up to so many bytes, fewer only at the end; 0 when the child has sent everything.
    [[nodiscard]] std::size_t receive_some(std::span<std::byte> out);
    /// Waits for the end. Throws FormatError if the child threw ("..."), crashed ("damaged: the HDF5 library crashes on
    /// it"), or did not come to an end within its limits.
    void finish();

private:
    void wait_for(int pipe) const;
    void reap(bool kill) noexcept;

    int data_ = -1, report_ = -1;
    int child_ = -1, status_ = 0;
    std::int64_t deadline_ = 0;  ///< milliseconds of the monotonic clock
};

/// Runs `work` in a child process and returns what it returned. Throws as ChildProcess.
[[nodiscard]] std::string run_apart(const ApartLimits& limits, const std::function<std::string()>& work);

}  // namespace dca::golden
