// The shadow of shared memory against a model: random programs of accesses and barriers are found racy by every seed if
// and only if two of their accesses are unordered by the definition.
#include <random>

#include "gpu/machine/emulated/shared_memory.hpp"
#include "tests/gpu/machine/planted.hpp"

using namespace planted;

namespace {

constexpr int warps = 3, threads = 32 * warps, bytes = 64;

/// One step of a program: an access of one thread, or a barrier of a set of warps (one bit each).
struct Step {
    int thread = -1;
    std::uint32_t byte = 0, size = 0;
    bool write = false;
    std::uint32_t barrier = 0;
};
using Program = std::vector<Step>;

Program random_program(std::mt19937& random) {
    const auto below = [&](unsigned n) { return static_cast<std::uint32_t>(random() % n); };
    Program program;
    const std::uint32_t barriers_in_ten = 2 + below(7);
    for (int i = 0; i < 30; ++i) {
        Step step;
        if (below(10) < barriers_in_ten) {
            const std::uint32_t sets[] = {1, 2, 4, 3, 5, 6, 7, 7};
            step.barrier = sets[below(8)];
        } else {
            // Few threads and few bytes, so that they meet; accesses of all sizes.
            step.thread = static_cast<int>(below(warps) * 32 + below(2));
            step.size = 1u << below(5);
            step.byte = below(bytes / step.size) * step.size;
            step.write = below(3) == 0;
        }
        program.push_back(step);
    }
    return program;
}

/// Whether two accesses of different threads touch a byte, one writes, and no chain of barriers leads from one to the
/// other. clock[t][u]: how many steps of the program up to which what u did is known to t.
bool racy(const Program& program) {
    std::vector<std::vector<int>> clock(threads, std::vector<int>(threads, -1));
    for (int j = 0; j < static_cast<int>(program.size()); ++j) {
        const Step& now = program[static_cast<std::size_t>(j)];
        if (now.barrier != 0) {
            std::vector<int> joined(threads, -1);
            const auto takes_part = [&](int t) { return (now.barrier >> (t / 32) & 1) != 0; };
            for (int t = 0; t < threads; ++t)
                if (takes_part(t))
                    for (int u = 0; u < threads; ++u)
                        joined[static_cast<std::size_t>(u)] = std::max(
                            joined[static_cast<std::size_t>(u)],
                            takes_part(u) ? j : clock[static_cast<std::size_t>(t)][static_cast<std::size_t>(u)]);
            for (int t = 0; t < threads; ++t)
                if (takes_part(t)) clock[static_cast<std::size_t>(t)] = joined;
            continue;
        }
        for (int i = 0; i < j; ++i) {
            const Step& before = program[static_cast<std::size_t>(i)];
            if (before.barrier != 0 || before.thread == now.thread || !(before.write || now.write)) continue;
            if (before.byte + before.size <= now.byte || now.byte + now.size <= before.byte) continue;
            if (clock[static_cast<std::size_t>(now.thread)][static_cast<std::size_t>(before.thread)] < i) return true;
        }
    }
    return false;
}

template <class T>
void access(const Step& step) {
    const SharedAddress at = M::shared() + step.byte;
    if (step.write)
        M::store_shared(at, T{});
    else
        M::load_shared<T>(at);
}

void execute(const Program& program) {
    if (M::thread() < bytes) M::store_shared(M::shared() + static_cast<std::uint32_t>(M::thread()), std::uint8_t{0});
    M::sync_block();
    for (const Step& step : program) {
        if (step.barrier == 7) {
            M::sync_block();
        } else if (step.barrier != 0) {
            if (!(step.barrier >> M::warp() & 1)) continue;
            if (std::popcount(step.barrier) == 1)
                M::sync_warp();
            else
                M::sync_named(static_cast<int>(step.barrier), 64);
        } else if (step.thread == M::thread()) {
            switch (step.size) {
                case 1: access<std::uint8_t>(step); break;
                case 2: access<std::uint16_t>(step); break;
                case 4: access<std::uint32_t>(step); break;
                case 8: access<double>(step); break;
                default: access<Vector16>(step);
            }
        }
    }
}

}  // namespace

