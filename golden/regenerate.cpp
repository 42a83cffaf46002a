#include "golden/regenerate.hpp"

#include <string>

#include "golden/make_inputs.hpp"

namespace dca::golden {
namespace {

/// 1 GiB of doubles.
constexpr std::int64_t most_elements = std::int64_t{1} << 27;

std::int64_t input_elements(const CaseSpec& spec) {
    const Shape& shape = spec.problem.shape;
    const std::int64_t gradient = spec.recipe.gradient ? element_count(out_extents(shape)) : 0;
    return element_count(q_extents(shape)) + element_count(k_extents(shape)) + element_count(v_extents(shape)) +
           gradient;
}

}  // namespace

bool inputs_fit(const CaseData& data) {
    return !data.regenerates || input_elements(*data.regenerates) <= most_elements;
}

void load_inputs(CaseData& data) {
    if (!data.regenerates) return;
    if (!inputs_fit(data)) {
        throw Unsupported("its inputs are not stored and have " + std::to_string(input_elements(*data.regenerates)) +
                          " elements, more than the " + std::to_string(most_elements) +
                          " that are made in memory; dca generate computes it from its case text");
    }
    data.inputs = make_inputs(*data.regenerates);
    data.regenerates.reset();
}

}  // namespace dca::golden
