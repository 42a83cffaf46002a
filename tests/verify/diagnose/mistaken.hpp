// Candidates that make one known mistake, computed apart from verify/diagnose and rounded to the type of the case.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "golden/store.hpp"

namespace dca::test {

/// What mistaken() can make: the mistakes of the catalogue that some program outside it can make without its code.
inline constexpr std::array<std::string_view, 22> makeable_mistakes{"unwritten",
                                                                    "lse-base-2",
                                                                    "lse-empty-plus-inf",
                                                                    "dq-unscaled",
                                                                    "dk-unscaled",
                                                                    "detached-merge",
                                                                    "inter-dropped",
                                                                    "succ-dropped",
                                                                    "merge-by-average",
                                                                    "lower-precision",
                                                                    "plain-rope",
                                                                    "clamp-one-short",
                                                                    "stride-is-chunk-size",
                                                                    "rope-layout-swapped",
                                                                    "rope-missing",
                                                                    "rope-scaling-ignored",
                                                                    "mscale-missing",
                                                                    "mscale-once",
                                                                    "softmax-scale-missing",
                                                                    "kv-head-by-modulo",
                                                                    "query-offset-ignored",
                                                                    "sequences-joined"};

/// A complete golden case of 40 tokens, 4 query and 2 kv heads, chunk_size 12 and local_size 4, with gradients, in the
/// dtype; adapted where the mistake needs it (mscale to forget, sequences to join, ...).
[[nodiscard]] golden::CaseData golden_for(const std::string& mistake, Dtype dtype);

/// What a candidate writes that makes this mistake; ContractError for an unknown one.
[[nodiscard]] golden::Results mistaken(const std::string& mistake, const golden::CaseData& golden);

/// Every value rounded to the dtype, lse to f32 as kernels write it.
[[nodiscard]] golden::Results rounded(golden::Results results, Dtype dtype);

}  // namespace dca::test
