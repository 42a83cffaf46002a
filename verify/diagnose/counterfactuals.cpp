#include "verify/diagnose/counterfactuals.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/math/parallel.hpp"
#include "verify/diagnose/scene.hpp"
#include "verify/mutants/mutant.hpp"

namespace dca::verify {
namespace {

/// The peer's plain loops against the tiles of the reference, which the work of an explanation is counted in.
constexpr double plain_loops = 10;

bool fails(const CaseReport& report, std::string_view tensor) {
    return std::any_of(report.tensors.begin(), report.tensors.end(),
                       [&](const TensorReport& one) { return one.tensor == tensor && one.verdict == Verdict::failed; });
}

golden::Results results_of(mutants::Computed computed) {
    golden::Results results{std::move(computed.outputs.out), std::move(computed.outputs.lse), {}, {}, {}};
    if (computed.gradients) {
        results.dq = std::move(computed.gradients->dq);
        results.dk = std::move(computed.gradients->dk);
        results.dv = std::move(computed.gradients->dv);
    }
    return results;
}

/// (a - b) factor, where both are there.
golden::Results difference(golden::Results a, const golden::Results& b, double factor) {
    const auto subtract = [&](auto& x, const auto& y) {
        if (!x || !y) return x.reset();
        for (std::size_t n = 0; n < x->values().size(); ++n) {
            const double from = x->values()[n], minus = y->values()[n];
            // Like infinities and two NaN have no difference; a NaN beside a number stays one.
            const bool same = from == minus || (std::isnan(from) && std::isnan(minus));
            x->values()[n] = same ? 0 : (from - minus) * factor;
        }
    };
    subtract(a.out, b.out);
    subtract(a.lse, b.lse);
    subtract(a.dq, b.dq);
    subtract(a.dk, b.dk);
    subtract(a.dv, b.dv);
    return a;
}

/// Adds one sigma to every result.
golden::Results raised(golden::Results results, const ErrorScales& scales) {
    const auto add = [](auto& values, const auto& sigma) {
        for (std::size_t n = 0; n < values.values().size(); ++n) values.values()[n] += double{sigma.values()[n]};
    };
    if (results.out) add(*results.out, scales.out);
    if (results.lse) add(*results.lse, scales.lse);
    if (results.dq && scales.dq) add(*results.dq, *scales.dq);
    if (results.dk && scales.dk) add(*results.dk, *scales.dk);
    if (results.dv && scales.dv) add(*results.dv, *scales.dv);
    return results;
}

class Counterfactual {
public:
    /// right: the honest kernel is given the golden's forward pass, where its own would take too long.
    Counterfactual(Scene scene, bool right) : scene_(std::move(scene)) {
        const golden::CaseData& golden = *scene_.golden;
        right_ = {*golden.results.out, *golden.results.lse};
        // In double a kernel's noise cannot be told from the mistake's own rounding; 29 bits fewer show its size.
        const bool f64 = peer::types_of(golden.problem).accumulator == Dtype::f64;
        types_ = f64 ? peer::PeerTypes{Dtype::f32, Dtype::f32, Dtype::f32, Dtype::f32} : peer::types_of(golden.problem);
        shrink_ = f64 ? 0x1p-29 : 1;
        const peer::Method method;
        honest_ = difference(results_of(peer::run_peer(golden.problem, golden.inputs, types_, method, &scene_.selection,
                                                       right ? &right_ : nullptr)),
                             golden.results, shrink_);
    }

    [[nodiscard]] const Scene& scene() const { return scene_; }

