// The rules of two dialects in words, in one order, so that those that differ can be picked out. Rules that cannot act
// on the case (rounding to bf16 in an f64 case, rope_scaling where there is none) come out equal.
#include <utility>

#include "reference/math/chunk_positions.hpp"
#include "reference/math/rotations.hpp"
#include "reference/merge_rule.hpp"
#include "verify/run/diff_dialects.hpp"

namespace dca::verify {
namespace {

using Rule = std::pair<std::string, std::string>;

std::string succ(const Problem& p, const Dialect& d) {
    if (d.succ == SuccRule::clamped) return "min(r + L, C)";
    return "r + L where r < " + std::to_string(p.facts.paper_window.value_or(p.chunk.local_size)) + ", else C - 1";
}

std::string inter(InterRule rule) {
    switch (rule) {
        case InterRule::clamped: return "min(2L - 1, C)";
        case InterRule::chunk_size: return "C";
        case InterRule::last_trained: return "C - 1";
    }
    return "";
}

std::string scaling(const Problem& p, const Dialect& d) {
    const std::string scheme(name(p.rope.scaling));
    if (p.rope.scaling == RopeScaling::none) return scheme;
    if (d.scaling == ScalingSupport::ignored) return scheme + " is ignored (H15)";
    const bool refused = d.scaling == ScalingSupport::none ||
                         (d.scaling == ScalingSupport::linear_only && p.rope.scaling != RopeScaling::linear);
    if (refused) return scheme + " is refused (H15)";
    if (p.rope.scaling != RopeScaling::linear) return scheme;
    switch (d.linear) {
        case LinearScaling::frequencies: return "divides frequencies";
        case LinearScaling::positions: return "divides positions after the clamp";
        case LinearScaling::positions_twice: return "divides positions before and after the clamp (H12)";
    }
    return "";
}

std::string angles(const Problem& p, const Dialect& d) {
    switch (d.angles) {
        case AngleArithmetic::exact: return "exact";
        case AngleArithmetic::float32: return "float32";
        case AngleArithmetic::float32_chain: return "float32, each from the one before";
        case AngleArithmetic::float32_below_f64: return p.dtype == Dtype::f64 ? "exact" : "float32";
    }
    return "";
}

/// The activation dtype if rounding to it does something to a case in double precision.
std::string activation(const Problem& p) {
    const Dtype dtype = reference::activation_dtype(p.dtype);
    return dtype == Dtype::f64 ? "exact" : std::string(name(dtype));
}

std::string rounding(const Problem& p, Rounding to) {
    switch (to) {
        case Rounding::none: return "exact";
        case Rounding::float32: return "float32";
        case Rounding::bf16: return "bf16";
        case Rounding::activation: return activation(p);
    }
    return "";
}

std::string gradient(const Problem& p, const Dialect& d) {
    const GradientRule rule = p.resolved_phase() == Phase::decode ? d.decode_gradient : d.prefill_gradient;
    return rule == GradientRule::exact ? "true" : "merge weights are constants (H34)";
}

std::vector<Rule> rules_of(const Problem& p, bool gradients) {
    const Dialect& d = reference::dialect_of(p);
    std::vector<Rule> rules{{"P_succ", succ(p, d)}, {"P_inter", inter(d.inter)}};
    const auto add = [&](const char* rule, std::string value) { rules.emplace_back(rule, std::move(value)); };
    const bool rotates = p.rope.layout != RopeLayout::none;
    add("rope_scaling", rotates ? scaling(p, d) : "");
    add("angles", rotates ? angles(p, d) : "");
    add("rotated q and k", rotates && d.rotation == RotationArithmetic::activation ? activation(p) : "exact");
    add("softmax", d.float32_softmax && p.dtype == Dtype::f64 ? "float32 (H33)" : "exact");
    const MergeRule& merge = reference::merge_rule(p);
    add("modes", merge.parts ? "three parts, merged by their lse" : "one softmax");
    add("lse of a part", rounding(p, merge.lse));
    add("merge weights", rounding(p, merge.weight));
    add("output of a part", merge.part_in_activation ? activation(p) : "exact");
    add("weight times part", merge.product_in_activation ? activation(p) : "exact");
    if (gradients) add("gradient", gradient(p, d));
    return rules;
}

}  // namespace

std::vector<RuleDifference> diff_rules(const Both<Problem>& problems, bool gradients) {
    const std::vector<Rule> a = rules_of(problems[0], gradients), b = rules_of(problems[1], gradients);
    std::vector<RuleDifference> different;
    for (std::size_t n = 0; n < a.size(); ++n) {
        if (a[n].second != b[n].second) different.push_back({a[n].first, {a[n].second, b[n].second}});
    }
    return different;
}

}  // namespace dca::verify
