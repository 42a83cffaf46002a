// The definitions of attention.hpp, as templates: for the files that instantiate them, one per family of number types,
// and for tests that bring a type of their own.
#pragma once

#include "reference/oracle/attention.hpp"

#include <map>
#include <ranges>
#include <tuple>
#include <vector>

#include "reference/oracle/rotation.hpp"

namespace dca::oracle {
namespace detail {

/// The elements along the last axis at the given leading indices.
template <class T, class... I>
auto row_of(T& tensor, I... index) {
    const auto& extents = tensor.extents();
    static_assert(sizeof...(I) + 1 == std::tuple_size_v<std::remove_cvref_t<decltype(extents)>>);
    std::int64_t first = 0;
    std::size_t axis = 0;
    ((first = first * extents[axis++] + static_cast<std::int64_t>(index)), ...);
    const std::int64_t width = extents[axis];
    return tensor.values().subspan(static_cast<std::size_t>(first * width), static_cast<std::size_t>(width));
}

template <Scalar S>
S dot(std::span<const S> x, std::span<const S> y) {
    S sum{};
    for (std::size_t d = 0; d < x.size(); ++d) sum = sum + x[d] * y[d];
    return sum;
}

template <Scalar S>
void add_scaled(std::span<S> sum, const S& factor, std::span<const S> x) {
    for (std::size_t d = 0; d < x.size(); ++d) sum[d] = sum[d] + factor * x[d];
}

/// One query row of one key head: the keys it sees, as it sees them. The query heads of the group share it.
template <Scalar S>
struct RowView {
    std::int64_t batch, query_row, first_key, kv_head;
    std::vector<RelativePosition> distance;  // one per visible key
    std::vector<Mode> mode;                  // one per visible key
    Tensor<S, 2> turned_keys;                // (visible key, head_dim)

