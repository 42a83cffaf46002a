// Prints a hash of the certified tensors of a few cases, and exits 1 if instruction sets disagree. Compiled twice with
// different -march; same_bytes.sh compares what the two print.
#include <cstdio>
#include <cstring>
#include <span>

#include "reference/certified/certified.hpp"
#include "reference/certified/kernels/choose.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

namespace {

/// FNV-1a over the bytes.
void add(std::uint64_t& hash, std::span<const double> values) {
    for (const double value : values) {
        unsigned char bytes[sizeof value];
        std::memcpy(bytes, &value, sizeof value);
        for (const unsigned char byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
    }
}

std::uint64_t hash_of(std::uint64_t seed, double radius_factor) {
    const Problem problem = seed == 0 ? test::plain_problem(150, {60, 17}, 4, 2, 24) : test::random_problem(seed);
    const auto results =
        certified::certified(problem, test::random_inputs(problem, seed), {.radius_factor = radius_factor});
    std::uint64_t hash = 0xcbf29ce484222325;
    add(hash, results.outputs.out.values());
    add(hash, results.outputs.lse.values());
    add(hash, results.gradients->dq.values());
    add(hash, results.gradients->dk.values());
    add(hash, results.gradients->dv.values());
    for (const auto& [tensor, proof] : results.proofs) add(hash, {&proof.error_radius, 1});
    return hash;
}

}  // namespace

int main() {
    bool agree = true;
    for (const std::uint64_t seed : {0, 301, 302, 303, 304, 305}) {
        const double radius_factor = seed > 303 ? 0x1p30 : 1;  // the last ones partly in MPFR
        certified::use(*certified::available().front());
        const std::uint64_t expected = hash_of(seed, radius_factor);
        for (const certified::Kernels* set : certified::available()) {
            certified::use(*set);
            const std::uint64_t hash = hash_of(seed, radius_factor);
            if (hash != expected) std::fprintf(stderr, "case %d: %s differs\n", static_cast<int>(seed), set->name);
            agree = agree && hash == expected;
        }
        std::printf("%d %016llx\n", static_cast<int>(seed), static_cast<unsigned long long>(expected));
    }
    return agree ? 0 : 1;
}
