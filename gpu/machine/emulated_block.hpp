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
    std::int64_t shared_accesses = 0, bank_conflicts = 0;  ///< cycles that a warp needs without conflicts; and beyond
};

/// Runs `body` once per thread of every block of the grid, blocks in ascending order (x fastest). Throws MachineFault
/// for the fault in the first block that has one, and what `body` throws likewise. Results, counts and faults do not
/// depend on host_threads, as long as blocks do not read what others write.
LaunchStats launch(const char* kernel, Index3 grid, int threads, std::uint32_t shared_bytes,
                   const std::function<void()>& body, const LaunchOptions& options = {});

/// 16-bit elements (bf16, or f16) rounded to nearest even, and back; the same bits everywhere.
[[nodiscard]] std::uint16_t to_element(bool bf16, float x);
[[nodiscard]] float from_element(bool bf16, std::uint16_t bits);

/// What kernel text reaches through gpu/machine/emulated.hpp. One object per thread of the host; docs/kernels.md has
/// the rules that its members check.
class Block {
public:
    using Where = std::source_location;
    Block(const char* kernel, int threads, std::uint32_t shared_bytes, const std::function<void()>& body);
    ~Block();
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

    [[nodiscard]] int thread() const { return thread_; }
    [[nodiscard]] Index3 index() const { return index_; }
    void sync_block(Where at);
    void sync_warp(Where at);
    void sync_named(int id, int threads, Where at);
    std::uint64_t shuffle(std::uint64_t bits, int size, int source, Where at);
    std::uint64_t shuffle_xor(std::uint64_t bits, int size, int mask, Where at);
    std::uint32_t ballot(bool value, Where at);
    void read_shared(void* to, std::uint32_t byte, std::uint32_t size, Where at);
    void write_shared(std::uint32_t byte, const void* from, std::uint32_t size, Where at);
    /// `count` elements from `first` on, moved as one access of that alignment.
    void check_global(const void* data, std::int64_t first, std::int64_t count, std::int64_t size, std::size_t element,
                      std::size_t alignment, Where at) {
        const auto address = reinterpret_cast<std::uintptr_t>(data) + static_cast<std::uintptr_t>(first) * element;
        if (first < 0 || first > size - count || address % alignment != 0) [[unlikely]]
            global_fault(first, count, size, element, alignment, at);
        between_calls();
    }
    /// source null: 16 zeros.
    void copy_async(std::uint32_t byte, const void* source, Where at);
    void commit_async(Where at);
    void wait_async(int pending, Where at);
    void load_matrix_x4(std::uint32_t (&fragment)[4], std::uint32_t byte, bool transposed, Where at);
    void mma(bool bf16, int count, float (*c)[4], const std::uint32_t (&a)[4], const std::uint32_t (*b)[2], Where at);
    void mma_f64(int count, double (*c)[4], const double (&a)[8], const double (*b)[4], Where at);

    /// Runs the block of that index; the order of its threads is a function of the seed and the index.
    void run(Index3 index, std::uint64_t seed);
    void add_to(LaunchStats& total) const;

private:
    struct State;
    [[noreturn]] void global_fault(std::int64_t first, std::int64_t count, std::int64_t size, std::size_t element,
                                   std::size_t alignment, Where at);
    void between_calls();
    int thread_ = 0;
    Index3 index_{};
    std::unique_ptr<State> state_;
};

/// The block whose fiber is running on this thread of the host.
inline constinit thread_local Block* current_block = nullptr;
[[nodiscard]] inline Block& block() {
    return *current_block;
}

}  // namespace dca::gpu::emulated
