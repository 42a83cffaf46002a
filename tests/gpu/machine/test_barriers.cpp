// Missing, divergent and mismatched barriers, each beside its sound twin.
#include "tests/gpu/machine/planted.hpp"

using namespace planted;

TEST_CASE("A read of what another thread wrote needs a barrier between") {
    std::string write, read;
    const auto body = [&](bool barrier) {
        M::store_shared(word(M::thread()), M::thread(), spot(write));
        if (barrier) M::sync_block();
        const int next = M::load_shared<int>(word((M::thread() + 1) % 128), spot(read));
        if (barrier) expect(next == (M::thread() + 1) % 128);
    };
    sound(128, 512, [&] { body(true); });
    caught_at(128, 512, [&] { body(false); }, {&read}, {"reads byte ", "of shared memory, which "});
    // Which of the two comes first is up to the order: either the write had not been made, or no barrier lies between.
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const std::string message = fault(
            128, 512, [&] { body(false); }, seed);
        INFO(message);
        const bool late = message.find("which no thread has written") != std::string::npos;
        const bool unordered = message.find(" wrote at " + write + " and no barrier lies between") != std::string::npos;
        CHECK(late != unordered);
    }
    // Written by everybody before, so that only the order is at fault.
    caught_at(128, 512,
              [&] {
                  M::store_shared(word((M::thread() + 1) % 128), 0);
                  M::sync_block();
                  body(false);
              },
              {&read}, {"shared memory, which thread", "and no barrier lies between"});
}

TEST_CASE("A write over what another thread read or wrote needs a barrier between") {
    std::string read, write;
    const auto body = [&](bool barrier) {
        M::store_shared(word(M::thread()), 1);
        M::sync_block();
        M::load_shared<int>(word((M::thread() + 32) % 64), spot(read));
        if (barrier) M::sync_block();
        M::store_shared(word(M::thread()), 2, spot(write));
    };
    sound(64, 256, [&] { body(true); });
    caught_at(64, 256, [&] { body(false); }, {&read, &write}, {"and no barrier lies between"});
    caught_at(64, 256, [&] { M::store_shared(word(M::thread() / 2), 1, spot(write)); }, {&write},
              {"writes byte", "wrote at"});
}

TEST_CASE("A barrier orders a loop only where both its ends have one") {
    // The tile is overwritten in the next round: without the second barrier some warp still reads the old one.
    const auto body = [](bool second) {
        for (int round = 0; round < 4; ++round) {
            M::store_shared(word(M::thread()), round);
            M::sync_block();
            for (int i = 0; i < 128; i += 32) expect(M::load_shared<int>(word((M::thread() + i) % 128)) == round);
            if (second) M::sync_block();
        }
    };
    sound(128, 512, [&] { body(true); });
    caught(128, 512, [&] { body(false); }, {"shared memory, which thread", "no barrier lies between"});
}

TEST_CASE("sync_warp orders the lanes of its warp and nobody else") {
    const auto body = [](bool sync, int distance) {
        M::store_shared(word(M::thread()), 7);
        if (sync) M::sync_warp();
        M::load_shared<int>(word(M::thread() ^ distance));
    };
    sound(64, 256, [&] { body(true, 1); });
    caught(64, 256, [&] { body(false, 1); }, {"shared memory"});
    caught(64, 256, [&] { body(true, 32); }, {"shared memory"});
}

TEST_CASE("Shuffles, votes and mma order no memory") {
    // CUDA C++ Programming Guide, warp shuffle and vote functions: they do not imply a memory barrier.
    caught(32, 128,
           [] {
               M::store_shared(word(M::thread()), 7);
               M::shuffle_xor(1, 1);
               M::all(true);
               M::load_shared<int>(word(M::thread() ^ 1));
           },
           {"which thread", "no barrier lies between"});
}

