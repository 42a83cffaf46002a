// Kernels for the tests of the judge's public header: the peer behind raw buffers, and ways to misbehave.
#pragma once

#include <functional>
#include <string>

#include "verify/judge/judge.hpp"

namespace dca::test {

/// Element i, widened; i may lie outside.
[[nodiscard]] double read(const judge::InputTensor& tensor, std::int64_t i);

/// The peer, computing the case of `text`: reads and writes the buffers the judge gives it, in whatever types.
class PeerKernel : public judge::Candidate {
public:
    explicit PeerKernel(std::string text) : text_(std::move(text)) {}
    [[nodiscard]] std::string name() const override { return "peer"; }
    [[nodiscard]] judge::Support supports(const judge::Problem& problem) const override;
    void run(const judge::Problem& problem, const judge::Inputs& in, const judge::Outputs& to) override;

    judge::Support support;  ///< what supports() answers
    std::function<void(const judge::Inputs&, const judge::Outputs&)> beforehand, afterwards;  ///< called in run()
    judge::Problem seen;  ///< the problem of the last run
    int runs = 0;

private:
    std::string text_;
};

}  // namespace dca::test
