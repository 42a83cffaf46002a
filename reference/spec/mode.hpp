// The three modes of Dual Chunk Attention, and the regions rows fall into. Names only, no arithmetic: which pair is in
// which mode is a verb, and oracle, reference and candidates each have their own.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace dca {

/// How a query sees a key: same chunk, the chunk before, or farther back (Def.3).
enum class Mode : std::uint8_t { intra, succ, inter };

inline constexpr std::array<Mode, 3> all_modes{Mode::intra, Mode::succ, Mode::inter};

[[nodiscard]] constexpr std::string_view name(Mode mode) {
    switch (mode) {
        case Mode::intra: return "intra";
        case Mode::succ: return "succ";
        case Mode::inter: return "inter";
    }
    return "?";
}

/// Which modes touch a row. For a query row: the modes of the keys it sees. For a key row: the modes of the queries
/// that see it. A higher region includes the lower ones' failure causes, so reports list them in this order.
enum class Region : std::uint8_t { none = 0, intra_only = 1, with_succ = 2, with_inter = 3 };

inline constexpr std::array<Region, 4> all_regions{Region::none, Region::intra_only, Region::with_succ,
                                                   Region::with_inter};

[[nodiscard]] constexpr std::string_view name(Region region) {
    switch (region) {
        case Region::none: return "no keys";
        case Region::intra_only: return "intra";
        case Region::with_succ: return "+succ";
        case Region::with_inter: return "+inter";
    }
    return "?";
}

}  // namespace dca
