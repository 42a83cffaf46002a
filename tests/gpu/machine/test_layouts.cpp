// Lane layouts of every collective against the tables of the PTX manual (PTX ISA 9.0): "Matrix Fragments for
// mma.m16n8k16 with floating point type", "ldmatrix", "shfl.sync", "vote.sync". The formulas below are the manual's, in
// its terms; the machine's own code is written otherwise.
#include "tests/gpu/machine/planted.hpp"

using namespace planted;

namespace {

struct Place {
    int row, col;
};
// %laneid >> 2 and %laneid % 4, as the manual names them.
int group_id(int lane) {
    return lane >> 2;
}
int thread_in_group(int lane) {
    return lane % 4;
}

Place a_of_16_bit(int lane, int i) {
    const int row = (0 <= i && i < 2) || (4 <= i && i < 6) ? group_id(lane) : group_id(lane) + 8;
    const int col = i < 4 ? thread_in_group(lane) * 2 + (i & 1) : thread_in_group(lane) * 2 + (i & 1) + 8;
    return {row, col};
}
Place b_of_16_bit(int lane, int i) {
    return {i < 2 ? thread_in_group(lane) * 2 + (i & 1) : thread_in_group(lane) * 2 + (i & 1) + 8, group_id(lane)};
}
Place a_of_f64(int lane, int i) {
    return {i % 2 == 0 ? group_id(lane) : group_id(lane) + 8,
            i % 2 == 0 ? i * 2 + thread_in_group(lane) : i * 2 - 2 + thread_in_group(lane)};
}
Place b_of_f64(int lane, int i) {
    return {thread_in_group(lane) + i * 4, group_id(lane)};
}
Place accumulator(int lane, int i) {
    return {i < 2 ? group_id(lane) : group_id(lane) + 8, thread_in_group(lane) * 2 + (i & 1)};
}

// Small integers, different everywhere, whose products and sums are exact in every type.
int a_value(int row, int col) {
    return (row * 7 + col * 3) % 23 - 11;
}
int b_value(int row, int col, int tile) {
    return (row * 5 + col * 11 + tile * 2) % 19 - 9;
}
int c_value(int row, int col, int tile) {
    return row * 100 + col * 10 + tile;
}
int product(int row, int col, int tile) {
    int sum = c_value(row, col, tile);
    for (int k = 0; k < 16; ++k) sum += a_value(row, k) * b_value(k, col, tile);
    return sum;
}

template <class Element>
std::uint32_t packed(int low, int high) {
    return M::pack<Element>(static_cast<float>(low), static_cast<float>(high));
}

template <class Element, int tiles>
void check_mma() {
    const int lane = M::lane();
    std::uint32_t a[4], b[tiles][2];
    float c[tiles][4];
    for (int r = 0; r < 4; ++r) {
        const Place low = a_of_16_bit(lane, 2 * r), high = a_of_16_bit(lane, 2 * r + 1);
        a[r] = packed<Element>(a_value(low.row, low.col), a_value(high.row, high.col));
    }
    for (int t = 0; t < tiles; ++t) {
        for (int r = 0; r < 2; ++r) {
            const Place low = b_of_16_bit(lane, 2 * r), high = b_of_16_bit(lane, 2 * r + 1);
            b[t][r] = packed<Element>(b_value(low.row, low.col, t), b_value(high.row, high.col, t));
        }
        for (int i = 0; i < 4; ++i) {
            const Place p = accumulator(lane, i);
            c[t][i] = static_cast<float>(c_value(p.row, p.col, t));
        }
    }
    M::mma<Element, tiles>(c, a, b);
    for (int t = 0; t < tiles; ++t)
        for (int i = 0; i < 4; ++i) {
            const Place p = accumulator(lane, i);
            expect(c[t][i] == static_cast<float>(product(p.row, p.col, t)));
        }
}

template <int tiles>
void check_mma_f64() {
    const int lane = M::lane();
    double a[8], b[tiles][4], c[tiles][4];
    for (int i = 0; i < 8; ++i) a[i] = a_value(a_of_f64(lane, i).row, a_of_f64(lane, i).col);
    for (int t = 0; t < tiles; ++t)
        for (int i = 0; i < 4; ++i) {
            b[t][i] = b_value(b_of_f64(lane, i).row, b_of_f64(lane, i).col, t);
            c[t][i] = c_value(accumulator(lane, i).row, accumulator(lane, i).col, t);
        }
    M::mma_f64<tiles>(c, a, b);
    for (int t = 0; t < tiles; ++t)
        for (int i = 0; i < 4; ++i) expect(c[t][i] == product(accumulator(lane, i).row, accumulator(lane, i).col, t));
}

/// Element `col` of row `row` of matrix `matrix`, four 8 x 8 matrices in shared memory.
std::uint16_t matrix_value(int matrix, int row, int col) {
    return static_cast<std::uint16_t>(matrix * 1000 + row * 10 + col + 1);
}

}  // namespace

TEST_CASE("mma m16n8k16 of 16-bit elements follows the manual's tables, for any number of tiles") {
    sound(64, 0, [] {
        check_mma<Bf16, 1>();
        check_mma<Bf16, 2>();
        check_mma<Bf16, 3>();
        check_mma<Bf16, 8>();
        check_mma<Bf16, 16>();
        check_mma<Bf16, 19>();
        check_mma<F16, 1>();
        check_mma<F16, 5>();
        check_mma<F16, 16>();
    });
}

