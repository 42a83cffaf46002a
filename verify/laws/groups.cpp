#include "verify/laws/groups.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "reference/math/rope_frequencies.hpp"
#include "reference/math/temperature.hpp"

namespace dca::verify {
namespace {

/// Norm of a query or key whose rotary dims are multiplied by one factor and all dims by another.
double norm(std::span<const double> x, std::int64_t rotary_dim, double rotary_factor, double factor) {
    const auto cut = static_cast<std::size_t>(rotary_dim);
    return std::abs(factor) * std::sqrt(rotary_factor * rotary_factor * square(x.first(cut)) + square(x.subspan(cut)));
}

}  // namespace

double square(std::span<const double> x) {
    double sum = 0;
    for (double value : x) sum += value * value;
    return sum;
}

Group::Group(const Problem& problem, const Inputs& inputs, const reference::Sequence& sequence, std::int64_t kv_head)
    : inputs_(inputs),
      sequence_(sequence),
      kv_head_(kv_head),
      heads_(problem.shape.heads_q / problem.shape.heads_kv),
      rotary_dim_(problem.resolved_rotary_dim()),
      scale_(std::abs(problem.resolved_softmax_scale())),
      rotary_factor_(reference::mscale(reference::effective_rope(problem))),
      packed_(problem.packed()) {
    const reference::TemperatureLaw law(problem, sequence);
    const bool tables = law.place() == TemperaturePlace::tables, whole = law.place() == TemperaturePlace::whole_head;
    for (std::int64_t r = 0; r < sequence.query_count(); ++r) {
        const std::int64_t i = sequence.offset + r;
        const double factor = i < 0 ? 1 : law.query(QueryIndex(i));
        rotary_query_factors_.push_back(tables ? factor : 1);
        query_factors_.push_back(whole ? factor : 1);
    }
    Prefix so_far;
    double first_factor = 0;
    for (std::int64_t j = 0; j < sequence.key_count(); ++j) {
        const double factor = law.key(KeyIndex(j));
        if (j == 0) first_factor = factor;
        if (whole && factor != first_factor) same_key_factors_ = false;
        const double k = norm(row(inputs.k, sequence.key_begin + j, kv_head), rotary_dim_,
                              rotary_factor_ * (tables ? factor : 1), whole ? factor : 1);
        const double v = square(row(inputs.v, sequence.key_begin + j, kv_head));
        const double weight = 1 / static_cast<double>(j + 1);
        so_far.largest_key = std::max(so_far.largest_key, k);
        so_far.key_square += (k * k - so_far.key_square) * weight;
        so_far.value_square += (v - so_far.value_square) * weight;
        prefixes_.push_back(so_far);
    }
}

std::int64_t Group::visible(std::int64_t row) const {
    const std::int64_t i = sequence_.offset + row - sequence_.query_begin;
    return std::clamp<std::int64_t>(i + 1, 0, sequence_.key_count());
}

bool Group::seen(std::int64_t key) const {
    return key - sequence_.key_begin < visible(sequence_.query_end - 1);
}

double Group::query_norm(std::int64_t row_index, std::int64_t head) const {
    const auto r = static_cast<std::size_t>(row_index - sequence_.query_begin);
    return scale_ * norm(row(inputs_.q, row_index, head), rotary_dim_, rotary_factor_ * rotary_query_factors_[r],
                         query_factors_[r]);
}

std::span<const double> Group::row(const Tensor4& tensor, std::int64_t row, std::int64_t head) const {
    return {&tensor(sequence_.batch, row, head, 0), static_cast<std::size_t>(tensor.extent(3))};
}

std::string Group::place() const {
    return ", kv head " + std::to_string(kv_head_) + (packed_ ? ", sequence " : ", batch ") +
           std::to_string(packed_ ? sequence_.number : sequence_.batch);
}

std::vector<Group> groups_of(const Problem& problem, const Inputs& inputs) {
    std::vector<Group> groups;
    for (const reference::Sequence& sequence : reference::sequences(problem)) {
        if (sequence.query_count() == 0) continue;
        for (std::int64_t kv_head = 0; kv_head < problem.shape.heads_kv; ++kv_head) {
            groups.emplace_back(problem, inputs, sequence, kv_head);
        }
    }
    return groups;
}

}  // namespace dca::verify