TEST_CASE("A named barrier orders those who take part") {
    // Warps 0 and 1 write for warps 2 and 3 and meet them in pairs.
    const auto body = [](bool other) {
        const int warp = M::warp(), pair = warp % 2;
        if (warp < 2) M::store_shared(word(M::thread()), M::thread());
        M::sync_named(1 + pair, 64);
        if (warp >= 2) {
            const int from = M::thread() - 64;
            expect(M::load_shared<int>(word(other ? from ^ 32 : from)) == from);
        }
    };
    sound(128, 512, [&] { body(false); });
    caught(128, 512, [&] { body(true); }, {"shared memory"});
}

TEST_CASE("Order passes from barrier to barrier") {
    // Warp 0 tells warp 1, warp 1 tells warp 2: what warp 0 wrote first is known to warp 2, what it wrote later is not.
    const auto body = [](bool later) {
        const int warp = M::warp(), lane = M::lane();
        if (warp == 0) M::store_shared(word(lane), 1);
        if (warp <= 1) M::sync_named(1, 64);
        if (warp == 0) M::store_shared(word(32 + lane), 2);
        if (warp >= 1) M::sync_named(2, 64);
        if (warp == 2) M::load_shared<int>(word(later ? 32 + lane : lane));
    };
    sound(96, 512, [&] { body(false); });
    caught(96, 512, [&] { body(true); }, {"shared memory"});
}

TEST_CASE("A barrier in divergent code is a fault") {
    std::string one, two;
    const auto either = [&](bool first) { first ? M::sync_block(spot(one)) : M::sync_block(spot(two)); };
    caught(64, 0,
           [] {
               if (M::thread() < 40) M::sync_block();
           },
           {"sync_block", "the kernel"});
    caught(64, 0,
           [] {
               if (M::warp() == 0) M::sync_block();
           },
           {"sync_block", "the kernel"});
    caught_at(64, 0, [&] { either(M::lane() < 16); }, {&one, &two}, {"sync_block", "while lane"});
    caught_at(64, 0, [&] { either(M::warp() == 0); }, {&one, &two}, {"sync_block while warp", "waits at another"});
    caught(64, 0, [] { M::lane() < 4 ? M::sync_warp() : M::sync_block(); }, {"sync_warp", "sync_block", "lane"});
    sound(64, 0, [&] { either(true); });
}

TEST_CASE("Named barriers: wrong counts, wrong numbers") {
    caught(64, 0, [] { M::sync_named(1, 96); }, {"sync_named(1, 96)", "at most the 64"});
    caught(64, 0, [] { M::sync_named(1, 48); }, {"sync_named(1, 48)", "whole warps"});
    caught(64, 0, [] { M::sync_named(1, 0); }, {"whole warps"});
    caught(64, 0, [] { M::sync_named(0, 64); }, {"barriers are 1 to 15"});
    caught(64, 0, [] { M::sync_named(16, 64); }, {"barriers are 1 to 15"});
    caught(64, 0, [] { M::sync_named(3, M::warp() == 0 ? 32 : 64); }, {"sync_named(3, 64)"});
    caught(96, 0, [] { M::sync_named(3, M::warp() == 0 ? 96 : 64); }, {"sync_named(3, "});
    caught(64, 0, [] { M::sync_named(1, M::lane() == 3 ? 32 : 64); },
           {"sync_named(1, 32)", "sync_named(1, 64)", "lane"});
    // Three warps come to a barrier of two: one is left over.
    caught(96, 0, [] { M::sync_named(5, 64); }, {"deadlock", "sync_named(5, 64)"});
    sound(128, 0, [] {
        M::sync_named(15, 128);
        M::sync_named(1 + M::warp() / 2, 64);
    });
}

TEST_CASE("A deadlock names who waits where") {
    std::string one, two;
    const auto body = [&] { M::warp() == 0 ? M::sync_named(1, 64, spot(one)) : M::sync_named(2, 64, spot(two)); };
    caught_at(64, 0, body, {&one, &two},
              {"deadlock in block (0,0,0)", "warp 0 waits at sync_named(1, 64)", "warp 1 waits at sync_named(2, 64)"});
}
