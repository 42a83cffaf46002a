// The fibers of one host thread: one per CUDA thread of a block, made once and started anew for every block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dca::gpu::emulated {

/// Stacks lie in one mapping, taken from a pool. Below each is a guard page; a mark stands at the depth a fiber may
/// reach, well above it, so that an overflow is reported before it does harm.
class Fibers {
public:
    static constexpr std::size_t usable = 128 * 1024;  ///< bytes of stack that kernel text may use
    static constexpr int host = -1;                    ///< what is not a fiber: the thread that made them

    /// `entry` runs on a fiber and must leave through switch_to() when it is done, never return.
    Fibers(int count, void (*entry)(void*), void* argument);
    ~Fibers();
    Fibers(const Fibers&) = delete;
    Fibers& operator=(const Fibers&) = delete;

    /// The next switch to this fiber enters `entry` on a fresh stack.
    void start(int fiber);
    /// Leaves the running fiber (or the host) for another; returns when somebody switches back. `last`: nobody will.
    void switch_to(int next, bool last = false);
    [[nodiscard]] int running() const { return running_; }
    /// Whether the running fiber is within `usable` now, and whether it has always been; to be called from it.
    [[nodiscard]] bool within_stack() const {
        const Context& c = contexts_[static_cast<std::size_t>(running_ + 1)];
        return static_cast<unsigned char*>(__builtin_frame_address(0)) > mark(c) + mark_bytes;
    }
    [[nodiscard]] bool mark_intact() const;

private:
    static constexpr std::size_t mark_bytes = 128;
    struct Context {
        void* at = nullptr;            ///< where it goes on
        unsigned char* low = nullptr;  ///< of its stack; above the guard page
        unsigned char* top = nullptr;
        void* sanitizer = nullptr;
    };
    [[nodiscard]] Context& context(int fiber) { return contexts_[static_cast<std::size_t>(fiber + 1)]; }
    [[nodiscard]] unsigned char* mark(const Context& c) const { return c.top - usable; }
    struct Arrival;
    void arrive(void* from);

    void (*entry_)(void*);
    void* argument_;
    unsigned char* mapping_ = nullptr;
    std::vector<Context> contexts_;  ///< the host's, then the fibers'
    int running_ = host, previous_ = host;
};

}  // namespace dca::gpu::emulated