TEST_CASE("mma m16n8k16 of f64 follows the manual's tables") {
    sound(32, 0, [] {
        check_mma_f64<1>();
        check_mma_f64<2>();
        check_mma_f64<7>();
        check_mma_f64<16>();
    });
}

TEST_CASE("A wrong fragment index gives a wrong result") {
    // Two words of A exchanged, as in a kernel that takes the two halves of rows in the wrong order.
    bool differs = false;
    run(32, 0, [&] {
        const int lane = M::lane();
        std::uint32_t a[4], swapped[4], b[1][2];
        for (int r = 0; r < 4; ++r) {
            const Place low = a_of_16_bit(lane, 2 * r), high = a_of_16_bit(lane, 2 * r + 1);
            a[r] = swapped[r ^ (r == 1 || r == 2 ? 3 : 0)] =
                packed<Bf16>(a_value(low.row, low.col), a_value(high.row, high.col));
        }
        for (int r = 0; r < 2; ++r) {
            const Place low = b_of_16_bit(lane, 2 * r), high = b_of_16_bit(lane, 2 * r + 1);
            b[0][r] = packed<Bf16>(b_value(low.row, low.col, 0), b_value(high.row, high.col, 0));
        }
        float right[1][4] = {}, wrong[1][4] = {};
        M::mma<Bf16, 1>(right, a, b);
        M::mma<Bf16, 1>(wrong, swapped, b);
        for (int i = 0; i < 4; ++i) differs = differs || right[0][i] != wrong[0][i];
    });
    CHECK(differs);
}

TEST_CASE("ldmatrix: lane l gives row l % 8 of matrix l / 8, and gets row l / 4, elements 2 (l % 4) and the next") {
    for (const bool transposed : {false, true})
        // Rows need not be neighbours: 80 bytes apart.
        sound(32, 32 * 80, [&] {
            const int lane = M::lane();
            const SharedAddress row = M::shared() + static_cast<std::uint32_t>(80 * lane);
            for (int c = 0; c < 8; ++c)
                M::store_shared(row + static_cast<std::uint32_t>(2 * c), matrix_value(lane / 8, lane % 8, c));
            M::sync_warp();
            std::uint32_t fragment[4];
            if (transposed)
                M::load_matrix_x4_trans(fragment, row);
            else
                M::load_matrix_x4(fragment, row);
            for (int m = 0; m < 4; ++m)
                for (int e = 0; e < 2; ++e) {
                    const int major = lane / 4, minor = 2 * (lane % 4) + e;
                    const std::uint16_t expected =
                        transposed ? matrix_value(m, minor, major) : matrix_value(m, major, minor);
                    expect(static_cast<std::uint16_t>(fragment[m] >> 16 * e) == expected);
                }
        });
}

TEST_CASE("ldmatrix of two 8 x 16 halves gives an A fragment, transposed rows of B a B fragment") {
    // The way kernels load operands: rows of A as they are, and B (k x n) by the transpose.
    sound(32, 2048, [] {
        const int lane = M::lane();
        const auto a_at = [](int row, int col) { return M::shared() + static_cast<std::uint32_t>(row * 32 + col * 2); };
        const auto b_at = [](int row, int col) {
            return M::shared() + static_cast<std::uint32_t>(512 + row * 32 + col * 2);
        };
        for (int i = lane; i < 256; i += 32) {
            M::store_shared(a_at(i / 16, i % 16), static_cast<std::uint16_t>(i));
            M::store_shared(b_at(i / 16, i % 16), static_cast<std::uint16_t>(1000 + i));
        }
        M::sync_warp();
        std::uint32_t a[4], b[4];
        M::load_matrix_x4(a, a_at(lane % 16, lane / 16 * 8));
        M::load_matrix_x4_trans(b, b_at(lane % 16, lane / 16 * 8));
        for (int i = 0; i < 8; ++i) {
            const Place p = a_of_16_bit(lane, i);
            expect(static_cast<std::uint16_t>(a[i / 2] >> 16 * (i % 2)) == p.row * 16 + p.col);
        }
        for (int tile = 0; tile < 2; ++tile)
            for (int i = 0; i < 4; ++i) {
                const Place p = b_of_16_bit(lane, i);
                expect(static_cast<std::uint16_t>(b[2 * tile + i / 2] >> 16 * (i % 2)) ==
                       1000 + p.row * 16 + tile * 8 + p.col);
            }
    });
}

TEST_CASE("Shuffles take from the lane they name, votes have lane l in bit l") {
    sound(64, 0, [] {
        const int lane = M::lane();
        for (int mask = 0; mask < 32; ++mask) expect(M::shuffle_xor(lane, mask) == (lane ^ mask));
        for (int step = 0; step < 32; ++step) {
            expect(M::shuffle(lane * 3, lane + step) == (lane + step) % 32 * 3);
            expect(M::shuffle(lane + M::warp(), step) == step + M::warp());
        }
        expect(M::shuffle_xor(lane * 1.5, 4) == (lane ^ 4) * 1.5);
        expect(M::shuffle(static_cast<float>(lane), 31) == 31.0f);
        expect(M::ballot(lane % 3 == 0) == 0x49249249u);
        expect(M::ballot(lane == 31) == 0x80000000u);
        expect(M::any(lane == 7) && !M::any(false) && M::all(true) && !M::all(lane != 7));
    });
}
