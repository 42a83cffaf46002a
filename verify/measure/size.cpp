#include "verify/measure/size.hpp"

#include "reference/spec/bundles.hpp"

namespace dca::measure {

golden::CaseSpec case_of(const Setting& setting, const Size& size) {
    golden::CaseSpec spec;
    spec.id = "measure";
    Problem& problem = spec.problem;
    problem.shape = {setting.batch,     size.n, size.n, setting.heads_q, setting.heads_kv, setting.head_dim,
                     setting.head_dim_v};
    problem.chunk = {size.chunk_size, size.local_size};
    const std::optional<Dtype> dtype = parse_dtype(setting.dtype);
    if (!dtype) throw InvalidProblem("dtype: there is no '" + setting.dtype + "'");
    problem.dtype = *dtype;
    spec.recipe.seed = 1;
    spec.recipe.gradient = setting.pass == Pass::backward;
    validate(problem);
    return spec;
}

std::int64_t input_elements(const golden::CaseSpec& spec) {
    const Shape& shape = spec.problem.shape;
    return element_count(q_extents(shape)) + element_count(k_extents(shape)) + element_count(v_extents(shape)) +
           (spec.recipe.gradient ? element_count(out_extents(shape)) : 0);
}

std::int64_t output_elements(const golden::CaseSpec& spec) {
    const Shape& shape = spec.problem.shape;
    const std::int64_t forward = element_count(out_extents(shape)) + element_count(lse_extents(shape));
    if (!spec.recipe.gradient) return forward;
    return forward + element_count(q_extents(shape)) + element_count(k_extents(shape)) +
           element_count(v_extents(shape));
}

}  // namespace dca::measure
