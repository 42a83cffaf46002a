// Bounds, alignment and bytes that nobody wrote.
#include "tests/gpu/machine/planted.hpp"

using namespace planted;

TEST_CASE("Shared memory has bounds") {
    sound(32, 128, [] { M::store_shared(word(M::thread()), 1); });
    caught(32, 128, [] { M::store_shared(word(M::thread() + 1), 1); },
           {"thread 31", "bytes 128 to 131 of shared memory, which has 128"});
    caught(32, 128, [] { M::load_shared<int>(word(M::thread() - 1)); }, {"of shared memory"});
    caught(32, 0, [] { M::store_shared(M::shared(), 1); }, {"which has 0"});
    caught(32, 512,
           [] {
               M::store_shared(M::shared() + static_cast<std::uint32_t>(16 * M::lane()), Vector16{});
               M::sync_warp();
               std::uint32_t fragment[4];
               M::load_matrix_x4(fragment, M::shared() + static_cast<std::uint32_t>(16 * M::lane() + 16));
           },
           {"thread 31", "of shared memory, which has 512"});
}

TEST_CASE("Shared accesses are aligned to their size") {
    const auto store = [](auto value, std::uint32_t byte) {
        return [value, byte] {
            if (M::thread() == 9) M::store_shared(M::shared() + byte, value);
        };
    };
    sound(32, 128, store(std::uint16_t{1}, 2));
    sound(32, 128, store(1.0, 8));
    caught(32, 128, store(std::uint16_t{1}, 1), {"thread 9", "2 bytes at byte 1 ", "no multiple of 2"});
    caught(32, 128, store(1, 2), {"no multiple of 4"});
    caught(32, 128, store(1.0, 4), {"no multiple of 8"});
    caught(32, 128, store(Vector16{}, 8), {"no multiple of 16"});
    const std::vector<float> four(4);
    const Global<const float> from{four.data(), 4};
    caught(32, 128, [&] { M::copy_async(M::shared() + 8, from, 0, false); },
           {"16 bytes at byte 8 ", "no multiple of 16"});
}

TEST_CASE("Global memory has bounds and alignment") {
    alignas(16) float data[16] = {};
    const Global<float> all{data, 16};
    sound(32, 0, [&] {
        if (M::thread() < 16) M::store(all, M::thread(), 1.0f);
    });
    sound(32, 0, [&] { M::load_vector(all, 12); });
    std::string place;
    caught_at(32, 0, [&] { M::load(all, 16, spot(place)); }, {&place},
              {"accesses element 16 of global memory that has 16"});
    caught(32, 0, [&] { M::load(all, -1); }, {"element -1 "});
    caught(32, 0, [&] { M::store(all, std::int64_t{1} << 40, 1.0f); }, {"element 1099511627776 "});
    caught(32, 0, [&] { M::atomic_add(all, 16, 1.0f); }, {"element 16 "});
    caught(32, 0, [&] { M::load_vector(all, 13); }, {"element 13 and 3 more of global memory that has 16"});
    caught(32, 0, [&] { M::load_vector(all, 2); }, {"element 2 and 3 more", "no multiple of 16"});
    caught(32, 0, [&] { M::store_vector(all, 2, Vector16{}); }, {"no multiple of 16"});
    caught(32, 128, [&] { M::copy_async(M::shared(), all, 1, true); }, {"no multiple of 16"});
    caught(32, 128, [&] { M::copy_async(M::shared(), all, 16, true); }, {"element 16 and 3 more"});
    caught(32, 0, [] { M::load(Global<float>{}, 0); }, {"that has 0"});
}

TEST_CASE("Bytes that nobody wrote may not be read, to the byte") {
    caught(32, 128, [] { M::load_shared<float>(word(M::thread())); }, {"which no thread has written"});
    const auto halves = [](int which) {
        return [which] {
            const SharedAddress mine = word(M::thread());
            M::store_shared(mine, std::uint16_t{7});
            if (which == 0) expect(M::load_shared<std::uint16_t>(mine) == 7);
            if (which == 1) M::load_shared<std::uint16_t>(mine + 2);
            if (which == 2) M::load_shared<std::uint32_t>(mine);
        };
    };
    sound(32, 128, halves(0));
    caught(32, 128, halves(1), {"of shared memory, which no thread has written"});
    caught(32, 128, halves(2), {"which no thread has written"});
    // A block does not see what the one before left behind.
    const std::function<void()> next_block = [] {
        if (M::block().x == 0) M::store_shared(word(M::thread()), 1);
        if (M::block().x == 1) M::load_shared<int>(word(M::thread()));
    };
    emulated::LaunchOptions one;
    one.host_threads = 1;
    CHECK_THROWS_AS(emulated::launch("planted", {2, 1, 1}, 32, 128, next_block, one), emulated::MachineFault);
}

TEST_CASE("Neighbouring bytes of one word belong to different threads without conflict") {
    const auto body = [](int shift) {
        return [shift] {
            const SharedAddress mine = M::shared() + static_cast<std::uint32_t>(2 * M::thread());
            M::store_shared(mine, static_cast<std::uint16_t>(M::thread()));
            M::sync_block();
            if (M::thread() % 2 == 0)
                expect(M::load_shared<std::uint32_t>(mine) >> 16 == static_cast<std::uint32_t>(M::thread() + 1));
            M::load_shared<std::uint16_t>(mine);
            M::sync_block();
            M::load_shared<std::uint16_t>(mine);
            M::store_shared(M::shared() + static_cast<std::uint32_t>(2 * (M::thread() ^ shift)), std::uint16_t{3});
            if (M::thread() % 2 == 0 && shift == 0) {
                // A whole word over both halves.
                M::store_shared(M::shared() + 256 + static_cast<std::uint32_t>(2 * M::thread()), 1u);
            }
        };
    };
    sound(64, 512, body(0));
    caught(64, 512, body(1), {"shared memory, which thread", "and no barrier lies between"});
}

TEST_CASE("Launches that no GPU would take are refused") {
    CHECK(fault(33, 0, [] {}).find("33 threads") != std::string::npos);
    CHECK(fault(0, 0, [] {}).find("0 threads") != std::string::npos);
    CHECK(fault(1056, 0, [] {}).find("1056 threads") != std::string::npos);
    CHECK(fault(32, 227 * 1024 + 1, [] {}).find("bytes of shared memory") != std::string::npos);
    CHECK(fault(32, 0, [] {}, 1, {0, 1, 1}).find("empty grid") != std::string::npos);
    CHECK(fault(1024, 227 * 1024, [] {}) == "");
}
