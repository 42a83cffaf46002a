#include "reference/math/rotations.hpp"

#include <algorithm>
#include <array>

#include "reference/math/parallel.hpp"
#include "reference/math/rope_frequencies.hpp"
#include "reference/spec/error.hpp"

namespace dca::reference {
namespace {

/// Tables are kept up to this many angles (8 MiB each).
constexpr std::int64_t kept_angles = std::int64_t{1} << 20;

bool exact_angles(const Problem& problem) {
    const AngleArithmetic arithmetic = dialect_of(problem).angles;
    return arithmetic == AngleArithmetic::exact ||
           (arithmetic == AngleArithmetic::float32_below_f64 && problem.dtype == Dtype::f64);
}

/// Largest position a key or query of the sequence is rotated by; exact angles have whole positions.
std::int64_t largest_position(const PositionMap& map, const ChunkConfig& chunk, const Sequence& sequence) {
    const std::int64_t len = chunk.chunk_len();
    double largest = map.key(KeyIndex(std::min(len, sequence.key_count()) - 1));
    const std::int64_t last = sequence.offset + sequence.query_count() - 1;
    if (last < 0) return static_cast<std::int64_t>(largest);
    largest = std::max(largest, map.query(QueryIndex(std::min(last, len - 1)), Mode::intra));
    if (last >= len) {
        largest = std::max(
            {largest, map.query(QueryIndex(len - 1), Mode::succ), map.query(QueryIndex(len - 1), Mode::inter)});
    }
    return static_cast<std::int64_t>(largest);
}

}  // namespace

Dtype activation_dtype(Dtype dtype) {
    switch (dtype) {
        case Dtype::tf32: return Dtype::f32;
        case Dtype::e4m3:
        case Dtype::e5m2: return Dtype::bf16;
        case Dtype::f64:
        case Dtype::f32:
        case Dtype::f16:
        case Dtype::bf16: return dtype;
    }
    return dtype;
}

Rotations::Rotations(const Problem& problem, const Sequence& sequence, std::int64_t largest)
    : positions_(problem),
      temperature_(problem, sequence),
      pairs_(problem.resolved_rotary_dim() / 2),
      head_dim_(problem.shape.head_dim),
      chunk_len_(problem.chunk.chunk_len()),
      layout_(problem.rope.layout),
      mscale_(mscale(effective_rope(problem))),
      decode_(problem.resolved_phase() == Phase::decode),
      rounds_products_(dialect_of(problem).rotation == RotationArithmetic::activation),
      round_(rounds_products_ ? std::optional(activation_dtype(problem.dtype)) : std::nullopt),
      offset_(sequence.offset) {
    fill_factors(sequence);
    std::vector<double> frequencies = inv_freq(problem, sequence.key_count());
    if (exact_angles(problem)) {
        exact_.emplace(std::move(frequencies), mscale_, layout_,
                       std::max(largest, largest_position(positions_, problem.chunk, sequence)));
    } else {
        float32_.emplace(dialect_of(problem).angles, effective_rope(problem), frequencies);
        fill_tables(problem, sequence);
    }
}

void Rotations::fill_tables(const Problem& problem, const Sequence& sequence) {
    const std::int64_t length = std::max(sequence.key_count(), sequence.offset + sequence.query_count());
    const std::int64_t rows = std::min(chunk_len_, length);
    if (rows * pairs_ > kept_angles) return;
    const auto fill = [&](std::vector<float>& table, std::int64_t count, Mode mode) {
        table.resize(static_cast<std::size_t>(count) * angles_size());
        parallel_for(count, 40.0 * static_cast<double>(count * pairs_), [&](std::int64_t r) {
            float32_->angles(positions_.query(QueryIndex(r), mode),
                             table.data() + static_cast<std::size_t>(r) * angles_size());
        });
    };
    fill(intra_, rows, Mode::intra);
    if (length > problem.chunk.chunk_len()) fill(succ_, rows, Mode::succ);
    fill(inter_, 1, Mode::inter);
}

void Rotations::fill_factors(const Sequence& sequence) {
    if (temperature_.place() == TemperaturePlace::nowhere) return;
    for (std::int64_t r = 0; r < sequence.query_count(); ++r) {
        query_factors_.push_back(offset_ + r < 0 ? 1 : temperature_.query(QueryIndex(offset_ + r)));
    }
    for (std::int64_t j = 0; j < sequence.key_count(); ++j) key_factors_.push_back(temperature_.key(KeyIndex(j)));
}

double Rotations::query_factor(QueryIndex i) const {
    return query_factors_.empty() ? 1 : query_factors_[static_cast<std::size_t>(i.value() - offset_)];
}

double Rotations::key_factor(KeyIndex j) const {
    return key_factors_.empty() ? 1 : key_factors_[static_cast<std::size_t>(j.value())];
}

void Rotations::finish_angles(const float* base, double factor, double* cos_sin) const {
    const auto multiplier = static_cast<float>(mscale_ * factor);
    for (std::size_t e = 0; e < angles_size(); ++e) cos_sin[e] = base[e] * multiplier;
    round_.round(cos_sin, static_cast<std::int64_t>(angles_size()));
}

void Rotations::query_angles(QueryIndex i, Mode mode, double* cos_sin) const {
    const bool in_table = temperature_.place() == TemperaturePlace::tables;
    if (exact_) {
        exact_->angles(RotaryPosition(static_cast<std::int64_t>(positions_.query(i, mode))), cos_sin);
        return;
    }
    const double factor = in_table ? query_factor(i) : 1;
    const std::vector<float>& table = mode == Mode::intra ? intra_ : mode == Mode::succ ? succ_ : inter_;
    const auto row = static_cast<std::size_t>(mode == Mode::inter ? 0 : i.value() % chunk_len_) * angles_size();
    if (row + angles_size() <= table.size()) return finish_angles(table.data() + row, factor, cos_sin);
    std::vector<float> base(angles_size());
    float32_->angles(positions_.query(i, mode), base.data());
    finish_angles(base.data(), factor, cos_sin);
}

void Rotations::angles_at(RotaryPosition position, QueryIndex i, double* cos_sin) const {
    if (exact_) return exact_->angles(position, cos_sin);
    std::vector<float> base(angles_size());
    float32_->angles(static_cast<double>(position.value()), base.data());
    finish_angles(base.data(), temperature_.place() == TemperaturePlace::tables ? query_factor(i) : 1, cos_sin);
}

void Rotations::key_angles(KeyIndex j, double* cos_sin) const {
    if (exact_) {
        exact_->angles(RotaryPosition(static_cast<std::int64_t>(positions_.key(j))), cos_sin);
        return;
    }
    const double factor = temperature_.place() == TemperaturePlace::tables ? key_factor(j) : 1;
    const auto row = static_cast<std::size_t>(j.value() % chunk_len_) * angles_size();
    if (row + angles_size() <= intra_.size()) return finish_angles(intra_.data() + row, factor, cos_sin);
    std::vector<float> base(angles_size());
    float32_->angles(positions_.key(j), base.data());
    finish_angles(base.data(), factor, cos_sin);
}

bool Rotations::same_for_all_queries(Mode mode) const {
    const bool constant = temperature_.place() != TemperaturePlace::tables || !decode_;
    return mode == Mode::inter && constant;
}

void Rotations::turn(const double* cos_sin, const double* row, double* out) const {
    if (!rounds_products_ && exact_) return exact_->rotate(cos_sin, row, out, head_dim_);
    // Blocks of pairs, so that each rounding is one loop over an array.
    constexpr std::int64_t block = 64;
    std::array<double, block> a_cos, b_sin, b_cos, a_sin;
    for (std::int64_t begin = 0; begin < pairs_; begin += block) {
        const std::int64_t count = std::min(block, pairs_ - begin);
        for (std::int64_t k = 0; k < count; ++k) {
            const auto [first, second] = rotary_pair(layout_, begin + k, pairs_);
            const double cos = cos_sin[2 * (begin + k)], sin = cos_sin[2 * (begin + k) + 1];
            a_cos[k] = row[first] * cos;
            b_sin[k] = row[second] * sin;
            b_cos[k] = row[second] * cos;
            a_sin[k] = row[first] * sin;
        }
        for (double* product : {a_cos.data(), b_sin.data(), b_cos.data(), a_sin.data()}) round_.round(product, count);
        for (std::int64_t k = 0; k < count; ++k) {
            a_cos[k] -= b_sin[k];
            b_cos[k] += a_sin[k];
        }
        round_.round(a_cos.data(), count);
        round_.round(b_cos.data(), count);
        for (std::int64_t k = 0; k < count; ++k) {
            const auto [first, second] = rotary_pair(layout_, begin + k, pairs_);
            out[first] = a_cos[k];
            out[second] = b_cos[k];
        }
    }
    std::copy(row + 2 * pairs_, row + head_dim_, out + 2 * pairs_);
}

void Rotations::rotate_query(const double* cos_sin, QueryIndex i, const double* row, double* out) const {
    turn(cos_sin, row, out);
    if (temperature_.place() != TemperaturePlace::whole_head) return;
    const double factor = query_factor(i);
    // Prefill multiplies softmax_scale and rounds nothing; decode multiplies the query itself.
    for (std::int64_t e = 0; e < head_dim_; ++e) out[e] *= factor;
    if (decode_) round_.round(out, head_dim_);
}

void Rotations::rotate_key(const double* cos_sin, KeyIndex j, const double* row, double* out) const {
    turn(cos_sin, row, out);
    if (temperature_.place() != TemperaturePlace::whole_head) return;
    const double factor = key_factor(j);
    for (std::int64_t e = 0; e < head_dim_; ++e) out[e] *= factor;
    round_.round(out, head_dim_);
}

void Rotations::add_turned_back(const double* cos_sin, double factor, const double* row, double* out) const {
    for (std::int64_t k = 0; k < pairs_; ++k) {
        const auto [first, second] = rotary_pair(layout_, k, pairs_);
        const double cos = cos_sin[2 * k], sin = cos_sin[2 * k + 1];
        out[first] += factor * (row[first] * cos + row[second] * sin);
        out[second] += factor * (row[second] * cos - row[first] * sin);
    }
    for (std::int64_t e = 2 * pairs_; e < head_dim_; ++e) out[e] += factor * row[e];
}

void Rotations::add_transposed_query(const double* cos_sin, QueryIndex i, const double* row, double* out) const {
    const bool whole = temperature_.place() == TemperaturePlace::whole_head;
    if (exact_ && !whole) return exact_->add_transposed(cos_sin, row, out, head_dim_);
    add_turned_back(cos_sin, whole ? query_factor(i) : 1, row, out);
}

void Rotations::add_transposed_key(const double* cos_sin, KeyIndex j, const double* row, double* out) const {
    const bool whole = temperature_.place() == TemperaturePlace::whole_head;
    if (exact_ && !whole) return exact_->add_transposed(cos_sin, row, out, head_dim_);
    add_turned_back(cos_sin, whole ? key_factor(j) : 1, row, out);
}

}  // namespace dca::reference
