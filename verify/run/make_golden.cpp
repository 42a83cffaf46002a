// The straight line of the generating commands. Everything that can be refused is refused before anything is computed.
#include "verify/run/make_golden.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <iterator>
#include <new>
#include <set>
#include <utility>

#include "golden/case_text.hpp"
#include "golden/kills.hpp"
#include "golden/make_inputs.hpp"
#include "golden/regenerate.hpp"
#include "golden/schema.hpp"
#include "reference/backward.hpp"
#include "reference/error_scale.hpp"
#include "reference/forward.hpp"
#include "reference/math/chunk_positions.hpp"
#include "reference/noise/tie_noise.hpp"
#include "reference/plain_bound.hpp"
#include "reference/probe/probe.hpp"
#include "reference/refusals.hpp"
#include "verify/run/certified_golden.hpp"
#include "verify/run/chunk_summary_golden.hpp"
#include "verify/run/probe_golden.hpp"
#include "verify/run/sampled_golden.hpp"
#include "verify/run/sparse_golden.hpp"

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

/// States which mutants the case catches, where it is one of a suite.
void state_kills(golden::CaseData& data, const golden::CaseSpec& spec) {
    if (const auto kills = golden::known_kills(spec)) data.provenance["kills"] = *kills;
}

/// The same for a case that was read: it is what its text says, unless its problem was changed since.
void state_kills(golden::CaseData& data) {
    const auto text = data.provenance.find("case_text");
    if (text == data.provenance.end() || !std::holds_alternative<std::string>(text->second)) return;
    try {
        const golden::CaseSpec spec = golden::parse_case(std::get<std::string>(text->second));
        if (spec.id == data.id && golden::first_difference(spec.problem, data.problem).empty()) state_kills(data, spec);
    } catch (const InvalidProblem&) {
        // a text of another version, or nobody's: nothing is known
    }
}

/// Does the work of one case; what goes wrong is said with the name of the case.
template <class Work>
void for_case(const std::string& where, const Work& work) {
    try {
        work();
    } catch (const std::bad_alloc&) {
        throw IoError(where + ": not enough memory to compute it");
    } catch (const Unsupported& error) {
        throw Unsupported(where + ": " + error.what());
    }
}

/// Throws unless a valid case is valid, a must_reject case is refused, and every id is new.
void check_cases(const std::vector<golden::CaseSpec>& cases) {
    std::set<std::string> ids;
    for (const golden::CaseSpec& spec : cases) {
        if (!ids.insert(spec.id).second) throw InvalidProblem("two cases are named " + spec.id);
        std::optional<std::string> refusal;
        try {
            spec.chunk_summary ? validate(spec.chunk_summary->problem) : validate(spec.problem);
        } catch (const InvalidProblem& error) {
            refusal = error.what();
        }
        if (!refusal && spec.recipe.sample > 0 && spec.problem.packed()) {
            refusal = "sample= and cu_seqlens= do not go together: no rows are sampled of packed sequences";
        }
        if (!refusal && !spec.chunk_summary)
            for_case("case " + spec.id, [&] {
                reference::require_reproducible(spec.problem, spec.recipe.gradient);
                if (spec.recipe.probe) reference::probe::require_probe(spec.problem, spec.recipe.gradient);
            });
        const bool must_reject = spec.expectation == golden::Expectation::must_reject;
        if (refusal && !must_reject) throw InvalidProblem("case " + spec.id + ": " + *refusal);
        if (!refusal && must_reject) throw ContractError("case " + spec.id + " must be rejected but was accepted");
    }
}

/// How far the double path can be from the truth.
golden::Certificates certificates(const Problem& problem, const Inputs& inputs, const Outputs& outputs) {
    const reference::PlainBounds bounds = reference::plain_bounds(problem, inputs, outputs);
    const auto certificate = [](const reference::ErrorRadius& of) {
        return golden::Certificate{of.radius, of.proven, false};
    };
    golden::Certificates all{{"out", certificate(bounds.out)}, {"lse", certificate(bounds.lse)}};
    if (!inputs.dout) return all;
    all["dq"] = certificate(bounds.dq);
    all["dk"] = certificate(bounds.dk);
    all["dv"] = certificate(bounds.dv);
    return all;
}

}  // namespace

