// The grid: blocks side by side on threads of the host.
#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "gpu/machine/emulated_block.hpp"

namespace dca::gpu::emulated {
namespace {

/// The most dynamic shared memory a block can have on sm_90: 227 KiB (CUDA C++ Programming Guide, table of compute
/// capabilities).
constexpr std::uint32_t most_shared = 227 * 1024;

/// The failure of the block that comes first; later blocks need not start.
class Failure {
public:
    void report(std::int64_t block, std::exception_ptr error) {
        const std::lock_guard lock(mutex_);
        if (block >= block_) return;
        block_ = block;
        error_ = std::move(error);
    }
    void rethrow() const {
        if (error_) std::rethrow_exception(error_);
    }

private:
    std::mutex mutex_;
    std::int64_t block_ = INT64_MAX;
    std::exception_ptr error_;
};

void check(const char* kernel, Index3 grid, int threads, std::uint32_t shared_bytes) {
    const auto refuse = [&](const std::string& why) {
        throw MachineFault("kernel " + std::string(kernel) + ": " + why);
    };
    if (threads < 32 || threads > 1024 || threads % 32 != 0)
        refuse("launched with " + std::to_string(threads) +
               " threads per block; this machine takes 1 to 32 whole warps");
    if (grid.x < 1 || grid.y < 1 || grid.z < 1) refuse("launched on an empty grid");
    if (grid.y > 65535 || grid.z > 65535) refuse("launched on a grid of more than 65535 blocks in y or z");
    if (shared_bytes > most_shared) refuse("launched with " + std::to_string(shared_bytes) + " bytes of shared memory");
}

}  // namespace

LaunchStats launch(const char* kernel, Index3 grid, int threads, std::uint32_t shared_bytes,
                   const std::function<void()>& body, const LaunchOptions& options) {
    check(kernel, grid, threads, shared_bytes);
    const std::int64_t blocks = static_cast<std::int64_t>(grid.x) * grid.y * grid.z;
    int hosts = options.host_threads > 0 ? options.host_threads : static_cast<int>(std::thread::hardware_concurrency());
    hosts = static_cast<int>(std::clamp<std::int64_t>(hosts, 1, blocks));

    // Blocks are handed out in ascending order, so whatever comes before a failing block has been started; it is run to
    // its end, and the first failure wins.
    std::atomic<std::int64_t> next{0};
    std::atomic<bool> failed{false};
    Failure failure;
    std::mutex total_mutex;
    LaunchStats total;
    const auto work = [&] {
        Block* const outer = current_block;
        std::int64_t b = 0;
        try {
            Block block(kernel, threads, shared_bytes, body);
            while (!failed && (b = next++) < blocks) {
                const Index3 index{static_cast<int>(b % grid.x), static_cast<int>(b / grid.x % grid.y),
                                   static_cast<int>(b / grid.x / grid.y)};
                // The seed of a block: any function that two blocks are unlikely to share.
                block.run(index,
                          options.seed * 0x9e3779b97f4a7c15u + static_cast<std::uint64_t>(b) * 0xd1342543de82ef95u);
            }
            const std::lock_guard lock(total_mutex);
            block.add_to(total);
        } catch (...) {
            failure.report(b, std::current_exception());
            failed = true;
        }
        current_block = outer;
    };
    std::vector<std::thread> others;
    for (int i = 1; i < hosts; ++i) others.emplace_back(work);
    work();
    for (std::thread& t : others) t.join();
    failure.rethrow();
    return total;
}

}  // namespace dca::gpu::emulated
