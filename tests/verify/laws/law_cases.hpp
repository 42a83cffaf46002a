// Cases for the laws: random problems, emulated honest kernels, and mistakes planted in their results.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "golden/store.hpp"
#include "tests/support/honest_kernel.hpp"
#include "verify/laws/check_laws.hpp"

namespace dca::test {

/// What a kernel of this style writes for the problem.
[[nodiscard]] golden::CaseData run_case(const Problem& problem, const Inputs& inputs, const KernelStyle& style);

/// Every way an honest kernel of this dtype works.
[[nodiscard]] std::vector<KernelStyle> styles_of(Dtype dtype);

/// Batch 3 of one problem: q, k, dout of the first entry for all, v[2] = v[0] + v[1] exactly.
[[nodiscard]] Inputs linear_inputs(const Problem& problem, std::uint64_t seed);

[[nodiscard]] const verify::LawResult& find(const verify::LawsCase& report, verify::Law law);

/// Names of the laws that are broken, in their order.
[[nodiscard]] std::vector<std::string> broken_laws(const verify::LawsCase& report);

/// All ratios in one line.
[[nodiscard]] std::string describe(const verify::LawsCase& report);

/// A mistake made in a healthy result, and the laws that must see it; every other law must hold.
struct Mistake {
    std::string name;
    std::function<void(golden::CaseData&)> make;
    std::vector<std::string> seen_by;
    bool needs_f32 = false;  ///< too small to be seen in bf16
};
[[nodiscard]] std::vector<Mistake> mistakes();

}  // namespace dca::test