void complete(golden::CaseData& data) {
    if (data.chunk_summary) return complete_chunk_summary(data);
    if (data.problem.sparse_prefill()) return complete_sparse(data);
    const Problem& problem = data.problem;
    const Inputs& inputs = data.inputs;
    reference::Parts parts;
    const bool needs_parts =
        reference::has_tie_noise(problem) || (inputs.dout && reference::backward_needs_parts(problem));
    Outputs outputs = needs_parts ? reference::forward(problem, inputs, parts) : reference::forward(problem, inputs);
    data.judge = golden::JudgeData{reference::error_scales(problem, inputs, outputs), reference::row_regions(problem),
                                   reference::error_model_version};
    data.certificates = certificates(problem, inputs, outputs);
    data.results = {};
    std::optional<Gradients> gradients;
    if (inputs.dout) {
        gradients = reference::backward(problem, inputs, outputs, std::nullopt, needs_parts ? &parts : nullptr);
    }
    if (needs_parts) {
        reference::add_tie_noise(problem, inputs, outputs, parts, gradients ? &*gradients : nullptr,
                                 data.judge->scales);
    }
    if (gradients) {
        data.results.dq = std::move(gradients->dq);
        data.results.dk = std::move(gradients->dk);
        data.results.dv = std::move(gradients->dv);
    }
    data.results.out = std::move(outputs.out);
    data.results.lse = std::move(outputs.lse);
}

golden::CaseData make_case(const golden::CaseSpec& spec) {
    if (spec.chunk_summary) return make_chunk_summary_case(spec);
    golden::CaseData data;
    data.id = spec.id;
    data.problem = spec.problem;
    data.inputs = golden::make_inputs(spec);
    data.provenance["case_text"] = golden::to_text(spec);
    state_kills(data, spec);
    complete(data);
    return data;
}

GenerateCounts generate(const std::vector<golden::CaseSpec>& cases, const std::filesystem::path& target,
                        const Progress& progress, const std::vector<std::string>& tensors) {
    require_probes_for(tensors, cases);
    return write_cases(cases, target, progress, [&](const auto& spec, auto& writer, const Within& within) {
        if (spec.recipe.sample > 0 && !spec.chunk_summary) return write_sampled_case(spec, writer, within);
        if (spec.recipe.probe && !spec.chunk_summary) return write_probe_case(spec, tensors, writer);
        writer.write(make_case(spec));
    });
}

GenerateCounts write_cases(const std::vector<golden::CaseSpec>& cases, const std::filesystem::path& target,
                           const Progress& progress, const WriteCase& write) {
    check_cases(cases);
    std::vector<const golden::CaseSpec*> valid;
    for (const golden::CaseSpec& spec : cases) {
        if (spec.expectation == golden::Expectation::valid) valid.push_back(&spec);
    }
    if (valid.empty()) throw InvalidProblem("nothing to write: every case given is one that must be rejected");
    golden::FileWriter writer(target);
    for (std::size_t done = 0; done < valid.size(); ++done) {
        if (progress) progress(valid[done]->id, done, valid.size());
        for_case("case " + valid[done]->id, [&] {
            write(*valid[done], writer, [&](std::string_view what, double part) {
                const auto percent = std::to_string(static_cast<int>(100 * part));
                if (progress)
                    progress(valid[done]->id + " (" + std::string(what) + " " + percent + " %)", done, valid.size());
            });
        });
    }
    if (progress) progress("", valid.size(), valid.size());
    writer.commit();
    return {valid.size(), cases.size() - valid.size()};
}

std::size_t run_file(const std::filesystem::path& source, const std::filesystem::path& target,
                     const RunOptions& options, const Progress& progress) {
    if (options.dialect && find_dialect(*options.dialect) == nullptr) {
        throw Unsupported("--dialect: '" + *options.dialect +
                          "' is not known; dca list dialects names those there are");
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
            golden::load_inputs(data);
            if (options.dialect) data.problem.dialect = *options.dialect;
            data.dialect_facts.clear();
            keep_provenance(data);
            state_kills(data);
            complete(data);
            if (options.certified != nullptr) options.certified->add(certify(data));
            writer.write(data);
        });
    }
    if (progress) progress("", ids.size(), ids.size());
    writer.commit();
    return ids.size();
}

}  // namespace dca::verify
