// Wrong rotations (Def.4, Def.5).
#include <array>
#include <cmath>

#include "verify/mutants/families.hpp"

namespace dca::mutants {
namespace {

void missing(Change& change) {
    change.problem.rope = RopeConfig{};
    change.problem.rope.layout = RopeLayout::none;
}

void layout_swapped(Change& change) {
    RopeLayout& layout = change.problem.rope.layout;
    layout = layout == RopeLayout::neox ? RopeLayout::interleaved : RopeLayout::neox;
}
/// With one pair both layouts are the same.
bool has_two_pairs(const Problem& p) {
    return p.resolved_rotary_dim() > 2;
}

void scaling_ignored(Change& change) {
    RopeConfig& rope = change.problem.rope;
    rope.scaling = RopeScaling::none;
    rope.factor.reset();
    rope.original_max_position.reset();
    rope.mscale.reset();
    rope.inv_freq.clear();
}
bool has_scaling(const Problem& p) {
    return rotates(p) && (p.rope.scaling != RopeScaling::none || !p.rope.inv_freq.empty());
}

void all_dims(Change& change) {
    change.problem.rope.rotary_dim.reset();
    change.problem.rope.inv_freq.clear();
}
bool is_partial(const Problem& p) {
    return rotates(p) && p.resolved_rotary_dim() < p.shape.head_dim && p.shape.head_dim % 2 == 0;
}

double factor_of(const Change& change) {
    return peer::table_factor(change.problem.rope);
}
void mscale_missing(Change& change) {
    change.method.rotation_factor = 1.0;
}
void mscale_once(Change& change) {
    change.method.rotation_factor = std::sqrt(std::abs(factor_of(change)));
}
void mscale_squared(Change& change) {
    change.method.rotation_factor = factor_of(change) * factor_of(change);
}
void mscale_on_all_dims(Change& change) {
    change.method.factor_on_all_dims = true;
}
bool has_mscale(const Problem& p) {
    return rotates(p) && peer::table_factor(p.rope) != 1;
}
bool has_mscale_and_rest(const Problem& p) {
    return has_mscale(p) && p.resolved_rotary_dim() < p.shape.head_dim;
}

constexpr Mutant in(std::string_view id, std::string_view title, std::string_view hazard, std::string_view example,
                    void (*change)(Change&), bool (*possible)(const Problem&)) {
    return {id, title, hazard, example, Family::rotation, change, possible};
}

constexpr std::array mutants{
    in("rope-missing", "no rotation at all", "H45", "Megatron-LM draft PR #4048 with selective recompute", missing,
       rotates),
    in("rope-layout-swapped", "the other pairing of rotary dims (neox for interleaved or the reverse)", "H10",
       "MLX quanta qwen25", layout_swapped, has_two_pairs),
    in("rope-scaling-ignored", "rope_scaling or inv_freq ignored", "H15", "vLLM and SGLang dual chunk attention",
       scaling_ignored, has_scaling),
    in("rotary-dim-ignored", "every dim rotated where rotary_dim asks for some", "H16",
       "Megatron-LM draft PR #4048 (rotary_percent with YaRN)", all_dims, is_partial),
    in("mscale-missing", "mscale not applied", "H15", "vLLM and SGLang dual chunk attention with YaRN", mscale_missing,
       has_mscale),
    in("mscale-once", "mscale applied once instead of to both q and k", "H23", "a llama.cpp fork", mscale_once,
       has_mscale),
    in("mscale-squared", "mscale applied twice to q and to k", "", "", mscale_squared, has_mscale),
    in("mscale-on-all-dims", "mscale also on the dims that are not rotated", "H11",
       "vLLM and SGLang: a factor on whole heads", mscale_on_all_dims, has_mscale_and_rest),
};

}  // namespace

std::span<const Mutant> rotation_mutants() {
    return mutants;
}

}  // namespace dca::mutants
