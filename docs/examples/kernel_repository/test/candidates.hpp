// The kernel of this repository as the judge calls it, and two that the judge has to reject.
#pragma once

#include <dca/judge.hpp>
#include <stdexcept>
#include <string>

#include "chunked_attention.hpp"

namespace longctx::test {

class Kernel : public dca::judge::Candidate {
public:
    explicit Kernel(Delta delta = Delta::global) : delta_(delta) {}

    [[nodiscard]] std::string name() const override { return "longctx three calls, float"; }

    [[nodiscard]] dca::judge::Support supports(const dca::judge::Problem& problem) const override {
        using dca::judge::Support;
        if (problem.dtype != dca::judge::Dtype::f32) return Support::no("float only");
        if (problem.dialect != "exact" || problem.sparse) return Support::no("dense, exact Dual Chunk Attention only");
        if (problem.packed()) return Support::no("no packed sequences");
        const dca::judge::Rope& rope = problem.rope;
        const bool plain = rope.scaling == "none" && rope.inv_freq.empty() && rope.mscale.value_or(1) == 1;
        if (rope.layout != dca::judge::RopeLayout::neox || !plain) return Support::no("plain NeoX rotation only");
        return {};
    }

    void run(const dca::judge::Problem& problem, const dca::judge::Inputs& in, const dca::judge::Outputs& to) override {
        const Call call = call_of(problem);
        const float *q = in.q.as<float>(), *k = in.k.as<float>(), *v = in.v.as<float>();
        forward(call, q, k, v, to.out.as<float>(), to.lse.as<float>());
        if (!in.dout) return;
        backward(call, q, k, v, in.dout.as<float>(), to.out.as<float>(), to.lse.as<float>(), delta_, to.dq.as<float>(),
                 to.dk.as<float>(), to.dv.as<float>());
    }

protected:
    [[nodiscard]] static Call call_of(const dca::judge::Problem& p) {
        return {.batch = p.batch,
                .seq_q = p.seq_q,
                .seq_k = p.seq_k,
                .heads_q = p.heads_q,
                .heads_kv = p.heads_kv,
                .dim = p.head_dim,
                .dim_v = p.head_dim_v,
                .chunk_size = p.chunk_size,
                .local_size = p.local_size,
                .rotary_dim = p.rope.rotary_dim,
                .rope_base = p.rope.base,
                .scale = static_cast<float>(p.softmax_scale),
                .first_query = p.query_offset};
    }

private:
    Delta delta_;
};

/// Writes one element too many, where an off-by-one in the last tile does.
class WritesTooFar final : public Kernel {
public:
    void run(const dca::judge::Problem& problem, const dca::judge::Inputs& in, const dca::judge::Outputs& to) override {
        Kernel::run(problem, in, to);
        to.out.as<float>()[to.out.size()] = 0;
    }
};

}  // namespace longctx::test
