// A wrong kernel of the catalogue, run in the types of a case, is named for what it is.
#include <algorithm>

#include "tests/support/catch.hpp"
#include "tests/verify/diagnose/planted.hpp"
#include "verify/diagnose/diagnose.hpp"
#include "verify/mutants/mutant.hpp"

namespace {

using namespace dca::test;
using namespace dca::verify;

/// GQA, partial rotary, mscale, three chunks and a ragged tail. Small: the kill matrix asks the same of whole suites.
const std::string setting =
    "seq_q=50 heads_q=4 heads_kv=2 head_dim=16 C=24 w=8 gradient=1 seed=5 rotary_dim=8 mscale=1.3 dtype=";

std::string listed(const std::vector<Explanation>& explanations) {
    std::string text;
    for (const Explanation& one : explanations) {
        text += one.id + " (" + std::to_string(one.tensors.size()) + " tensors, " + std::to_string(one.ratio) + ") ";
    }
    return text;
}

/// Whether the id is that of the explanation or of one that cannot be told from it here.
bool is(const Explanation& one, std::string_view id) {
    return one.id == id || std::find(one.same_as.begin(), one.same_as.end(), id) != one.same_as.end();
}

TEST_CASE("a mutant that fails a case is among the first two explanations") {
    for (const char* dtype : {"bf16"}) {
        const dca::golden::CaseData golden = planted_golden(setting + dtype);
        int failed = 0;
        for (const dca::mutants::Mutant& mutant : dca::mutants::catalogue()) {
            if (!dca::mutants::applies(mutant, golden.problem)) continue;
            auto computed =
                dca::mutants::run(mutant, golden.problem, golden.inputs, dca::peer::types_of(golden.problem));
            const dca::golden::Results candidate{computed.outputs.out, computed.outputs.lse, computed.gradients->dq,
                                                 computed.gradients->dk, computed.gradients->dv};
            const CaseReport report = compare_case(golden, candidate);
            if (report.verdict != Verdict::failed) continue;
            ++failed;
            const auto all = explain(golden, candidate, report).explanations;
            INFO(dtype << ": " << mutant.id << " is called " << listed(all));
            CHECK(((!all.empty() && is(all[0], mutant.id)) || (all.size() > 1 && is(all[1], mutant.id))));
        }
        CHECK(failed > 60);
    }
}

}  // namespace
