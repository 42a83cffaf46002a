// Small steps on results that several users of the line take.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "golden/store.hpp"
#include "verify/peer/peer.hpp"

namespace dca::verify {

/// What a kernel computed, as results.
[[nodiscard]] inline golden::Results results_of(Outputs outputs, std::optional<Gradients> gradients) {
    golden::Results results;
    results.out = std::move(outputs.out);
    results.lse = std::move(outputs.lse);
    if (gradients) {
        results.dq = std::move(gradients->dq);
        results.dk = std::move(gradients->dk);
        results.dv = std::move(gradients->dv);
    }
    return results;
}
[[nodiscard]] inline golden::Results results_of(peer::PeerResult computed) {
    return results_of(std::move(computed.outputs), std::move(computed.gradients));
}

/// Drops the tensors nobody asked for; an empty list asks for all.
[[nodiscard]] inline golden::Results wanted(golden::Results results, const std::vector<std::string>& tensors) {
    const auto keep = [&](const char* tensor) {
        return tensors.empty() || std::find(tensors.begin(), tensors.end(), tensor) != tensors.end();
    };
    if (!keep("out")) results.out.reset();
    if (!keep("lse")) results.lse.reset();
    if (!keep("dq")) results.dq.reset();
    if (!keep("dk")) results.dk.reset();
    if (!keep("dv")) results.dv.reset();
    return results;
}

}  // namespace dca::verify