    [[nodiscard]] std::size_t key_count() const { return mode.size(); }
    [[nodiscard]] std::int64_t key_row(std::size_t j) const { return first_key + static_cast<std::int64_t>(j); }
};

template <Scalar S>
RowView<S> view_row(const Problem& problem, const Tensor<S, 4>& k, const Sequence& sequence, std::int64_t row,
                    std::int64_t kv_head, RelativeRotation<S>& rotation) {
    const std::int64_t count = sequence.visible_keys(row);
    RowView<S> view{sequence.batch,
                    sequence.first_query + row,
                    sequence.first_key,
                    kv_head,
                    {},
                    {},
                    Tensor<S, 2>({count, problem.shape.head_dim})};
    for (std::int64_t j = 0; j < count; ++j) {
        view.mode.push_back(pair_mode(problem.chunk, sequence.query(row), KeyIndex(j)));
        view.distance.push_back(relative_position(problem.chunk, sequence.query(row), KeyIndex(j)));
        rotation.turn(view.distance.back(), row_of(k, sequence.batch, sequence.first_key + j, kv_head),
                      row_of(view.turned_keys, j));
    }
    return view;
}

template <Scalar S>
Softmax<S> attend(const RowView<S>& view, std::span<const S> query, const S& scale) {
    std::vector<S> logits;
    for (std::size_t j = 0; j < view.key_count(); ++j) {
        logits.push_back(scale * dot<S>(query, row_of(view.turned_keys, j)));
    }
    return softmax(std::move(logits));
}

/// Calls visit(view, rotation) for every query row and key head.
template <Scalar S, class Visit>
void for_each_row(const Problem& problem, const Tensor<S, 4>& k, const Visit& visit) {
    // `dynamic` gives sequences of different lengths different frequencies; equal frequencies share their angles.
    std::map<std::vector<double>, RelativeRotation<S>> rotations;
    for (const Sequence& sequence : sequences(problem)) {
        const std::vector<double> inv_freq = inverse_frequencies(problem, sequence.keys);
        RelativeRotation<S>& rotation = rotations.try_emplace(inv_freq, problem, inv_freq).first->second;
        for (std::int64_t row = 0; row < sequence.queries; ++row) {
            for (std::int64_t kv_head = 0; kv_head < problem.shape.heads_kv; ++kv_head) {
                visit(view_row(problem, k, sequence, row, kv_head, rotation), rotation);
            }
        }
    }
}

/// The query heads that read key head kv_head (GQA: a group of consecutive ones).
inline auto query_heads(const Shape& shape, std::int64_t kv_head) {
    const std::int64_t group = shape.heads_q / shape.heads_kv;
    return std::views::iota(kv_head * group, (kv_head + 1) * group);
}

template <Scalar S>
void check(const Problem& problem, const TypedInputs<S>& inputs) {
    validate(problem);
    if (problem.dialect != "exact") throw Unsupported("the oracle computes dialect exact, not " + problem.dialect);
    const Shape& shape = problem.shape;
    const bool shapes_agree = inputs.q.extents() == q_extents(shape) && inputs.k.extents() == k_extents(shape) &&
                              inputs.v.extents() == v_extents(shape) &&
                              (!inputs.dout || inputs.dout->extents() == out_extents(shape));
    if (!shapes_agree) throw InvalidProblem("a tensor does not have the shape of the problem");
}

template <Scalar S>
Tensor<S, 4> convert_tensor(const Tensor4& tensor) {
    Tensor<S, 4> converted(tensor.extents());
    for (std::size_t e = 0; e < tensor.values().size(); ++e) converted.values()[e] = S(tensor.values()[e]);
    return converted;
}

}  // namespace detail

template <Scalar S>
TypedInputs<S> convert(const Inputs& inputs) {
    TypedInputs<S> typed{detail::convert_tensor<S>(inputs.q),
                         detail::convert_tensor<S>(inputs.k),
                         detail::convert_tensor<S>(inputs.v),
                         {}};
    if (inputs.dout) typed.dout = detail::convert_tensor<S>(*inputs.dout);
    return typed;
}

template <Scalar S>
TypedOutputs<S> forward(const Problem& problem, const TypedInputs<S>& inputs) {
    detail::check(problem, inputs);
    const S scale(problem.resolved_softmax_scale());
    TypedOutputs<S> result{Tensor<S, 4>(out_extents(problem.shape)), Tensor<S, 3>(lse_extents(problem.shape))};
    detail::for_each_row<S>(problem, inputs.k, [&](const detail::RowView<S>& view, RelativeRotation<S>&) {
        for (std::int64_t head : detail::query_heads(problem.shape, view.kv_head)) {
            const Softmax<S> weights =
                detail::attend<S>(view, detail::row_of(inputs.q, view.batch, view.query_row, head), scale);
            const std::span<S> out = detail::row_of(result.out, view.batch, view.query_row, head);
            for (std::size_t j = 0; j < view.key_count(); ++j) {
                detail::add_scaled<S>(out, weights.probability[j],
                                      detail::row_of(inputs.v, view.batch, view.key_row(j), view.kv_head));
            }
            result.lse(view.batch, head, view.query_row) = weights.lse;
        }
    });
    return result;
}

template <Scalar S>
TypedGradients<S> backward(const Problem& problem, const TypedInputs<S>& inputs, MergeGradient rule) {
    detail::check(problem, inputs);
    expects(inputs.dout.has_value(), "backward needs dout");
    const S scale(problem.resolved_softmax_scale());
    TypedGradients<S> result{Tensor<S, 4>(q_extents(problem.shape)), Tensor<S, 4>(k_extents(problem.shape)),
                             Tensor<S, 4>(v_extents(problem.shape))};
    detail::for_each_row<S>(problem, inputs.k, [&](const detail::RowView<S>& view, RelativeRotation<S>& rotation) {
        Tensor<S, 2> dturned(view.turned_keys.extents());  // summed over the query heads of the group
        for (std::int64_t head : detail::query_heads(problem.shape, view.kv_head)) {
            const std::span<const S> q = detail::row_of(inputs.q, view.batch, view.query_row, head);
            const std::span<const S> dout = detail::row_of(*inputs.dout, view.batch, view.query_row, head);
            const Softmax<S> weights = detail::attend<S>(view, q, scale);
            std::vector<S> dprobability;
            for (std::size_t j = 0; j < view.key_count(); ++j) {
                dprobability.push_back(
                    detail::dot<S>(dout, detail::row_of(inputs.v, view.batch, view.key_row(j), view.kv_head)));
            }
            const std::vector<S> dlogit = logit_gradients<S>(weights.probability, dprobability, view.mode, rule);
            const std::span<S> dq = detail::row_of(result.dq, view.batch, view.query_row, head);
            for (std::size_t j = 0; j < view.key_count(); ++j) {
                detail::add_scaled<S>(dq, scale * dlogit[j], detail::row_of(view.turned_keys, j));
                detail::add_scaled<S>(detail::row_of(dturned, j), scale * dlogit[j], q);
                detail::add_scaled<S>(detail::row_of(result.dv, view.batch, view.key_row(j), view.kv_head),
                                      weights.probability[j], dout);
            }
        }
        for (std::size_t j = 0; j < view.key_count(); ++j) {
            rotation.add_transposed(view.distance[j], detail::row_of(dturned, j),
                                    detail::row_of(result.dk, view.batch, view.key_row(j), view.kv_head));
        }
    });
    return result;
}

}  // namespace dca::oracle
