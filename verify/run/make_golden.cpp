// The straight line of the generating commands. Everything that can be refused is refused before anything is computed.
#include "verify/run/make_golden.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <iterator>
#include <new>
#include <set>
#include <utility>

#include "golden/case_text.hpp"
#include "golden/make_inputs.hpp"
#include "reference/backward.hpp"
#include "reference/error_scale.hpp"
#include "reference/forward.hpp"
#include "reference/math/chunk_positions.hpp"

namespace dca::verify {
namespace {

/// Attributes of the source that stay true of the golden file. The others (stub, gradient, measured_*, expected_*)
/// speak of recorded results, which are not copied.
constexpr const char* kept_provenance[] = {"source", "seed", "note", "case_text"};

void keep_provenance(golden::CaseData& data) {
    golden::Attributes kept;
    for (const char* name : kept_provenance) {
        if (const auto found = data.provenance.find(name); found != data.provenance.end()) kept.insert(*found);
    }
    data.provenance = std::move(kept);
}

std::string not_computed(const std::string& dialect) {
    return "this version does not compute the dialect '" + dialect + "'";
}

/// Throws unless a valid case is valid, a must_reject case is refused, and every id is new.
void check_cases(const std::vector<golden::CaseSpec>& cases) {
    std::set<std::string> ids;
    for (const golden::CaseSpec& spec : cases) {
        if (!ids.insert(spec.id).second) throw InvalidProblem("two cases are named " + spec.id);
        std::optional<std::string> refusal;
        try {
            validate(spec.problem);
        } catch (const InvalidProblem& error) {
            refusal = error.what();
        }
        if (!refusal && !computes_dialect(spec.problem.dialect)) {
            throw Unsupported("case " + spec.id + ": " + not_computed(spec.problem.dialect));
        }
        const bool must_reject = spec.expectation == golden::Expectation::must_reject;
        if (refusal && !must_reject) throw InvalidProblem("case " + spec.id + ": " + *refusal);
        if (!refusal && must_reject) throw ContractError("case " + spec.id + " must be rejected but was accepted");
    }
}

/// Does the work of one case; where memory runs out, says for which.
template <class Work>
void for_case(const std::string& where, const Work& work) {
    try {
        work();
    } catch (const std::bad_alloc&) {
        throw IoError(where + ": not enough memory to compute it");
    }
}

}  // namespace

bool computes_dialect(const std::string& dialect) {
    return dialect == "exact";
}

void complete(golden::CaseData& data) {
    const Problem& problem = data.problem;
    const Inputs& inputs = data.inputs;
    Outputs outputs = reference::forward(problem, inputs);
    data.judge = golden::JudgeData{reference::error_scales(problem, inputs, outputs), reference::row_regions(problem),
                                   reference::error_model_version};
    data.results = {};
    if (inputs.dout) {
        Gradients gradients = reference::backward(problem, inputs, outputs);
        data.results.dq = std::move(gradients.dq);
        data.results.dk = std::move(gradients.dk);
        data.results.dv = std::move(gradients.dv);
    }
    data.results.out = std::move(outputs.out);
    data.results.lse = std::move(outputs.lse);
}

golden::CaseData make_case(const golden::CaseSpec& spec) {
    golden::CaseData data;
    data.id = spec.id;
    data.problem = spec.problem;
    data.inputs = golden::make_inputs(spec);
    data.provenance["case_text"] = golden::to_text(spec);
    complete(data);
    return data;
}

GenerateCounts generate(const std::vector<golden::CaseSpec>& cases, const std::filesystem::path& target,
                        const Progress& progress) {
    check_cases(cases);
    std::vector<const golden::CaseSpec*> valid;
    for (const golden::CaseSpec& spec : cases) {
        if (spec.expectation == golden::Expectation::valid) valid.push_back(&spec);
    }
    if (valid.empty()) throw InvalidProblem("nothing to write: every case given is one that must be rejected");
    golden::FileWriter writer(target);
    for (std::size_t done = 0; done < valid.size(); ++done) {
        if (progress) progress(valid[done]->id, done, valid.size());
        for_case("case " + valid[done]->id, [&] { writer.write(make_case(*valid[done])); });
    }
    if (progress) progress("", valid.size(), valid.size());
    writer.commit();
    return {valid.size(), cases.size() - valid.size()};
}

std::size_t run_file(const std::filesystem::path& source, const std::filesystem::path& target,
                     const RunOptions& options, const Progress& progress) {
    if (options.dialect && !computes_dialect(*options.dialect)) {
        throw Unsupported("--dialect: " + not_computed(*options.dialect) + "; dca list dialects names those it does");
    }
    const golden::FileReader reader(source);
    std::vector<std::string> ids;
    std::copy_if(reader.case_ids().begin(), reader.case_ids().end(), std::back_inserter(ids),
                 [&](const std::string& id) { return fnmatch(options.case_glob.c_str(), id.c_str(), 0) == 0; });
    if (ids.empty()) throw InvalidProblem(source.string() + ": no case matches '" + options.case_glob + "'");

    golden::FileWriter writer(target);
    for (std::size_t done = 0; done < ids.size(); ++done) {
        if (progress) progress(ids[done], done, ids.size());
        const std::string where = source.string() + ": case " + ids[done];
        for_case(where, [&] {
            golden::CaseData data = reader.read(ids[done]);
            if (options.dialect) data.problem.dialect = *options.dialect;
            if (!computes_dialect(data.problem.dialect)) {
                throw Unsupported(where + ": " + not_computed(data.problem.dialect) +
                                  "; --dialect exact computes the exact definition instead");
            }
            data.dialect_facts.clear();  // `exact` takes none
            keep_provenance(data);
            complete(data);
            writer.write(data);
        });
    }
    if (progress) progress("", ids.size(), ids.size());
    writer.commit();
    return ids.size();
}

}  // namespace dca::verify
