// The products against sums formed with fma in the documented order: every instruction set must give exactly these
// bits.
#include <cmath>
#include <random>
#include <vector>

#include "reference/tiles/tiles.hpp"
#include "tests/support/catch.hpp"

using namespace dca::tiles;

namespace {

std::vector<double> random_values(std::size_t count, std::mt19937_64& engine) {
    std::vector<double> values(count);
    for (double& x : values) x = static_cast<double>(static_cast<std::int64_t>(engine())) * 0x1p-62;
    return values;
}

/// c[i][j] after one chain of fused multiply-adds over k, starting from `start`.
double chain(Product product, int i, int j, int k, const std::vector<double>& a, int lda, const std::vector<double>& b,
             int ldb, double start) {
    for (int s = 0; s < k; ++s) {
        const double x = product == Product::tn ? a[static_cast<std::size_t>(s * lda + i)]
                                                : a[static_cast<std::size_t>(i * lda + s)];
        const double y = product == Product::nt ? b[static_cast<std::size_t>(j * ldb + s)]
                                                : b[static_cast<std::size_t>(s * ldb + j)];
        start = std::fma(x, y, start);
    }
    return start;
}

}  // namespace

TEST_CASE("multiply gives the documented bits on every instruction set") {
    std::mt19937_64 engine(20260);
    const int sizes[][3] = {{1, 1, 1}, {5, 3, 7}, {12, 16, 8}, {13, 17, 33}, {24, 48, 5}, {37, 9, 64}};
    for (const Kernels* kernels : available()) {
        for (Product product : {Product::nn, Product::nt, Product::tn}) {
            for (const auto& [m, n, k] : sizes) {
                for (bool accumulate : {false, true}) {
                    CAPTURE(kernels->name, static_cast<int>(product), m, n, k, accumulate);
                    const int lda = (product == Product::tn ? m : k) + 3, ldb = (product == Product::nt ? k : n) + 2;
                    const int ldc = n + 5;
                    const auto a =
                        random_values(static_cast<std::size_t>((product == Product::tn ? k : m) * lda), engine);
                    const auto b =
                        random_values(static_cast<std::size_t>((product == Product::nt ? n : k) * ldb), engine);
                    const auto before = random_values(static_cast<std::size_t>(m * ldc), engine);
                    auto c = before;
                    std::vector<double> workspace(workspace_size(m, n, k));
                    kernels->multiply(product, m, n, k, a.data(), lda, b.data(), ldb, c.data(), ldc, accumulate,
                                      workspace.data());
                    bool same = true;
                    for (int i = 0; i < m; ++i) {
                        for (int j = 0; j < ldc; ++j) {
                            const auto at = static_cast<std::size_t>(i * ldc + j);
                            const double expected =
                                j < n ? chain(product, i, j, k, a, lda, b, ldb, accumulate ? before[at] : 0.0)
                                      : before[at];
                            same = same && c[at] == expected;
                        }
                    }
                    CHECK(same);
                }
            }
        }
    }
}

TEST_CASE("packed operands are padded with zeros and give the same bits as multiply") {
    std::mt19937_64 engine(7);
    const int m = 29, n = 21, k = 19;
    const auto a = random_values(m * k, engine), b = random_values(k * n, engine);
    const int padded_m = 36, padded_n = 32;
    for (const Kernels* kernels : available()) {
        CAPTURE(kernels->name);
        std::vector<double> left(left_size(m, k), 99), right(right_size(n, k), 99), c(padded_m * padded_n, 99);
        kernels->pack_left(false, m, k, a.data(), k, left.data());
        kernels->pack_right(false, n, k, b.data(), n, right.data(), k * kernels->right_panel);
        kernels->multiply_packed(padded_m, padded_n, k, left.data(), right.data(), k * kernels->right_panel, c.data(),
                                 padded_n, false);
        bool same = true;
        for (int i = 0; i < padded_m; ++i) {
            for (int j = 0; j < padded_n; ++j) {
                const double expected = i < m && j < n ? chain(Product::nn, i, j, k, a, k, b, n, 0.0) : 0.0;
                same = same && c[static_cast<std::size_t>(i * padded_n + j)] == expected;
            }
        }
        CHECK(same);
        CHECK(column_alignment % kernels->right_panel == 0);
    }
}

TEST_CASE("compensated sums: the product formed apart, its TwoSum error kept, on every instruction set") {
    std::mt19937_64 engine(2113);
    const int m = 24, n = 32, k = 29;
    const auto a = random_values(m * k, engine), b = random_values(k * n, engine);
    auto c_before = random_values(m * n, engine), error_before = random_values(m * n, engine);
    for (double& x : c_before) x *= std::ldexp(1.0, static_cast<int>(engine() % 120) - 60);  // either may be the larger
    for (const Kernels* kernels : available()) {
        CAPTURE(kernels->name);
        auto c = c_before, error = error_before;
        std::vector<double> left(left_size(m, k)), right(right_size(n, k));
        kernels->pack_left(false, m, k, a.data(), k, left.data());
        kernels->pack_right(false, n, k, b.data(), n, right.data(), k * kernels->right_panel);
        kernels->multiply_compensated(m, n, k, left.data(), right.data(), k * kernels->right_panel, c.data(),
                                      error.data(), n);
        bool same = true;
        for (int i = 0; i < m; ++i) {
            for (int j = 0; j < n; ++j) {
                const auto at = static_cast<std::size_t>(i * n + j);
                const double product = chain(Product::nn, i, j, k, a, k, b, n, 0.0);
                const double sum = c_before[at] + product;
                const __float128 lost = static_cast<__float128>(c_before[at]) + product - sum;
                same = same && c[at] == sum && error[at] == error_before[at] + static_cast<double>(lost);
            }
        }
        CHECK(same);
    }
}

TEST_CASE("scale_compensated keeps what the rounded product loses, score_gradient is p (dp - delta)") {
    std::mt19937_64 engine(77);
    const auto row_before = random_values(48, engine), error_before = random_values(48, engine);
    const double factor = 0.3;
    for (const Kernels* kernels : available()) {
        CAPTURE(kernels->name);
        auto row = row_before, error = error_before, ds = error_before;
        kernels->scale_compensated(row.data(), error.data(), 48, factor);
        kernels->score_gradient(row_before.data(), ds.data(), 43, factor);
        bool same = true;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const double product = row_before[i] * factor;
            const double lost = std::fma(row_before[i], factor, -product);
            same = same && row[i] == product && error[i] == std::fma(error_before[i], factor, lost);
            same = same && ds[i] == (i < 43 ? row_before[i] * (error_before[i] - factor) : error_before[i]);
        }
        CHECK(same);
    }
}

TEST_CASE("row_max and scale") {
    std::mt19937_64 engine(11);
    for (const Kernels* kernels : available()) {
        for (int n : {1, 2, 7, 8, 9, 31, 128}) {
            CAPTURE(kernels->name, n);
            auto row = random_values(static_cast<std::size_t>(n), engine);
            const double expected = *std::max_element(row.begin(), row.end());
            CHECK(kernels->row_max(row.data(), n) == expected);
            auto scaled = row;
            kernels->scale(scaled.data(), n, 0.3);
            bool same = true;
            for (std::size_t i = 0; i < row.size(); ++i) same = same && scaled[i] == row[i] * 0.3;
            CHECK(same);
        }
        const double empty[] = {-HUGE_VAL, -HUGE_VAL, -HUGE_VAL};
        CHECK(kernels->row_max(empty, 3) == -HUGE_VAL);
    }
}
