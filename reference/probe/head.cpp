#include "reference/probe/head.hpp"

namespace dca::reference::probe {

Head::Head(const SequenceContext& c, const ProbeInputs& in, std::int64_t query_head, const TieFlip* f)
    : context(c),
      inputs(in),
      head(query_head),
      kv_head(query_head / c.group),
      geometry(c, &in.q(query_head, 0), &in.k(query_head / c.group, 0)),
      panels(geometry),
      far(geometry),
      merge(c.problem),
      detached(gradient_rule(c.problem) == GradientRule::detached_merge),
      flip(f),
      facts(static_cast<std::size_t>(geometry.end_index - geometry.first_index)) {}

noise::Rows Head::values_at(std::int64_t key, int count) const {
    const auto view = inputs.v.view();
    if (count == 0) return {nullptr, 0, context.head_dim_v, view.stride(1)};
    return {&inputs.v(context.sequence.batch, context.sequence.key_begin + key, kv_head, 0), count, context.head_dim_v,
            view.stride(1)};
}

noise::Rows Head::dout(std::int64_t index, int count) const {
    const auto view = inputs.dout->view();
    return {&(*inputs.dout)(context.sequence.batch, row(index), head, 0), count, context.head_dim_v, view.stride(1)};
}

}  // namespace dca::reference::probe