TEST_CASE("Races are found if and only if there are any") {
    std::mt19937 random(21);
    int with = 0, without = 0;
    for (int trial = 0; trial < 600; ++trial) {
        const Program program = random_program(random);
        const bool expected = racy(program);
        ++(expected ? with : without);
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            const std::string message = fault(
                threads, bytes, [&] { execute(program); }, seed);
            INFO("trial " << trial << " seed " << seed << ": " << message);
            REQUIRE((message.find("no barrier lies between") != std::string::npos) == expected);
        }
    }
    // Both kinds often enough to mean something.
    CHECK(with > 100);
    CHECK(without > 100);
}

TEST_CASE("Order outlasts more barriers than a record can count") {
    // 2^20 segments fit a record. Warp 0 goes beyond again and again, alone and with others.
    using emulated::Conflict;
    using emulated::SharedMemory;
    SharedMemory memory(64, 3);
    memory.start_block();
    const std::uint32_t value = 7;
    std::uint32_t got = 0;
    const auto many = [&](std::uint32_t warps) {
        for (int i = 0; i < 1100000; ++i) memory.order(warps);
    };
    const auto load = [&](int thread, std::uint32_t byte) { return memory.load(thread, byte, 4, &got, 1).kind; };
    const auto store = [&](int thread, std::uint32_t byte) { return memory.store(thread, byte, 4, &value, 1).kind; };
    CHECK(store(0, 0) == Conflict::Kind::none);
    CHECK(store(33, 4) == Conflict::Kind::none);
    many(1);
    CHECK(load(1, 0) == Conflict::Kind::none);  // own warp: ordered
    CHECK(load(32, 0) == Conflict::Kind::written);
    CHECK(load(0, 4) == Conflict::Kind::written);
    memory.order(3);
    CHECK(store(0, 8) == Conflict::Kind::none);
    many(4);
    many(1);
    CHECK(load(32, 0) == Conflict::Kind::none);
    CHECK(load(0, 4) == Conflict::Kind::none);
    CHECK(load(64, 0) == Conflict::Kind::written);
    CHECK(load(32, 8) == Conflict::Kind::written);
    // Reads are remembered as well: warp 2 learns of those before its barrier with warp 1, not of warp 0's after it.
    memory.order(6);
    CHECK(load(5, 4) == Conflict::Kind::none);
    many(2);
    many(4);
    CHECK(store(64, 0) == Conflict::Kind::none);
    CHECK(store(64, 4) == Conflict::Kind::read);
    memory.order(7);
    CHECK(store(64, 4) == Conflict::Kind::none);
    CHECK(load(64, 4) == Conflict::Kind::none);
    many(7);
    CHECK(load(0, 4) == Conflict::Kind::none);
    CHECK(load(32, 12) == Conflict::Kind::unwritten);
}

TEST_CASE("Every reader and the last writer of a byte are remembered") {
    using emulated::Conflict;
    emulated::SharedMemory memory(64, 2);
    memory.start_block();
    const std::uint64_t value = 7;
    std::uint64_t got = 0;
    CHECK_FALSE(memory.store(40, 0, 8, &value, 1));
    memory.order(3);
    for (const int reader : {3, 5, 45}) CHECK_FALSE(memory.load(reader, 0, 4, &got, 2));
    // Whoever writes next meets all readers but itself, in its own warp and in the other; byte 4 nobody read.
    CHECK(memory.store(5, 0, 4, &value, 3).thread == 3);
    CHECK(memory.store(3, 0, 4, &value, 3).thread == 5);
    CHECK(memory.store(45, 0, 4, &value, 3).thread == 3);
    CHECK_FALSE(memory.store(45, 4, 4, &value, 3));
    CHECK(memory.load(5, 4, 4, &got, 4).kind == Conflict::Kind::written);
    memory.order(1);
    CHECK(memory.store(3, 0, 4, &value, 3).thread == 45);
    memory.order(3);
    CHECK_FALSE(memory.store(3, 0, 4, &value, 5));
    const Conflict c = memory.load(5, 0, 2, &got, 6);
    CHECK(c.kind == Conflict::Kind::written);
    CHECK(c.thread == 3);
    CHECK(c.site == 5);
    // A row is read by all lanes: what one of them wrote since the last barrier is not for it either.
    CHECK(memory.read_row(0, 0, 7).thread == 3);
}
