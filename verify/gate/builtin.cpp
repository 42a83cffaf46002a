#include "verify/gate/builtin.hpp"

#include <utility>

#include "golden/text.hpp"
#include "gpu/api/emulation.hpp"
#include "gpu/api/launch.hpp"
#include "verify/mutants/mutant.hpp"
#include "verify/peer/peer.hpp"
#include "verify/run/make_golden.hpp"
#include "verify/run/results.hpp"

namespace dca::verify {
namespace {

const std::string mutant_prefix = "mutant:";

/// What judges, judged by itself: every difference would be a fault of the gate.
class Reference final : public Candidate {
public:
    [[nodiscard]] std::string name() const override { return "reference"; }
    [[nodiscard]] Support supports(const Problem&) const override { return {}; }
    [[nodiscard]] golden::Results run(const Problem& problem, const Inputs& inputs) override {
        golden::CaseData data;
        data.problem = problem;
        data.inputs = inputs;
        complete(data);
        return std::move(data.results);
    }
};

class Peer final : public Candidate {
public:
    [[nodiscard]] std::string name() const override { return "peer"; }
    [[nodiscard]] Support supports(const Problem& problem) const override {
        if (problem.dialect != "exact") return {false, "the peer computes the dialect exact alone"};
        if (problem.sparse_prefill()) return {false, "the peer computes no sparse prefill"};
        return {};
    }
    [[nodiscard]] golden::Results run(const Problem& problem, const Inputs& inputs) override {
        peer::PeerResult result = peer::run_peer(problem, inputs);
        return results_of(std::move(result.outputs), std::move(result.gradients));
    }
};

/// The kernels that ship, on fibers. A rule of the machine that they break ends the case with the line that names it.
template <bool ThreeCalls>
class Emulated final : public Candidate {
public:
    [[nodiscard]] std::string name() const override { return ThreeCalls ? "emulated-three-calls" : "emulated"; }
    [[nodiscard]] Support supports(const Problem& problem) const override {
        const gpu::Support support = gpu::emulation_supports(problem);
        return {support.ok(), support.reason};
    }
    [[nodiscard]] golden::Results run(const Problem& problem, const Inputs& inputs) override {
        gpu::EmulationOptions options;
        options.three_calls = ThreeCalls;
        return results_of(gpu::emulated_forward(problem, inputs, options), std::nullopt);
    }
};

class Cuda final : public Candidate {
public:
    [[nodiscard]] std::string name() const override { return "cuda"; }
    [[nodiscard]] Support supports(const Problem& problem) const override {
        const gpu::Support support = gpu::supports(problem);
        return {support.ok(), support.reason};
    }
    [[nodiscard]] golden::Results run(const Problem& problem, const Inputs& inputs) override {
        return results_of(gpu::forward(problem, inputs), std::nullopt);
    }
};

class MutantCandidate final : public Candidate {
public:
    explicit MutantCandidate(const mutants::Mutant& mutant) : mutant_(mutant) {}
    [[nodiscard]] std::string name() const override { return mutant_prefix + std::string(mutant_.id); }
    [[nodiscard]] Support supports(const Problem& problem) const override {
        if (!mutants::applies(mutant_, problem)) return {false, "this mistake makes no difference here"};
        return {};
    }
    [[nodiscard]] golden::Results run(const Problem& problem, const Inputs& inputs) override {
        mutants::Computed result = mutants::run(mutant_, problem, inputs, peer::types_of(problem));
        return results_of(std::move(result.outputs), std::move(result.gradients));
    }

private:
    const mutants::Mutant& mutant_;
};

std::unique_ptr<Candidate> make_mutant(const std::string& id) {
    if (const mutants::Mutant* mutant = mutants::find(id)) return std::make_unique<MutantCandidate>(*mutant);
    std::vector<std::string_view> ids;
    for (const mutants::Mutant& mutant : mutants::catalogue()) ids.push_back(mutant.id);
    throw InvalidProblem("--candidate: there is no mutant '" + golden::printable(id) + "'" +
                         golden::suggestion(id, ids) + " (dca list mutants)");
}

template <class T>
std::unique_ptr<Candidate> make() {
    return std::make_unique<T>();
}

struct Entry {
    const char* name;
    const char* description;
    std::unique_ptr<Candidate> (*make)();
    std::string (*absent)();  ///< null: always there
};

constexpr Entry entries[] = {
    {"peer", "an honest flash-style kernel in the types of each case", make<Peer>, nullptr},
    {"reference", "the reference itself: checks the gate, not a kernel", make<Reference>, nullptr},
    {"emulated", "this project's fused kernels, emulated on the processor", make<Emulated<false>>, nullptr},
    {"emulated-three-calls", "one emulated call per mode, then the merge kernel", make<Emulated<true>>, nullptr},
    {"cuda", "this project's kernels on a GPU", make<Cuda>, [] { return gpu::available().reason; }},
};

}  // namespace

std::vector<BuiltinInfo> builtin_candidates() {
    std::vector<BuiltinInfo> infos;
    for (const Entry& entry : entries) {
        infos.push_back({entry.name, entry.description, entry.absent != nullptr ? entry.absent() : std::string()});
    }
    infos.push_back({mutant_prefix + "ID", "a wrong kernel of the catalogue (dca list mutants): it must fail", ""});
    return infos;
}

std::unique_ptr<Candidate> make_builtin(const std::string& name) {
    if (name.starts_with(mutant_prefix)) return make_mutant(name.substr(mutant_prefix.size()));
    std::vector<std::string_view> names;
    for (const Entry& entry : entries) {
        names.emplace_back(entry.name);
        if (name != entry.name) continue;
        const std::string reason = entry.absent != nullptr ? entry.absent() : std::string();
        if (!reason.empty()) throw Unsupported("candidate " + name + ": " + reason);
        return entry.make();
    }
    throw InvalidProblem("--candidate: there is no candidate '" + golden::printable(name) + "'" +
                         golden::suggestion(name, names) + " (dca list candidates)");
}

std::string caution(const std::string& name) {
    if (name.starts_with(mutant_prefix))
        return "the candidate is wrong on purpose: a run that does not fail would be a gap";
    if (name != "reference") return {};
    return "the candidate is the reference itself: that checks the gate, and says nothing of any kernel";
}

}  // namespace dca::verify
