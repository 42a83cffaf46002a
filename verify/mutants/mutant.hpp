// Wrong Dual Chunk Attentions: each one small change to the honest peer, kept to test the judge with, and to recompute
// a failing candidate under.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "verify/peer/peer.hpp"

namespace dca::mutants {

/// What a mistake is about.
enum class Family : std::uint8_t {
    position,
    region,
    merge,
    scale,
    rotation,
    layout,
    precision,
    storage,
    backward,
    packed,
    context_parallel,
};
[[nodiscard]] std::string_view name(Family family);
inline constexpr Family all_families[] = {Family::position, Family::region, Family::merge,           Family::scale,
                                          Family::rotation, Family::layout, Family::precision,       Family::storage,
                                          Family::backward, Family::packed, Family::context_parallel};

/// What a mutant changes; starts as what the honest peer does.
struct Change {
    Problem problem;  ///< what it believes was asked
    peer::PeerTypes types;
    peer::Method method;
    std::optional<Dtype> values_type;  ///< v and dout are rounded to it first
};

struct Mutant {
    std::string_view id;
    std::string_view title;           ///< what follows "looks like"
    std::string_view hazard;          ///< e.g. H34, may be empty
    std::string_view public_example;  ///< where it was seen, may be empty
    Family family;
    void (*change)(Change&);
    /// Whether the mistake can be made (no mscale to forget); nullptr: always. See applies().
    bool (*possible)(const Problem&) = nullptr;
    bool forward_right = false;  ///< out and lse are the honest ones
    /// The mutant with the same result in exact arithmetic wherever both apply, another way to the same mistake; may be
    /// empty.
    std::string_view also = "";
};

/// All of them, ids unique, in the order of families.
[[nodiscard]] std::span<const Mutant> catalogue();
/// nullptr: there is none of that name.
[[nodiscard]] const Mutant* find(std::string_view id);

/// Whether the mutant's result can differ from the right one: false only where it cannot, whatever the inputs.
[[nodiscard]] bool applies(const Mutant& mutant, const Problem& problem);

using Selection = peer::Selection;
using Computed = peer::PeerResult;

/// The mutant's results: a wrong kernel in these types; with all types f64 what the mistake computes exactly (mistakes
/// of precision: with the one wrong rounding alone). types are those of the problem unless one asks otherwise.
/// A selection computes only its rows, all others hold NaN. right: out and lse of the right forward pass, used by
/// mutants with forward_right, which then skip theirs. Throws as run_peer does.
[[nodiscard]] Computed run(const Mutant& mutant, const Problem& problem, const Inputs& inputs,
                           const peer::PeerTypes& types, const Selection* selection = nullptr,
                           const Outputs* right = nullptr);

/// Types that round as double does, everywhere.
inline constexpr peer::PeerTypes exact_types{Dtype::f64, Dtype::f64, Dtype::f64, Dtype::f64};

/// For mistakes of storage (rows not stored, or not where they belong): makes them to right results. false: the mistake
/// is not of that kind, nothing is touched.
bool spoil(const Mutant& mutant, const Problem& problem, Outputs& outputs, Gradients* gradients);

}  // namespace dca::mutants
