// A failing case cut down to what counterfactuals are tried on: one kv group where the case is large, and some dozens
// of its rows.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "golden/store.hpp"
#include "verify/diagnose/agreement.hpp"
#include "verify/peer/method.hpp"
#include "verify/run/result.hpp"

namespace dca::verify {

/// Which rows are looked at, and how many.
struct RowLimits {
    std::size_t failing = 16, right = 8;  ///< of the query axis, and again of the key axis
    std::size_t all = 48;                 ///< axes of no more rows are taken whole
};

struct Scene {
    std::shared_ptr<const golden::CaseData> golden;    ///< with inputs; dout only where gradients are to be explained
    std::shared_ptr<const golden::Results> candidate;  ///< every tensor it has
    peer::Selection selection;
    std::map<std::string, std::vector<RowRef>, std::less<>> rows;  ///< by tensor, those of the selection
    bool cut = false;                                              ///< golden holds one kv group alone
    /// Multiply-adds of the honest peer on the selection. right: its forward pass is given.
    [[nodiscard]] double work(bool right) const;
    /// The same query rows and no keys.
    [[nodiscard]] Scene without_keys() const;
};

/// The kv group (batch entry, kv head) with the most failing rows, or, of another group, the one with the fewest.
/// Nothing where there is no other, or the group is too large to be cut out. The golden must be complete and dense.
enum class Which : std::uint8_t { most_failing, fewest_failing };
[[nodiscard]] std::optional<Scene> make_scene(const golden::CaseData& golden, const golden::Results& candidate,
                                              bool gradients, const RowLimits& limits, Which which);

}  // namespace dca::verify
