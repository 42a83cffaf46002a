// Where the 32 lanes of a warp meet: the call they have to agree on and what each brings.
#pragma once

#include <cstdint>
#include <string>

#include "gpu/machine/emulated/sites.hpp"

namespace dca::gpu::emulated {

enum class Call : std::uint8_t {
    sync_block,
    sync_named,
    sync_warp,
    shuffle,
    shuffle_xor,
    ballot,
    load_matrix,
    load_matrix_trans,
    mma_bf16,
    mma_f16,
    mma_f64,
};

/// What lanes must agree on. The parameter: barrier id and threads, mask, number of products, size of a value.
struct Rendezvous {
    Call call = Call::sync_block;
    Site site = 0;
    std::uint32_t parameter = 0, second = 0;
    bool operator==(const Rendezvous&) const = default;
};

/// The call with its parameters, as messages say it.
[[nodiscard]] std::string name(const Rendezvous& rendezvous);

/// What one lane brings. Pointers lead to its own variables: it does not run until the call is done.
struct LaneOperands {
    const void* a = nullptr;
    const void* b = nullptr;
    void* result = nullptr;
    std::uint64_t value = 0;
};

struct WarpMeeting {
    Rendezvous at;
    std::uint32_t arrived = 0;  ///< lanes that wait here, one bit each
    std::uint32_t left = 0;     ///< lanes that are done with the kernel
    bool in_barrier = false;    ///< all lanes have met and wait for other warps
    LaneOperands lane[32];
};

}  // namespace dca::gpu::emulated
