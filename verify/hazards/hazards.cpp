#include <algorithm>
#include <iterator>

#include "reference/spec/error.hpp"
#include "verify/hazards/hazard.hpp"

namespace dca::hazards {

std::string_view title(Area area) {
    switch (area) {
        case Area::positions: return "Positions";
        case Area::rope: return "Rotation";
        case Area::temperature: return "Length temperature";
        case Area::merge: return "Merge and number formats";
        case Area::gradients: return "Gradients";
        case Area::masks: return "Masks and batches";
        case Area::shapes: return "Shapes and engines";
        case Area::sparse: return "Sparse prefill";
        case Area::other: return "Other algorithms, documents and tests";
    }
    throw ContractError("hazard without an area");
}

std::span<const Hazard> hazards() {
    static const std::vector<Hazard> all = [] {
        std::vector<Hazard> joined;
        for (auto part : {position_hazards, rope_hazards, temperature_hazards, merge_hazards, gradient_and_mask_hazards,
                          shape_hazards, sparse_and_other_hazards}) {
            std::ranges::move(part(), std::back_inserter(joined));
        }
        return joined;
    }();
    return all;
}

const Hazard* find_hazard(std::string_view id) {
    if (id.empty() || (id[0] != 'H' && id[0] != 'h')) return nullptr;
    const auto found = std::ranges::find(hazards(), id.substr(1), [](const Hazard& one) { return one.id.substr(1); });
    return found == hazards().end() ? nullptr : &*found;
}

std::string affected(const Hazard& hazard) {
    std::string out;
    for (const std::string_view dialect : hazard.dialects) out += (out.empty() ? "" : ", ") + std::string(dialect);
    if (!hazard.others.empty()) out += (out.empty() ? "" : "; ") + std::string(hazard.others);
    return out;
}

}  // namespace dca::hazards
