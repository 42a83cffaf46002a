// Wrong ways to combine what the modes found (Def.7), and wrong lse.
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "verify/mutants/families.hpp"

namespace dca::mutants {
namespace {

template <peer::Merge rule>
void merged_by(Change& change) {
    change.method.apart = true;
    change.method.merge = rule;
}

void no_rescale(Change& change) {
    change.method.rescale = false;
}

void lse_base_2(Change& change) {
    change.method.store = [](const Problem&, Outputs& outputs, Gradients*) {
        for (double& x : outputs.lse.values()) x *= std::numbers::log2e;
    };
}

void lse_empty_plus_inf(Change& change) {
    change.method.store = [](const Problem&, Outputs& outputs, Gradients*) {
        for (double& x : outputs.lse.values()) {
            if (x == -std::numeric_limits<double>::infinity()) x = -x;
        }
    };
}

void lse_without_inter(Change& change) {
    change.method.apart = true;
    change.method.lse_modes = {true, true, false};
}

std::int64_t longest(const Problem& p) {
    std::int64_t most = 0;
    for (const peer::Part& part : peer::parts_of(p))
        most = std::max(most, std::min(part.offset + part.query_end - part.query_begin, part.keys()));
    return most;
}

bool has_succ(const Problem& p) {
    return longest(p) > p.chunk.chunk_len();
}
bool has_inter(const Problem& p) {
    for (const peer::Part& part : peer::parts_of(p)) {
        if (part.offset + part.query_end - part.query_begin > 2 * p.chunk.chunk_len()) return true;
    }
    return false;
}
bool has_chunks(const Problem& p) {
    return has_succ(p) || has_inter(p);
}
/// Some row lacks a mode and some has keys.
bool has_keys(const Problem& p) {
    return longest(p) > 0;
}
/// A row with a second tile of 64 keys to rescale for.
bool has_key_tiles(const Problem& p) {
    return longest(p) > 64;
}
bool has_row_without_keys(const Problem& p) {
    return !p.packed() && p.resolved_query_offset() < 0;
}

constexpr Mutant in(std::string_view id, std::string_view title, std::string_view hazard, std::string_view example,
                    void (*change)(Change&), bool (*possible)(const Problem&)) {
    return {id, title, hazard, example, Family::merge, change, possible};
}

constexpr std::array mutants{
    in("merge-by-average", "a merge of the modes by plain average instead of by lse", "", "",
       merged_by<peer::Merge::average>, has_chunks),
    in("merge-by-max", "a merge that takes the mode with the largest lse and drops the others", "", "",
       merged_by<peer::Merge::largest>, has_chunks),
    in("merge-base-2", "a merge that takes natural logarithms for logarithms in base 2", "",
       "SGLang #35045, FlashInfer #4485", merged_by<peer::Merge::base_2>, has_chunks),
    in("merge-empty-plus-inf", "a merge in which a mode without keys has lse +inf", "H31",
       "FlashAttention 2; vLLM #27491, FlashInfer #4401", merged_by<peer::Merge::empty_plus_inf>, has_keys),
    in("merge-stale-lse", "a merge that weighs the inter keys by the lse of the row before", "", "",
       merged_by<peer::Merge::stale_lse>, has_inter),
    in("merge-not-rescaled", "a running merge that does not scale down what it has merged before", "", "",
       merged_by<peer::Merge::no_rescale>, has_chunks),
    in("merge-weights-bf16", "merge weights rounded to bf16", "H26", "ChunkLlama",
       merged_by<peer::Merge::weights_in_bf16>, has_chunks),
    in("softmax-not-rescaled", "an online softmax that does not rescale its sum when the maximum grows", "", "",
       no_rescale, has_key_tiles),
    in("lse-base-2", "an lse in base 2 instead of base e", "", "FlashInfer; vLLM #47079", lse_base_2, nullptr),
    in("lse-without-inter", "an lse over the keys of this chunk and the one before alone", "H32",
       "vLLM and SGLang dual chunk attention (return_lse)", lse_without_inter, has_inter),
    in("lse-empty-plus-inf", "the convention that a row without keys has lse +inf, which poisons a merge", "H31",
       "FlashAttention 2", lse_empty_plus_inf, has_row_without_keys),
};

}  // namespace

std::span<const Mutant> merge_mutants() {
    return mutants;
}

}  // namespace dca::mutants
