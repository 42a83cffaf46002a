// The same symbols as a CUDA build, each saying that there is none.
#include "gpu/api/launch.hpp"
#include "reference/spec/error.hpp"

namespace dca::gpu {
namespace {
constexpr const char* reason = "this build has no GPU kernels";
}

Support available() {
    return {reason};
}
Support supports(const Problem&) {
    return {reason};
}
Outputs forward(const Problem&, const Inputs&) {
    throw Unsupported(reason);
}

}  // namespace dca::gpu
