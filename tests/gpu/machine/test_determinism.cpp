// The order of threads is a function of the seed; results, counts and faults are not functions of host_threads.
#include <algorithm>
#include <set>

#include "tests/gpu/machine/planted.hpp"

using namespace planted;

namespace {

constexpr int threads = 96, blocks = 24;

/// For every block the order in which its threads came by, three times: at the start, after a barrier, after a shuffle.
std::vector<int> order(std::uint64_t seed, int host_threads, emulated::LaunchStats* stats = nullptr) {
    std::vector<int> came(static_cast<std::size_t>(blocks * 3 * threads)), count(blocks);
    const Global<int> places{came.data(), static_cast<std::int64_t>(came.size())}, counters{count.data(), blocks};
    emulated::LaunchOptions options;
    options.seed = seed;
    options.host_threads = host_threads;
    const emulated::LaunchStats s = emulated::launch(
        "order", {4, 3, 2}, threads, 512,
        [&] {
            const Index3 b = M::block();
            const int block = b.x + 4 * (b.y + 3 * b.z);
            const auto come = [&] {
                M::store(places, block * 3 * threads + M::atomic_add(counters, block, 1), M::thread());
            };
            come();
            M::sync_block();
            come();
            M::sync_block();
            M::shuffle_xor(1, 1);
            come();
            M::store_shared(word(M::thread()), 1);
        },
        options);
    if (stats != nullptr) *stats = s;
    return came;
}

}  // namespace

TEST_CASE("The same seed gives the same order, another seed another") {
    const std::vector<int> first = order(1, 1);
    CHECK(first == order(1, 1));
    CHECK(first != order(2, 1));
    const std::set<std::vector<int>> orders = {first, order(2, 1), order(3, 1), order(4, 1), order(5, 1)};
    CHECK(orders.size() == 5);
    // Every thread comes by three times, in an order that is neither ascending nor the same in all blocks.
    for (int round = 0; round < 3; ++round) {
        const auto begin = first.begin() + round * threads;
        std::vector<int> sorted(begin, begin + threads);
        CHECK_FALSE(std::is_sorted(sorted.begin(), sorted.end()));
        if (round < 2) {
            std::sort(sorted.begin(), sorted.end());
            for (int t = 0; t < threads; ++t) CHECK(sorted[static_cast<std::size_t>(t)] == t);
        }
        CHECK_FALSE(std::equal(begin, begin + threads, begin + 3 * threads));
    }
}

TEST_CASE("Order and counts do not depend on the threads of the host") {
    emulated::LaunchStats one, many;
    const std::vector<int> expected = order(9, 1, &one);
    for (const int host_threads : {0, 2, 3, 7, 100}) {
        CHECK(order(9, host_threads, &many) == expected);
        CHECK(many.blocks == one.blocks);
        CHECK(many.switches == one.switches);
        CHECK(many.collectives == one.collectives);
        CHECK(many.shared_accesses == one.shared_accesses);
    }
    CHECK(one.blocks == blocks);
    CHECK(one.collectives == blocks * 3);
}

TEST_CASE("Of several blocks with faults the first is told, whatever the threads of the host") {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        std::set<std::string> messages;
        for (const int host_threads : {1, 2, 5, 2, 2, 5, 5}) {
            emulated::LaunchOptions options;
            options.seed = seed;
            options.host_threads = host_threads;
            try {
                emulated::launch(
                    "faulty", {64, 1, 1}, 64, 256,
                    [] {
                        // Later blocks fail sooner.
                        if (M::block().x < 20)
                            for (int i = 0; i < 50; ++i) M::sync_block();
                        if (M::block().x >= 11) M::load_shared<int>(word(M::thread()));
                    },
                    options);
                messages.insert("no fault");
            } catch (const emulated::MachineFault& f) {
                messages.insert(f.what());
            }
        }
        CHECK(messages.size() == 1);
        INFO(*messages.begin());
        CHECK(messages.begin()->find("of block (11,0,0)") != std::string::npos);
    }
}

TEST_CASE("A thread may be overtaken between two calls") {
    // Thread 0 waits, by reading, for what another thread stores without a barrier: only a machine that lets others run
    // in between ever gets there. On a GPU this needs volatile; here it shows that order changes between rendezvous.
    int flag = 0;
    const Global<int> global{&flag, 1};
    run(32, 0, [&] {
        if (M::thread() == 31)
            M::store(global, 0, 1);
        else
            while (M::load(global, 0) == 0) {
            }
    });
    CHECK(flag == 1);
}
