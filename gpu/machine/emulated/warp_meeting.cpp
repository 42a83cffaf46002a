#include "gpu/machine/emulated/warp_meeting.hpp"

namespace dca::gpu::emulated {

std::string name(const Rendezvous& rendezvous) {
    const std::string p = std::to_string(rendezvous.parameter), s = std::to_string(rendezvous.second);
    switch (rendezvous.call) {
        case Call::sync_block: return "sync_block";
        case Call::sync_named: return "sync_named(" + p + ", " + s + ")";
        case Call::sync_warp: return "sync_warp";
        case Call::shuffle: return "shuffle of " + p + " bytes";
        case Call::shuffle_xor: return "shuffle_xor of " + p + " bytes by " + s;
        case Call::ballot: return "a vote";
        case Call::load_matrix: return "load_matrix_x4";
        case Call::load_matrix_trans: return "load_matrix_x4_trans";
        case Call::mma_bf16: return "mma of " + p + " bf16 tiles";
        case Call::mma_f16: return "mma of " + p + " f16 tiles";
        case Call::mma_f64: return "mma of " + p + " f64 tiles";
    }
    return "?";
}

}  // namespace dca::gpu::emulated
