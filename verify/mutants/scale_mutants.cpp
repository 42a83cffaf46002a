// Wrong factors: on the logits, on the output.
#include <algorithm>
#include <array>
#include <cmath>

#include "verify/mutants/families.hpp"

namespace dca::mutants {
namespace {

void scaled(Change& change, double softmax_scale) {
    change.problem.softmax_scale = softmax_scale;
}

void missing(Change& change) {
    scaled(change, 1);
}
void squared(Change& change) {
    const double scale = change.problem.resolved_softmax_scale();
    scaled(change, scale * scale);
}
void head_dim_alone(Change& change) {
    scaled(change, 1 / std::sqrt(static_cast<double>(change.problem.shape.head_dim)));
}
template <int percent>
void percent_more(Change& change) {
    scaled(change, change.problem.resolved_softmax_scale() * (100 + percent) / 100);
}

/// The length temperature max(1, 0.1 ln(length / trained) + 1), trained being chunk_size, of the whole chunk of a
/// query.
double temperature(const Problem& p, std::int64_t i) {
    const double length = static_cast<double>((i / p.chunk.chunk_len() + 1) * p.chunk.chunk_len());
    return std::max(1.0, 0.1 * std::log(length / static_cast<double>(p.chunk.chunk_size)) + 1);
}
void by_chunk(Change& change) {
    change.method.scale = [](const peer::At& at, int) { return temperature(at.problem, at.i); };
}
bool has_warm_chunk(const Problem& p) {
    for (const peer::Part& part : peer::parts_of(p)) {
        const std::int64_t last = part.offset + part.query_end - part.query_begin - 1;
        if (last >= 0 && temperature(p, last) > 1) return true;
    }
    return false;
}

/// The product of q and k was rotated and scaled in the first of the modes alone.
void in_intra_alone(Change& change) {
    change.method.scale = [](const peer::At& at, int mode) {
        return mode == 0 ? 1.0 : 1 / at.problem.resolved_softmax_scale();
    };
}

void output_two_percent(Change& change) {
    change.method.out_factor = 1.02;
}

bool has_scale(const Problem& p) {
    return p.resolved_softmax_scale() != 1;
}
bool has_own_scale(const Problem& p) {
    return p.resolved_softmax_scale() != 1 / std::sqrt(static_cast<double>(p.shape.head_dim)) &&
           p.softmax_scale.has_value();
}
bool has_scale_and_chunks(const Problem& p) {
    for (const peer::Part& part : peer::parts_of(p)) {
        if (part.offset + part.query_end - part.query_begin > p.chunk.chunk_len()) return has_scale(p);
    }
    return false;
}

constexpr Mutant in(std::string_view id, std::string_view title, std::string_view hazard, std::string_view example,
                    void (*change)(Change&), bool (*possible)(const Problem&)) {
    return {id, title, hazard, example, Family::scale, change, possible};
}

constexpr std::array mutants{
    in("softmax-scale-missing", "logits without softmax_scale", "", "", missing, has_scale),
    in("softmax-scale-squared", "softmax_scale applied to q and to k", "", "", squared, has_scale),
    in("softmax-scale-default", "softmax_scale taken to be 1 / sqrt(head_dim), whatever it is", "", "", head_dim_alone,
       has_own_scale),
    in("softmax-scale-intra-alone", "softmax_scale applied to the keys of the own chunk alone", "", "", in_intra_alone,
       has_scale_and_chunks),
    in("softmax-scale-by-chunk", "softmax_scale grown by a length temperature, chunk by chunk", "H20",
       "vLLM and SGLang dual chunk attention with original_max_position_embeddings", by_chunk, has_warm_chunk),
    in("softmax-scale-one-percent", "softmax_scale 1 % too large", "", "", percent_more<1>, nullptr),
    in("softmax-scale-ten-percent", "softmax_scale 10 % too large", "", "", percent_more<10>, nullptr),
    in("output-two-percent", "out 2 % too large", "", "", output_two_percent, nullptr),
};

}  // namespace

std::span<const Mutant> scale_mutants() {
    return mutants;
}

}  // namespace dca::mutants
