// The right computation with one rounding too many.
#include <array>

#include "verify/mutants/families.hpp"

namespace dca::mutants {
namespace {

void accumulator_bf16(Change& change) {
    change.method.accumulator = Dtype::bf16;
}
bool has_wider_accumulator(const Problem& p) {
    return p.resolved_accumulator() != Dtype::bf16;
}

void p_e4m3(Change& change) {
    change.types.p = Dtype::e4m3;
}
bool has_wider_p(const Problem& p) {
    return unit_roundoff(p.resolved_p_dtype()) < unit_roundoff(Dtype::e4m3);
}

void positions_bf16(Change& change) {
    change.method.position_type = Dtype::bf16;
}
/// Integers up to 256 are exact in bf16.
bool has_far_positions(const Problem& p) {
    if (!rotates(p)) return false;
    for (const peer::Part& part : peer::parts_of(p)) {
        const std::int64_t queries = part.offset + part.query_end - part.query_begin;
        if (std::min(p.chunk.chunk_size, std::max(queries, part.keys())) > 256) return true;
    }
    return false;
}

void angles_float32(Change& change) {
    change.types.float32_angles = true;
}

void lse_bf16(Change& change) {
    change.method.store = [](const Problem&, Outputs& outputs, Gradients*) {
        for (double& x : outputs.lse.values()) x = round_to(Dtype::bf16, x);
    };
}

/// The next type with a shorter significand; nothing below e5m2.
std::optional<Dtype> narrower(Dtype dtype) {
    switch (dtype) {
        case Dtype::f64: return Dtype::f32;
        case Dtype::f32: return Dtype::tf32;
        case Dtype::tf32: return Dtype::bf16;
        case Dtype::f16: return Dtype::bf16;
        case Dtype::bf16: return Dtype::e4m3;
        case Dtype::e4m3: return Dtype::e5m2;
        case Dtype::e5m2: break;
    }
    return std::nullopt;
}
void lower_precision(Change& change) {
    const Dtype low = *narrower(change.problem.dtype);
    change.types.input = low;
    change.types.p = low;
    change.values_type = low;
}
bool has_narrower(const Problem& p) {
    return narrower(p.dtype).has_value();
}

constexpr Mutant in(std::string_view id, std::string_view title, std::string_view hazard, std::string_view example,
                    void (*change)(Change&), bool (*possible)(const Problem&)) {
    return {id, title, hazard, example, Family::precision, change, possible};
}

constexpr std::array mutants{
    in("lower-precision", "a computation in a narrower type than the case declares", "H33",
       "the float64 runs of ChunkLlama and Megatron-LM draft PR #4048", lower_precision, has_narrower),
    in("accumulator-bf16", "sums of products rounded to bf16 at every step", "", "", accumulator_bf16,
       has_wider_accumulator),
    in("p-e4m3", "P and dS rounded to e4m3 where the case declares more", "H50", "vLLM dual chunk attention with FP8",
       p_e4m3, has_wider_p),
    in("positions-bf16", "positions rounded to bf16 before they become angles", "H13",
       "diffusers #13920 (positions under bfloat16 autocast)", positions_bf16, has_far_positions),
    in("angles-float32", "inverse frequencies and angles in float32", "H13", "every public implementation",
       angles_float32, rotates),
    in("lse-bf16", "lse rounded to bf16", "H28", "Megatron-LM draft PR #4048, unfused", lse_bf16, nullptr),
};

}  // namespace

std::span<const Mutant> precision_mutants() {
    return mutants;
}

}  // namespace dca::mutants