    /// What the mistake computes; nothing where it cannot be made.
    [[nodiscard]] std::optional<golden::Results> exact(const mutants::Mutant& mutant) const {
        if (auto stored = spoilt(mutant, scene_.golden->results)) return stored;
        return computed(mutant, mutants::exact_types);
    }
    /// One kernel's errors with it.
    [[nodiscard]] golden::Results noise(const mutants::Mutant& mutant, const golden::Results& exact) const {
        if (auto stored = spoilt(mutant, raised(scene_.golden->results, scene_.golden->judge->scales))) {
            return difference(std::move(*stored), exact, 1);
        }
        return difference(computed(mutant, types_), exact, shrink_);
    }
    [[nodiscard]] Agreement agreement_of(std::string_view tensor, const golden::Results& exact,
                                         const golden::Results& noise) const {
        const golden::CaseData& golden = *scene_.golden;
        return agreement(tensor, scene_.rows.find(tensor)->second,
                         {golden.results, golden.judge->scales, *scene_.candidate, exact, noise, honest_});
    }
    [[nodiscard]] bool near(std::string_view tensor, const golden::Results& exact) const {
        const golden::CaseData& golden = *scene_.golden;
        return is_near(tensor, scene_.rows.find(tensor)->second, golden.results, golden.judge->scales,
                       *scene_.candidate, exact);
    }

    void add_to(Found& found, std::string_view tensor, const golden::Results& exact) const {
        const golden::CaseData& golden = *scene_.golden;
        add_evidence(found, tensor, scene_.rows.find(tensor)->second, golden.results, golden.judge->scales,
                     *scene_.candidate, exact);
    }

private:
    [[nodiscard]] golden::Results computed(const mutants::Mutant& mutant, const peer::PeerTypes& types) const {
        return results_of(
            mutants::run(mutant, scene_.golden->problem, scene_.golden->inputs, types, &scene_.selection, &right_));
    }

    [[nodiscard]] std::optional<golden::Results> spoilt(const mutants::Mutant& mutant, golden::Results right) const {
        if (mutant.family != mutants::Family::storage && mutant.family != mutants::Family::layout) return std::nullopt;
        Outputs outputs{std::move(*right.out), std::move(*right.lse)};
        std::optional<Gradients> gradients;
        if (right.dq && right.dk && right.dv) {
            gradients = Gradients{std::move(*right.dq), std::move(*right.dk), std::move(*right.dv)};
        }
        if (!mutants::spoil(mutant, scene_.golden->problem, outputs, gradients ? &*gradients : nullptr)) {
            return std::nullopt;
        }
        return results_of({std::move(outputs), std::move(gradients)});
    }

