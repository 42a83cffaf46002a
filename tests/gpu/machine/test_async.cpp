// Asynchronous copies: they land at the wait of the thread that made them, and not before.
#include <numeric>

#include "tests/gpu/machine/planted.hpp"

using namespace planted;

namespace {

constexpr int threads = 64;

/// 16 bytes per thread and group.
struct Source {
    std::vector<std::uint32_t> words;
    explicit Source(int groups) : words(static_cast<std::size_t>(groups * threads * 4)) {
        std::iota(words.begin(), words.end(), 1u);
    }
    [[nodiscard]] Global<const std::uint32_t> global() const {
        return {words.data(), static_cast<std::int64_t>(words.size())};
    }
};

SharedAddress slot(int group, int thread) {
    return M::shared() + static_cast<std::uint32_t>((group * threads + thread) * 16);
}
std::string copied;
void copy(const Source& from, int group) {
    M::copy_async(slot(group, M::thread()), from.global(), (group * threads + M::thread()) * 4, true, spot(copied));
}
std::uint32_t first_word(int group, int thread) {
    return static_cast<std::uint32_t>((group * threads + thread) * 4 + 1);
}

}  // namespace

TEST_CASE("A copy is there after the wait, for others after a barrier") {
    const Source from(1);
    const auto body = [&](bool commit, bool wait, bool barrier, int distance) {
        copy(from, 0);
        if (commit) M::commit_async();
        if (wait) M::wait_async<0>();
        if (barrier) M::sync_block();
        const int other = (M::thread() + distance) % threads;
        expect(M::load_shared<std::uint32_t>(slot(0, other)) == first_word(0, other));
    };
    sound(threads, 1024, [&] { body(true, true, true, 5); });
    sound(threads, 1024, [&] { body(true, true, false, 0); });
    // A barrier is not a wait, a wait is not a barrier, and what was not committed is not waited for.
    caught(threads, 1024, [&] { body(true, false, true, 5); }, {"is copying to since", "has not waited for"});
    caught(threads, 1024, [&] { body(true, false, false, 0); }, {"is copying to since", "has not waited for"});
    caught(threads, 1024, [&] { body(false, true, true, 5); }, {"is copying to since", "has not waited for"});
    caught(threads, 1024, [&] { body(true, true, false, 5); }, {"shared memory"});
    // sync_warp suffices within a warp.
    sound(threads, 1024, [&] {
        copy(from, 0);
        M::commit_async();
        M::wait_async<0>();
        M::sync_warp();
        const int other = M::thread() ^ 1;
        expect(M::load_shared<std::uint32_t>(slot(0, other)) == first_word(0, other));
    });
}

TEST_CASE("A wait that allows one group too many leaves it in flight") {
    const Source from(3);
    const auto body = [&](auto pending) {
        for (int group = 0; group < 3; ++group) {
            copy(from, group);
            M::commit_async();
        }
        M::wait_async<decltype(pending)::value>();
        M::sync_block();
        const int other = (M::thread() + 1) % threads;
        expect(M::load_shared<std::uint32_t>(slot(1, other)) == first_word(1, other));
        M::wait_async<0>();
    };
    sound(threads, 3072, [&] { body(std::integral_constant<int, 1>()); });
    caught(threads, 3072, [&] { body(std::integral_constant<int, 2>()); },
           {"is copying to since", "has not waited for"});
}

TEST_CASE("Empty groups count, and groups finish in order") {
    const Source from(2);
    sound(threads, 2048, [&] {
        copy(from, 0);
        M::commit_async();
        M::commit_async();
        M::wait_async<1>();
        expect(M::load_shared<std::uint32_t>(slot(0, M::thread())) == first_word(0, M::thread()));
        copy(from, 1);
        M::commit_async();
        M::wait_async<0>();
        expect(M::load_shared<std::uint32_t>(slot(1, M::thread())) == first_word(1, M::thread()));
    });
}

TEST_CASE("Long pipelines keep their order") {
    const Source from(4);
    sound(threads, 4096, [&] {
        for (int i = 0; i < 400; ++i) {
            copy(from, i % 4);
            M::commit_async();
            M::wait_async<2>();
            if (i >= 2)
                expect(M::load_shared<std::uint32_t>(slot((i - 2) % 4, M::thread())) ==
                       first_word((i - 2) % 4, M::thread()));
        }
        M::wait_async<0>();
    });
}

TEST_CASE("Bytes in flight may not be written, by stores or other copies") {
    const Source from(1);
    caught(threads, 1024, [&] { copy(from, 0), M::store_shared(slot(0, M::thread()), 1.0f); },
           {"writes byte", "has not waited for"});
    caught(threads, 1024, [&] { copy(from, 0), copy(from, 0); }, {"copies to byte", "has not waited for"});
    // Nor may a copy begin where others still read or write.
    const auto overwrite = [&](bool barrier) {
        copy(from, 0);
        M::commit_async();
        M::wait_async<0>();
        M::sync_block();
        M::load_shared<std::uint32_t>(slot(0, M::thread() ^ 32));
        if (barrier) M::sync_block();
        copy(from, 0);
        M::commit_async();
        M::wait_async<0>();
    };
    sound(threads, 1024, [&] { overwrite(true); });
    caught(threads, 1024, [&] { overwrite(false); }, {"of shared memory, which thread", "no barrier lies between"});
}

TEST_CASE("A copy in flight at the end of the kernel is a fault") {
    const Source from(1);
    const std::string leaves = "leaves the kernel with an asynchronous copy in flight";
    caught_at(threads, 1024, [&] { copy(from, 0), M::commit_async(); }, {&copied}, {leaves});
    caught_at(threads, 1024, [&] { copy(from, 0), M::wait_async<0>(); }, {&copied}, {leaves});
}

TEST_CASE("What a copy brings is taken when it begins, and zeros where it is not valid") {
    std::vector<std::uint32_t> words(threads * 4, 5);
    const Global<const std::uint32_t> global{words.data(), threads * 4};
    sound(threads, 1024, [&] {
        M::copy_async(slot(0, M::thread()), global, M::thread() % 2 == 0 ? M::thread() * 4 : 1 << 30,
                      M::thread() % 2 == 0);
        M::commit_async();
        M::wait_async<0>();
        expect(M::load_shared<std::uint32_t>(slot(0, M::thread())) == (M::thread() % 2 == 0 ? 5u : 0u));
    });
}
