// Tiles in shared memory: where every 16 bytes lie, what ldmatrix makes of them, and in how many cycles.
#include <set>
#include <vector>

#include "gpu/emulation/buffer.hpp"
#include "gpu/machine/emulated.hpp"
#include "gpu/tile/copy_tile.hpp"
#include "gpu/tile/fragments.hpp"
#include "tests/support/catch.hpp"

using namespace dca::gpu;

namespace {

template <class Tile>
void check_layout() {
    const Tile tile{{2048}};
    std::set<std::uint32_t> places;
    for (int row = 0; row < Tile::rows; ++row)
        for (int vector = 0; vector < Tile::vectors; ++vector) places.insert(tile.at(row, vector).byte);
    CHECK(places.size() == static_cast<std::size_t>(Tile::rows) * Tile::vectors);
    CHECK(*places.begin() == 2048);
    CHECK(*places.rbegin() == 2048 + Tile::bytes - 16);
    for (const std::uint32_t place : places) REQUIRE(place % 16 == 0);

    // Eight rows of one column of vectors: eight times 16 bytes in 32 banks of 4.
    for (int row = 0; row < Tile::rows; row += 8)
        for (int vector = 0; vector < Tile::vectors; ++vector) {
            std::set<std::uint32_t> banks;
            for (int r = 0; r < 8; ++r) banks.insert(tile.at(row + r, vector).byte % 128);
            REQUIRE(banks.size() == 8);
        }

    for (int row = 0; row < 8; ++row)
        for (int vector = 0; vector < 2; ++vector)
            for (int octets = 0; octets < Tile::rows / 8; ++octets)
                for (int pairs = 0; pairs < Tile::vectors / 2; ++pairs)
                    REQUIRE(Tile::step(tile.at(row, vector), octets, pairs).byte ==
                            tile.at(row + 8 * octets, vector + 2 * pairs).byte);
}

std::uint16_t value(int row, int channel) {
    return static_cast<std::uint16_t>(row * 256 + channel);
}

}  // namespace

TEST_CASE("shared tiles: every vector has its place, eight rows of a column lie in all banks") {
    check_layout<SharedTile<64, 64>>();
    check_layout<SharedTile<64, 128>>();
    check_layout<SharedTile<128, 128>>();
    check_layout<SharedTile<64, 256>>();
}

TEST_CASE(
    "shared tiles: copies are zero beyond rows and channels, fragments are the tile's elements, without conflicts") {
    using Tile = SharedTile<64, 128>;
    constexpr int rows = 50, channels = 88, stride = 96, threads = 128;
    std::vector<std::uint16_t> source(rows * stride);
    for (int row = 0; row < rows; ++row)
        for (int c = 0; c < stride; ++c) source[static_cast<std::size_t>(row * stride + c)] = value(row, c);
    const emulation::Buffer<std::uint16_t> memory(source);
    // Per thread, panel-wise: its fragment words of rows_then_channels, channels_then_rows and the transposed read.
    std::vector<std::uint32_t> seen(threads * 3 * 4);
    constexpr int step = 3, octets = 4;  // channels 48 .. 63, rows 32 .. 47: all but the last two rows inside

    const emulated::LaunchStats stats = emulated::launch("tile", {1, 1, 1}, threads, Tile::bytes, [&] {
        using M = Emulated;
        const Tile tile{M::shared()};
        copy_tile<M, threads>(tile, memory.read(), 0, stride, rows, channels);
        M::commit_async();
        M::wait_async<0>();
        M::sync_block();
        std::uint32_t(*out)[4] = reinterpret_cast<std::uint32_t(*)[4]>(seen.data() + M::thread() * 12);
        M::load_matrix_x4(out[0], Tile::step(rows_then_channels<M>(tile), octets, step));
        M::load_matrix_x4(out[1], Tile::step(channels_then_rows<M>(tile), octets, step));
        M::load_matrix_x4_trans(out[2], Tile::step(rows_then_channels<M>(tile), octets, step));
        // The rest of the tile, a vector per thread and turn.
        for (int i = M::thread(); i < Tile::rows * Tile::vectors; i += threads) {
            const int row = i / Tile::vectors, vector = i % Tile::vectors;
            const Vector16 x = M::load_shared<Vector16>(tile.at(row, vector));
            for (int e = 0; e < 8; ++e) {
                const int c = 8 * vector + e;
                const auto got = static_cast<std::uint16_t>(x.word[e / 2] >> (e % 2 * 16));
                if (got != (row < rows && c < channels ? value(row, c) : 0)) throw std::runtime_error("wrong element");
            }
        }
    });
    CHECK(stats.shared_accesses > 0);
    CHECK(stats.bank_conflicts == 0);

    const auto element = [](int row, int c) { return row < rows && c < channels ? value(row, c) : 0u; };
    for (int thread = 0; thread < threads; ++thread) {
        const int g = thread % 32 / 4, t = thread % 4;
        const std::uint32_t* words = seen.data() + thread * 12;
        for (int i = 0; i < 4; ++i)
            for (int e = 0; e < 2; ++e) {
                INFO("thread " << thread << " word " << i << " half " << e);
                const auto half = [&](int which) { return words[which * 4 + i] >> (16 * e) & 0xffff; };
                // PTX ISA, mma.m16n8k16: A has words (g, 2t), (g + 8, 2t), (g, 2t + 8), (g + 8, 2t + 8);
                // B has rows 2t and 2t + 8 of column g, here of two blocks of columns.
                CHECK(half(0) == element(32 + g + i % 2 * 8, 48 + 2 * t + e + i / 2 * 8));
                CHECK(half(1) == element(32 + i / 2 * 8 + g, 48 + 2 * t + e + i % 2 * 8));
                CHECK(half(2) == element(32 + 2 * t + e + i % 2 * 8, 48 + i / 2 * 8 + g));
            }
    }
}