    Scene scene_;
    Outputs right_;
    peer::PeerTypes types_{};
    double shrink_ = 1;
    golden::Results honest_;
};

/// What one mutant explains.
std::optional<Found> asked(const mutants::Mutant& mutant, const Counterfactual& main, const Counterfactual* other,
                           const CaseReport& report) {
    const golden::Results exact = *main.exact(mutant);
    const bool near = std::any_of(tensor_names.begin(), tensor_names.end(), [&](std::string_view tensor) {
        return fails(report, tensor) && main.near(tensor, exact);
    });
    if (!near) return std::nullopt;
    const golden::Results noise = main.noise(mutant, exact);
    Found found;
    found.explanation.id = mutant.id;
    std::optional<golden::Results> other_exact, other_noise;
    for (const TensorReport& tensor : report.tensors) {
        const bool failing = tensor.verdict == Verdict::failed;
        if (!Rows(exact, tensor.tensor) || main.scene().rows.find(tensor.tensor) == main.scene().rows.end()) continue;
        Agreement one = main.agreement_of(tensor.tensor, exact, noise);
        if (!failing) {
            // A tensor that is right rules out what must spoil it.
            if (one.differs && !one.agrees) return std::nullopt;
            continue;
        }
        if (!one.explains) continue;
        if (other != nullptr) {
            if (!other_exact) {
                other_exact = other->exact(mutant);
                other_noise = other->noise(mutant, *other_exact);
            }
            const Agreement there = other->agreement_of(tensor.tensor, *other_exact, *other_noise);
            const auto& rows = other->scene().rows.find(tensor.tensor)->second;
            if (!rows.empty() && !there.agrees) continue;
            one.ratio = std::max(one.ratio, there.ratio);
        }
        found.explanation.tensors.push_back(tensor.tensor);
        found.explanation.ratio = std::max(found.explanation.ratio, one.ratio);
        main.add_to(found, tensor.tensor, exact);
    }
    return found.explanation.tensors.empty() ? std::nullopt : std::optional(std::move(found));
}

}  // namespace

Tried try_mutants(const golden::CaseData& golden, const golden::Results& candidate, const CaseReport& report,
                  const std::set<std::string, std::less<>>& known, double multiply_adds) {
    Tried tried;
    const Problem& problem = golden.problem;
    const golden::Results& results = golden.results;
    if (problem.dialect != "exact" || problem.sparse_prefill() || !results.out || !results.lse) return tried;
    const bool gradients = (fails(report, "dq") || fails(report, "dk") || fails(report, "dv")) && golden.inputs.dout &&
                           results.dq && results.dk && results.dv;
    std::vector<const mutants::Mutant*> wanted;
    for (const mutants::Mutant& one : mutants::catalogue()) {
        if (known.count(one.id) > 0 || (one.forward_right && !gradients)) continue;
        // A right forward pass is asked for by what fails alone: gradients cannot repair out.
        if (mutants::applies(one, problem)) wanted.push_back(&one);
    }
    if (wanted.empty()) return tried;

    // Fewer rows where all would take too long. Keys need the forward pass of every query: where that is too much,
    // mistakes of the backward pass alone are asked for them, which take the golden's.
    std::optional<Scene> scene, queries;
    const auto plan = [&](const mutants::Mutant& one) {
        const Scene& rows = one.forward_right || !queries ? *scene : *queries;
        return plain_loops * rows.work(one.forward_right);
    };
    const auto total = [&] {
        double work = 4 * plain_loops * scene->work(false);  // the honest kernel, survivors
        for (const mutants::Mutant* one : wanted) work += plan(*one);
        return work;
    };
    for (const RowLimits limits : {RowLimits{}, RowLimits{6, 3, 24}, RowLimits{3, 1, 8}}) {
        scene = make_scene(golden, candidate, gradients, limits, Which::most_failing);
        if (!scene || total() <= multiply_adds) break;
    }
    if (scene && total() > multiply_adds && !scene->selection.keys.empty()) queries = scene->without_keys();
    std::vector<const mutants::Mutant*> affordable;
    double planned = scene ? plain_loops * (queries ? *queries : *scene).work(false) : 0;
    for (const mutants::Mutant* one : wanted) {
        const bool cut_away = !scene || (scene->cut && !mutants::applies(*one, scene->golden->problem));
        if (cut_away || planned + plan(*one) > multiply_adds) {
            tried.not_tried.emplace_back(one->id);
            continue;
        }
        planned += plan(*one);
        affordable.push_back(one);
    }
    if (affordable.empty()) return tried;
    tried.work = planned;

    const Counterfactual main(*scene, queries.has_value());
    std::optional<Counterfactual> rows_alone;
    if (queries) rows_alone.emplace(*queries, false);
    const std::optional<Scene> second =
        make_scene(golden, candidate, gradients, RowLimits{6, 6, 24}, Which::fewest_failing);
    std::optional<Counterfactual> other;
    if (second) {
        other.emplace(queries ? second->without_keys() : *second, false);
    }
    std::vector<std::optional<Found>> found(affordable.size());
    reference::parallel_for(static_cast<std::int64_t>(affordable.size()), planned, [&](std::int64_t n) {
        const auto at = static_cast<std::size_t>(n);
        const mutants::Mutant& one = *affordable[at];
        const Counterfactual& here = one.forward_right || !rows_alone ? main : *rows_alone;
        found[at] = asked(one, here, other ? &*other : nullptr, report);
    });
    for (auto& one : found) {
        if (one) tried.found.push_back(std::move(*one));
    }
    return tried;
}

}  // namespace dca::verify
