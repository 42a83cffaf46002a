// The merge kernel, as it ships, on the emulated machine: against Def.8 in long double, and against the reference.
#include <random>

#include "reference/forward.hpp"
#include "tests/gpu/merge/merge_launch.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;
using namespace dca::test;

namespace {

struct Sizes {
    std::int64_t batch, seq_q, heads, head_dim_v;
};

/// Parts as kernels leave them: out rounded to the element, lse to Real; a fifth of the rows empty, with NaNs in out,
/// since nothing says what lies there. Row 0 is empty in every part.
template <class Tag>
std::vector<Outputs> random_parts(Sizes s, int count, double spread, std::mt19937_64& random) {
    std::normal_distribution<double> normal;
    std::vector<Outputs> parts;
    for (int m = 0; m < count; ++m) {
        Outputs part{Tensor4({s.batch, s.seq_q, s.heads, s.head_dim_v}), Tensor3({s.batch, s.heads, s.seq_q})};
        for (std::int64_t b = 0; b < s.batch; ++b)
            for (std::int64_t h = 0; h < s.heads; ++h)
                for (std::int64_t i = 0; i < s.seq_q; ++i) {
                    const bool empty = i == 0 || random() % 5 == 0;
                    const double lse = 20 + spread * normal(random);
                    part.lse(b, h, i) = empty                         ? -HUGE_VAL
                                        : dtype_of<Tag> == Dtype::f64 ? lse
                                                                      : static_cast<double>(static_cast<float>(lse));
                    for (std::int64_t c = 0; c < s.head_dim_v; ++c)
                        part.out(b, i, h, c) = empty ? std::nan("") : round_to(dtype_of<Tag>, normal(random));
                }
        parts.push_back(std::move(part));
    }
    return parts;
}

bool same_bits(const Outputs& a, const Outputs& b) {
    const auto same = [](auto x, auto y) { return std::memcmp(x.data(), y.data(), x.size_bytes()) == 0; };
    return same(a.out.values(), b.out.values()) && same(a.lse.values(), b.lse.values());
}

template <class Tag>
void check_random(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (const Sizes s :
         {Sizes{1, 9, 3, 1}, Sizes{2, 5, 2, 7}, Sizes{1, 21, 2, 80}, Sizes{2, 11, 3, 128}, Sizes{1, 3, 1, 1032}})
        for (int count = 1; count <= 3; ++count)
            for (double spread : {0.1, 3.0, 60.0}) {
                const std::vector<Outputs> parts = random_parts<Tag>(s, count, spread, random);
                MergeRun run;
                run.options.seed = random();
                INFO("seed " << seed << " dtype " << name(dtype_of<Tag>) << " dv " << s.head_dim_v << " parts " << count
                             << " spread " << spread);
                const Outputs merged = run_merge<Tag>(parts, run);
                CHECK(worst_error<Tag>(parts, merged) <= 1);
                CHECK(merged.lse(0, 0, 0) == -HUGE_VAL);
                CHECK(merged.out(0, 0, 0, s.head_dim_v - 1) == 0);

                // Off the 16-byte grid elements move one by one, to the same bits.
                run.misalign = 1;
                CHECK(same_bits(run_merge<Tag>(parts, run), merged));
            }
}

}  // namespace

TEST_CASE("merge kernel: random parts, empty ones among them, within the roundings of Def.8") {
    const std::uint64_t seed = 20261121;
    check_random<gpu::Bf16>(seed);
    check_random<gpu::F16>(seed);
    check_random<gpu::F32>(seed);
    check_random<gpu::F64>(seed);
}

TEST_CASE("merge kernel: the order of the parts is a matter of rounding") {
    std::mt19937_64 random(7);
    const std::vector<Outputs> parts = random_parts<gpu::Bf16>({1, 17, 2, 40}, 3, 2.0, random);
    std::array<std::size_t, 3> order{0, 1, 2};
    do {
        const std::vector<Outputs> turned{parts[order[0]], parts[order[1]], parts[order[2]]};
        CHECK(worst_error<gpu::Bf16>(parts, run_merge<gpu::Bf16>(turned)) <= 1);
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("merge kernel: one part alone comes back with its bits, wherever it stands") {
    std::mt19937_64 random(8);
    Outputs part = random_parts<gpu::F16>({1, 13, 2, 24}, 1, 5.0, random)[0];
    Outputs nothing{part.out, part.lse};
    for (double& x : nothing.lse.values()) x = -HUGE_VAL;
    for (double& x : nothing.out.values()) x = std::nan("");
    const Outputs alone = run_merge<gpu::F16>({part});
    for (std::size_t i = 0; i < part.out.values().size(); ++i)
        if (!std::isnan(part.out.values()[i])) CHECK(alone.out.values()[i] == part.out.values()[i]);
    CHECK(std::ranges::equal(alone.lse.values(), part.lse.values()));
    CHECK(same_bits(run_merge<gpu::F16>({part, nothing, nothing}), alone));
    CHECK(same_bits(run_merge<gpu::F16>({nothing, part, nothing}), alone));
    CHECK(same_bits(run_merge<gpu::F16>({nothing, nothing, part}), alone));
}

TEST_CASE("merge kernel: a NaN or +inf in an lse shows") {
    std::mt19937_64 random(9);
    for (double wrong : {std::nan(""), HUGE_VAL}) {
        std::vector<Outputs> parts = random_parts<gpu::F32>({1, 4, 1, 8}, 2, 1.0, random);
        for (std::size_t i = 0; i < 8; ++i) parts[0].out.values()[24 + i] = 1;
        parts[0].lse(0, 0, 3) = wrong;
        const Outputs merged = run_merge<gpu::F32>(parts);
        CHECK(std::isnan(merged.lse(0, 0, 3)));
        for (std::int64_t c = 0; c < 8; ++c) CHECK(std::isnan(merged.out(0, 3, 0, c)));
    }
}

TEST_CASE("merge kernel: the modes apart, merged, are the forward pass") {
    const Problem problem = plain_problem(67, {24, 8}, 4, 2, 16);
    const Inputs inputs = random_inputs(problem, 3, 2.0);
    std::vector<Outputs> parts;
    for (Mode mode : all_modes) parts.push_back(reference::partial(problem, inputs, mode));
    const Outputs merged = run_merge<gpu::F64>(parts), whole = reference::forward(problem, inputs);
    CHECK(worst_error<gpu::F64>(parts, merged) <= 1);
    // docs/definition.md promises 1e-13 of the reference: once for the parts, once for the whole, and the merge adds
    // less.
    CHECK(relative_l2(merged.out, whole.out) <= 3e-13);
    CHECK(relative_l2(merged.lse, whole.lse) <= 3e-13);
}
