// One thread block on fibers, and the loop over a grid of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <stdexcept>
#include <string>

#include "gpu/machine/types.hpp"

namespace dca::gpu::emulated {

/// A kernel did what a GPU would punish with wrong numbers, a hang or a fault. One line that names the kernel, the
/// source line, the block, the thread and the offset.
struct MachineFault : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct LaunchOptions {
    std::uint64_t seed = 1;  ///< of the order in which fibers run; the same seed gives the same run
    int host_threads = 0;    ///< blocks that run side by side; 0: as many as there are processors
};

/// What a run did, counted over all blocks.
struct LaunchStats {
    std::int64_t blocks = 0;
    std::int64_t switches = 0;                             ///< of fibers
    std::int64_t collectives = 0;                          ///< rendezvous of warps
    std::int64_t mma_flops = 0;                            ///< 2 m n k of every mma
    std::int64_t shared_accesses = 0, bank_conflicts = 0;  ///< of warps; conflicts: cycles beyond the first
};

/// Runs `body` once per thread of every block of the grid. Throws MachineFault for the first fault found; results do
/// not depend on host_threads.
LaunchStats launch(const char* kernel, Index3 grid, int threads, std::uint32_t shared_bytes,
                   const std::function<void()>& body, const LaunchOptions& options = {});

[[nodiscard]] std::uint16_t to_element(bool bf16, float x);
[[nodiscard]] float from_element(bool bf16, std::uint16_t bits);

/// What kernel text reaches through gpu/machine/emulated.hpp.
class Block {
public:
    using Where = std::source_location;
    Block();
    ~Block();

    [[nodiscard]] int thread() const { return thread_; }
    [[nodiscard]] Index3 index() const { return index_; }
    void sync_block(Where at);
    void sync_warp(Where at);
    void sync_named(int id, int threads, Where at);
    std::uint64_t shuffle(std::uint64_t bits, int source, Where at);
    std::uint32_t ballot(bool value, Where at);
    void read_shared(void* to, std::uint32_t byte, std::uint32_t size, Where at);
    void write_shared(std::uint32_t byte, const void* from, std::uint32_t size, Where at);
    void check_global(const void* data, std::int64_t first, std::int64_t count, std::int64_t size, std::size_t element,
                      std::size_t alignment, Where at);
    /// source null: 16 zeros.
    void copy_async(std::uint32_t byte, const void* source, Where at);
    void commit_async(Where at);
    void wait_async(int pending, Where at);
    void load_matrix_x4(std::uint32_t (&fragment)[4], std::uint32_t byte, bool transposed, Where at);
    void mma(bool bf16, int count, float (*c)[4], const std::uint32_t (&a)[4], const std::uint32_t (*b)[2], Where at);
    void mma_f64(int count, double (*c)[4], const double (&a)[8], const double (*b)[4], Where at);

    struct State;
    State& state() { return *state_; }

private:
    friend LaunchStats launch(const char*, Index3, int, std::uint32_t, const std::function<void()>&,
                              const LaunchOptions&);
    int thread_ = 0;
    Index3 index_{};
    std::unique_ptr<State> state_;
};

/// The block whose fiber is running on this thread of the host.
[[nodiscard]] Block& block();

}  // namespace dca::gpu::emulated
