// Does the diagnosis call a mutant by its name?
#include <algorithm>
#include <map>

#include "verify/compare/compare.hpp"
#include "verify/diagnose/diagnose.hpp"
#include "verify/matrix/matrix.hpp"
#include "verify/run/make_golden.hpp"
#include "verify/run/results.hpp"

namespace dca::matrix {

std::vector<Naming> name_kills(const Matrix& matrix, const std::vector<golden::CaseSpec>& cases,
                               const std::function<void(std::size_t, std::size_t)>& progress) {
    std::vector<Tally> killed = tally(matrix);
    std::erase_if(killed, [](const Tally& one) { return one.kills == 0; });
    // By column: a golden is made once.
    std::map<const Column*, std::vector<const Tally*>> by_column;
    for (const Tally& one : killed) by_column[one.best].push_back(&one);
    std::vector<Naming> namings(killed.size());
    std::size_t done = 0;
    for (const Column& column : matrix.columns) {
        const auto found = by_column.find(&column);
        if (found == by_column.end()) continue;
        const auto spec = std::ranges::find(cases, column.case_id, &golden::CaseSpec::id);
        const golden::CaseData golden = verify::make_case(in_dtype(*spec, column.dtype));
        for (const Tally* one : found->second) {
            if (progress) progress(done++, killed.size());
            const golden::Results wrong = verify::results_of(
                mutants::run(*one->mutant, golden.problem, golden.inputs, peer::types_of(golden.problem)));
            const verify::CaseReport report = verify::compare_case(golden, wrong);
            Naming& naming = namings[static_cast<std::size_t>(one - killed.data())];
            naming = {one->mutant, one->dtype, column.case_id, {}, false};
            const auto explanations = verify::explain(golden, wrong, report).explanations;
            for (std::size_t n = 0; n < explanations.size(); ++n) {
                const verify::Explanation& explanation = explanations[n];
                naming.explanations.push_back(explanation.id);
                // What cannot be told apart in this case is one explanation.
                bool named = names(explanation.id, *one->mutant);
                for (const std::string& twin : explanation.same_as) named = named || names(twin, *one->mutant);
                naming.named = naming.named || (n < 2 && named);
            }
        }
    }
    return namings;
}

}  // namespace dca::matrix
