// The known traps of public Dual Chunk Attention code as data: what they are, whom they affect, and how to see them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "verify/hazards/demonstration.hpp"

namespace dca::hazards {

enum class Area : std::uint8_t { positions, rope, temperature, merge, gradients, masks, shapes, sparse, other };

inline constexpr Area all_areas[] = {Area::positions, Area::rope,   Area::temperature, Area::merge, Area::gradients,
                                     Area::masks,     Area::shapes, Area::sparse,      Area::other};

/// Heading of an area.
[[nodiscard]] std::string_view title(Area area);

struct Hazard {
    std::string_view id;  ///< H1 .. H63
    Area area;
    std::string_view title;
    std::vector<std::string_view> dialects;  ///< affected, by name
    std::string_view others;                 ///< affected code without a dialect, in words; may be empty
    std::string_view consequence;
    std::string_view minimal_case;  ///< case text (golden/case_text.hpp); empty where no attention case shows it
    Demonstration demonstration;
};

/// Every hazard, in the order of the numbers.
[[nodiscard]] std::span<const Hazard> hazards();
/// nullptr where there is none. The letter may be lower case.
[[nodiscard]] const Hazard* find_hazard(std::string_view id);

/// "dialect, dialect; others".
[[nodiscard]] std::string affected(const Hazard& hazard);

/// The tables behind hazards(), one file per area or two.
[[nodiscard]] std::vector<Hazard> position_hazards();
[[nodiscard]] std::vector<Hazard> rope_hazards();
[[nodiscard]] std::vector<Hazard> temperature_hazards();
[[nodiscard]] std::vector<Hazard> merge_hazards();
[[nodiscard]] std::vector<Hazard> gradient_and_mask_hazards();
[[nodiscard]] std::vector<Hazard> shape_hazards();
[[nodiscard]] std::vector<Hazard> sparse_and_other_hazards();

}  // namespace dca::hazards
