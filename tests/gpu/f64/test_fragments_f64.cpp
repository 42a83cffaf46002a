// The fragments of the f64 kernel: products of small matrices of integers, exact in any order.
#include <random>

#include "gpu/machine/emulated.hpp"
#include "gpu/tile/fragments_f64.hpp"
#include "tests/support/catch.hpp"

using namespace dca::gpu;

namespace {

constexpr std::uint32_t row_bytes = 18 * 8;
using Rows = RowsF64<row_bytes>;

struct Matrices {
    double left[16][16], right[16][16], product[16][16];
};

/// One warp multiplies two matrices of small integers that every lane helps to put into shared memory.
template <class Body>
void run(Matrices& m, Body body) {
    std::mt19937_64 random(5);
    for (auto* x : {&m.left, &m.right})
        for (auto& row : *x)
            for (double& value : row) value = static_cast<double>(random() % 17) - 8;
    const auto fiber = [&] {
        const Rows left{Emulated::shared()}, right{Emulated::shared() + 16 * row_bytes};
        for (int i = Emulated::lane(); i < 256; i += 32) {
            Emulated::store_shared(left.at(i / 16, i % 16), m.left[i / 16][i % 16]);
            Emulated::store_shared(right.at(i / 16, i % 16), m.right[i / 16][i % 16]);
        }
        Emulated::sync_block();
        body(left, right);
    };
    emulated::launch("fragments", {1, 1, 1}, 32, 2 * 16 * row_bytes, fiber);
}

}  // namespace

TEST_CASE("f64 fragments: q k^T is the product") {
    Matrices m;
    run(m, [&](Rows left, Rows right) {
        double a[8], b[2][4], c[2][4] = {};
        load_left_f64<Emulated>(a, left, 0, 0);
        load_right_transposed_f64<Emulated>(b, right, 0, 0);
        Emulated::mma_f64<2>(c, a, b);
        for (int n = 0; n < 2; ++n)
            for (int e = 0; e < 4; ++e)
                m.product[Emulated::lane() / 4 + e / 2 * 8][8 * n + Emulated::lane() % 4 * 2 + e % 2] = c[n][e];
    });
    for (int i = 0; i < 16; ++i)
        for (int j = 0; j < 16; ++j) {
            double expected = 0;
            for (int k = 0; k < 16; ++k) expected += m.left[i][k] * m.right[j][k];
            CHECK(m.product[i][j] == expected);
        }
}

TEST_CASE("f64 fragments: a result block is a left operand of p v as it lies") {
    Matrices m;
    run(m, [&](Rows, Rows right) {
        // p in the manual's result layout.
        double p[2][4];
        for (int n = 0; n < 2; ++n)
            for (int e = 0; e < 4; ++e)
                p[n][e] = m.left[Emulated::lane() / 4 + e / 2 * 8][8 * n + Emulated::lane() % 4 * 2 + e % 2];
        double a[8], b[2][4], c[2][4] = {};
        result_as_left_f64(a, p[0], p[1]);
        load_right_f64<Emulated>(b, right, 0, 0);
        Emulated::mma_f64<2>(c, a, b);
        for (int half = 0; half < 2; ++half)
            for (int offset = 0; offset < 4; ++offset)
                m.product[Emulated::lane() / 4 + 8 * half][Emulated::lane() % 4 * 4 + offset] =
                    result_channel_f64(c[0], c[1], half, offset);
    });
    for (int i = 0; i < 16; ++i)
        for (int j = 0; j < 16; ++j) {
            double expected = 0;
            for (int k = 0; k < 16; ++k) expected += m.left[i][k] * m.right[k][j];
            CHECK(m.product[i][j] == expected);
        }
}
