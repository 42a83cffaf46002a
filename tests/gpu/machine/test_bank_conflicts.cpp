// Bank conflicts of patterns whose count follows from 32 banks of 4 bytes.
#include "tests/gpu/machine/planted.hpp"

using namespace planted;

namespace {

/// Accesses and conflicts of one load of `T` per lane, at byte stride * lane.
template <class T>
std::pair<std::int64_t, std::int64_t> loads(int stride, int lanes = 32) {
    const auto body = [=](bool load) {
        for (int i = M::thread(); i < 2048; i += 32)
            M::store_shared(M::shared() + static_cast<std::uint32_t>(i * 16), Vector16{});
        M::sync_warp();
        if (load && M::lane() < lanes) M::load_shared<T>(M::shared() + static_cast<std::uint32_t>(M::lane() * stride));
    };
    const auto with = run(32, 32768, [&] { body(true); }), without = run(32, 32768, [&] { body(false); });
    return {with.shared_accesses - without.shared_accesses, with.bank_conflicts - without.bank_conflicts};
}
using Counts = std::pair<std::int64_t, std::int64_t>;

Counts matrices(int row_bytes) {
    const auto stats = run(32, 32768, [=] {
        for (int i = M::thread(); i < 2048; i += 32)
            M::store_shared(M::shared() + static_cast<std::uint32_t>(i * 16), Vector16{});
        M::sync_warp();
        std::uint32_t fragment[4];
        M::load_matrix_x4(fragment, M::shared() + static_cast<std::uint32_t>(M::lane() * row_bytes));
    });
    return {stats.shared_accesses - 2048 / 8, stats.bank_conflicts};
}

}  // namespace

TEST_CASE("Loads of one word per lane conflict where lanes meet in a bank at different words") {
    CHECK(loads<float>(4) == Counts(1, 0));
    CHECK(loads<float>(8) == Counts(1, 1));
    CHECK(loads<float>(12) == Counts(1, 0));  // odd strides in words never conflict
    CHECK(loads<float>(16) == Counts(1, 3));
    CHECK(loads<float>(128) == Counts(1, 31));
    CHECK(loads<float>(132) == Counts(1, 0));
    CHECK(loads<float>(0) == Counts(1, 0));  // one word for all
    CHECK(loads<float>(128, 5) == Counts(1, 4));
    CHECK(loads<std::uint16_t>(2) == Counts(1, 0));  // two lanes share a word
    CHECK(loads<std::uint16_t>(4) == Counts(1, 0));
}

TEST_CASE("Wide loads are served by half or quarter of a warp") {
    CHECK(loads<double>(8) == Counts(2, 0));
    CHECK(loads<double>(16) == Counts(2, 2));
    CHECK(loads<double>(128) == Counts(2, 30));
    CHECK(loads<Vector16>(16) == Counts(4, 0));
    CHECK(loads<Vector16>(32) == Counts(4, 4));
    CHECK(loads<Vector16>(128) == Counts(4, 28));
    CHECK(loads<Vector16>(144) == Counts(4, 0));
}

TEST_CASE("ldmatrix reads eight rows at a time") {
    CHECK(matrices(16) == Counts(4, 0));
    CHECK(matrices(64) == Counts(4, 12));
    CHECK(matrices(128) == Counts(4, 28));
    CHECK(matrices(256) == Counts(4, 28));
    CHECK(matrices(272) == Counts(4, 0));
}

TEST_CASE("Repeated calls on one line are told apart, copies count as writes of 16 bytes") {
    const std::vector<float> source(512);
    const Global<const float> from{source.data(), 512};
    const auto stats = run(32, 2048, [&] {
        for (int i = 0; i < 4; ++i) {
            const int slot = i * 32 + M::lane();
            M::copy_async(M::shared() + static_cast<std::uint32_t>(slot * 16), from, M::lane() * 4, true);
        }
        M::commit_async();
        M::wait_async<0>();
        for (int i = 0; i < 3; ++i) M::load_shared<float>(M::shared() + static_cast<std::uint32_t>(M::lane() * 16));
    });
    CHECK(stats.shared_accesses == 4 * 4 + 3);
    CHECK(stats.bank_conflicts == 3 * 3);
}
