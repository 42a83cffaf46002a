// Whether something can be computed, and why not.
#pragma once

#include <string>

namespace dca::gpu {

/// Why a problem cannot be run here; empty when it can.
struct Support {
    std::string reason;
    [[nodiscard]] bool ok() const { return reason.empty(); }
};

}  // namespace dca::gpu
