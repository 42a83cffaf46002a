// The allocation hook: known allocations, measured within the bound that follows from how blocks are rounded up.
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "tests/support/catch.hpp"
#include "verify/measure/allocations.hpp"
#include "verify/measure/resident.hpp"

using namespace dca::measure;

#ifdef DCA_ALLOCATION_HOOK

namespace {

/// malloc_usable_size is what was asked for, rounded up to 16 bytes in the heap and to whole pages where a block is
/// mapped by itself, less the 8 or 16 bytes of its header; a heap block may be given up to 16 more where a rest would
/// be too small to keep. So one block differs from what was asked for by less than a page.
constexpr std::int64_t page = 4096;

struct Freed {
    void operator()(void* block) const { std::free(block); }
};
using Block = std::unique_ptr<void, Freed>;

Block block(std::size_t bytes) {
    return Block(std::malloc(bytes));
}

/// Looked at: a compiler may leave out what is allocated and never used.
void look_at(const void* block) {
    asm volatile("" : : "r"(block) : "memory");
}

void check_peak(std::int64_t got, std::int64_t asked, std::int64_t blocks) {
    CHECK(got >= asked);
    CHECK(got <= asked + blocks * page);
}

}  // namespace

TEST_CASE("the hook sees every way to allocate, and the peak is of what is held at once") {
    REQUIRE(counts_allocations());
    constexpr std::int64_t size = 1'000'000;
    begin_counting();
    { const Block one = block(size); }
    { const Block other = block(2 * size); }
    check_peak(end_counting(), 2 * size, 1);

    begin_counting();
    {
        const Block one = block(size);
        const Block two(std::calloc(10, size / 10));
        const Block three(std::aligned_alloc(64, 1'000'000 / 64 * 64));
        void* four = nullptr;
        REQUIRE(posix_memalign(&four, 4096, size) == 0);
        const Block owner(four);
        const std::vector<char> five(size);
        const auto six = std::make_unique<char[]>(size);
        for (const void* held : {one.get(), two.get(), three.get(), four}) look_at(held);
        look_at(five.data());
        look_at(six.get());
    }
    check_peak(end_counting(), 6 * size - 64, 6);
}

TEST_CASE("a block that grows counts once, and one from before that is freed is taken off") {
    Block before = block(3'000'000);
    begin_counting();
    void* grown = std::malloc(1000);
    grown = std::realloc(grown, 5'000'000);
    std::free(grown);
    check_peak(end_counting(), 5'000'000, 1);
    begin_counting();
    before.reset();
    const Block after = block(2'000'000);
    CHECK(end_counting() <= page);  // 3 MB were given back before 2 MB were taken
}

TEST_CASE("threads are counted together, and nothing is counted outside") {
    const Block outside = block(9'000'000);
    begin_counting();
    std::vector<std::thread> threads;
    std::vector<Block> held(4);
    for (std::size_t i = 0; i < held.size(); ++i) {
        threads.emplace_back([&, i] { held[i] = block(1'000'000); });
    }
    for (std::thread& thread : threads) thread.join();
    const std::int64_t peak = end_counting();
    // Besides, the threads themselves: their objects and the table of the vector.
    check_peak(peak, 4'000'000, 8);
    void* none = nullptr;
    CHECK(posix_memalign(&none, 3, 8) == EINVAL);
    CHECK(none == nullptr);
}

#endif

TEST_CASE("resident memory: touched pages are seen, and the peak can be reset") {
    const auto start = resident_bytes();
    REQUIRE(start);
    if (!reset_resident_peak()) return;  // some systems forbid it; then nobody relies on it
    constexpr std::int64_t size = 64 << 20;
    {
        const std::vector<char> touched(static_cast<std::size_t>(size), 'x');
        REQUIRE(touched[12345] == 'x');
    }
    const auto peak = resident_peak_bytes();
    REQUIRE(peak);
    // The kernel batches its counters: 64 pages per thread and kind may be missing (SPLIT_RSS_COUNTING), far below 1
    // MiB.
    CHECK(*peak - *start >= size - (1 << 20));
    CHECK(*peak - *start <= size + (1 << 20));
    REQUIRE(reset_resident_peak());
    CHECK(*resident_peak_bytes() < *peak);
}

TEST_CASE("the share of time that a run lacks a processor") {
    CHECK(share_lacking(10, 0, 1, 2) == 0);
    CHECK(share_lacking(10, 10, 1, 2) == 0);  // the other processor was free for them
    CHECK(share_lacking(10, 15, 1, 2) == 0.5);
    CHECK(share_lacking(10, 10, 2, 2) == 0.5);
    CHECK(share_lacking(10, 40, 1, 2) == 1);
    CHECK(share_lacking(0, 1, 1, 2) == 0);
}
