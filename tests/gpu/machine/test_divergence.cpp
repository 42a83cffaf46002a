// Warp collectives whose lanes do not agree, beside sound ones; and stacks.
#include "tests/gpu/machine/planted.hpp"

using namespace planted;

TEST_CASE("A shuffle in divergent code is a fault that names both places") {
    std::string one, two;
    const auto body = [&] { M::lane() < 16 ? M::shuffle_xor(1.0f, 1, spot(one)) : M::shuffle_xor(1.0f, 1, spot(two)); };
    caught_at(32, 0, body, {&one, &two}, {"shuffle_xor", "lane", "of warp 0", "block (0,0,0)"});
    sound(64, 0, [] {
        if (M::warp() == 0)
            M::shuffle_xor(1, 1);
        else
            M::shuffle_xor(2, 2);
    });
}

TEST_CASE("Lanes that disagree on what they call are a fault") {
    caught(32, 0, [] { M::shuffle_xor(1, M::lane() < 3 ? 1 : 2); }, {"by 1", "by 2"});
    caught(32, 0, [] { M::lane() < 5 ? M::shuffle(1, 0) : M::shuffle_xor(1, 1); }, {"shuffle of", "shuffle_xor of"});
    caught(32, 0, [] { M::lane() < 5 ? M::any(true) : M::shuffle(true ? 1 : 0, 0) == 1; }, {"a vote", "shuffle of 4"});
    caught(32, 0, [] { M::shuffle_xor(1, 32); }, {"masks are 0 to 31"});
    const auto products = [] {
        float c[2][4] = {};
        const std::uint32_t a[4] = {}, b[2][2] = {};
        if (M::lane() % 2 == 0)
            M::mma<Bf16, 2>(c, a, b);
        else
            M::mma<F16, 2>(c, a, b);
    };
    caught(32, 0, products, {"mma of 2 bf16 tiles", "mma of 2 f16 tiles"});
    const auto matrices = [] {
        M::store_shared(M::shared() + static_cast<std::uint32_t>(16 * M::lane()), Vector16{});
        M::sync_warp();
        std::uint32_t fragment[4];
        const SharedAddress row = M::shared() + static_cast<std::uint32_t>(16 * M::lane());
        if (M::lane() != 31) M::load_matrix_x4(fragment, row);
    };
    caught(32, 512, matrices, {"load_matrix_x4", "kernel"});
}

TEST_CASE("A lane that leaves before a collective is a fault") {
    const auto body = [] {
        if (M::thread() == 37) return;
        M::any(true);
    };
    caught(64, 0, body, {"the kernel", "lane", "a vote"});
    const auto whole_warp = [] {
        if (M::warp() == 1) return;
        M::any(true);
    };
    sound(64, 0, whole_warp);
}

TEST_CASE("The first fault of a block is the one told, and stacks of the others are unwound") {
    static int alive = 0;
    struct Guard {
        Guard() { ++alive; }
        ~Guard() { --alive; }
    };
    caught(128, 0,
           [] {
               const Guard guard;
               if (M::thread() == 77) M::shuffle_xor(1, 64);
               M::sync_block();
           },
           {"thread 77", "masks"});
    CHECK(alive == 0);
}

TEST_CASE("An exception of the kernel text comes out of the launch") {
    struct Mine {};
    CHECK_THROWS_AS(run(64, 0,
                        [] {
                            if (M::thread() == 3) throw Mine{};
                        }),
                    Mine);
}

namespace {

/// Uses about `depth` KiB of stack.
__attribute__((noinline)) int deep(int depth) {
    volatile char block[1024];
    for (int i = 0; i < 1024; i += 64) block[i] = static_cast<char>(depth);
    return depth > 0 ? deep(depth - 1) + block[depth % 1024] : block[0];
}
__attribute__((noinline)) int deep_call(int depth) {
    volatile char block[1024];
    for (int i = 0; i < 1024; i += 64) block[i] = static_cast<char>(depth);
    if (depth > 0) return deep_call(depth - 1) + block[depth % 1024];
    M::sync_block();
    return block[0];
}

}  // namespace

TEST_CASE("A stack that overflows is reported, whether or not the machine is called meanwhile") {
    // 128 KiB may be used. Sanitizers make frames larger, so what is sound stays well below.
    sound(64, 0, [] {
        deep(20);
        M::sync_block();
    });
    sound(64, 0, [] { deep_call(20); });
    caught(64, 0,
           [] {
               if (M::thread() == 40) deep(150);
           },
           {"thread 40", "stack"});
    caught(64, 0, [] { deep_call(150); }, {"stack"});
    // A stack that overflowed is as good as new for the next launch.
    sound(64, 0, [] { M::sync_block(); });
}
