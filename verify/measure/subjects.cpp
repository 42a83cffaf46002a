#include "verify/measure/subject.hpp"

#include <array>
#include <memory>
#include <utility>

#include "golden/chunk_summary_inputs.hpp"
#include "golden/make_inputs.hpp"
#include "golden/text.hpp"
#include "gpu/api/emulation.hpp"
#include "gpu/api/launch.hpp"
#include "reference/backward.hpp"
#include "reference/chunk_summary/network.hpp"
#include "reference/forward.hpp"
#include "reference/math/parallel.hpp"
#include "reference/oracle/attention.hpp"
#include "verify/measure/size.hpp"
#include "verify/peer/peer.hpp"

namespace dca::measure {
namespace {

constexpr auto double_bytes = static_cast<std::int64_t>(sizeof(double));

/// A subject that reads doubles, whatever the dtype they were rounded to.
template <class Run>
Subject on_doubles(const golden::CaseSpec& spec, Run run) {
    auto inputs = std::make_shared<const Inputs>(golden::make_inputs(spec));
    Subject subject;
    subject.input_bytes = input_elements(spec) * double_bytes;
    subject.output_bytes = output_elements(spec) * double_bytes;
    subject.call = [run, inputs, problem = spec.problem] { run(problem, *inputs); };
    return subject;
}

void run_reference(const Problem& problem, const Inputs& inputs) {
    const Outputs outputs = reference::forward(problem, inputs);
    if (inputs.dout) (void)reference::backward(problem, inputs, outputs);
}

Subject make_reference(const golden::CaseSpec& spec) {
    return on_doubles(spec, run_reference);
}

/// The same code with one chunk: plain causal attention (Def.6 with C >= n).
Subject make_plain_causal(const golden::CaseSpec& spec) {
    golden::CaseSpec plain = spec;
    plain.problem.chunk = {spec.problem.shape.seq_k, 0};
    return on_doubles(plain, run_reference);
}

/// The public recipe: one attention call per mode, each with its whole result, then the merge (Def.7, Def.8).
Subject make_three_call(const golden::CaseSpec& spec) {
    return on_doubles(spec, [](const Problem& problem, const Inputs& inputs) {
        std::array<Outputs, 3> parts;
        for (const Mode mode : all_modes) {
            parts[static_cast<std::size_t>(mode)] = reference::partial(problem, inputs, mode);
        }
        (void)reference::merge(parts);
    });
}

Subject make_oracle(const golden::CaseSpec& spec) {
    return on_doubles(spec, [](const Problem& problem, const Inputs& inputs) {
        (void)oracle::forward<double>(problem, inputs);
        if (inputs.dout) (void)oracle::backward<double>(problem, inputs);
    });
}

Subject make_peer(const golden::CaseSpec& spec) {
    return on_doubles(spec,
                      [](const Problem& problem, const Inputs& inputs) { (void)peer::run_peer(problem, inputs); });
}

Subject make_cuda(const golden::CaseSpec& spec) {
    if (const gpu::Support support = gpu::supports(spec.problem); !support.ok()) throw Unsupported(support.reason);
    return on_doubles(spec, [](const Problem& problem, const Inputs& inputs) { (void)gpu::forward(problem, inputs); });
}

Subject emulated(const golden::CaseSpec& spec, bool three_calls) {
    if (const gpu::Support support = gpu::emulation_supports(spec.problem); !support.ok())
        throw Unsupported(support.reason);
    return on_doubles(spec, [three_calls](const Problem& problem, const Inputs& inputs) {
        (void)gpu::emulated_forward(problem, inputs,
                                    {.host_threads = reference::thread_count(), .three_calls = three_calls});
    });
}

Subject make_emulated(const golden::CaseSpec& spec) {
    return emulated(spec, false);
}

Subject make_emulated_three_call(const golden::CaseSpec& spec) {
    return emulated(spec, true);
}

/// The attention layer of docs/chunk_summary.md with as many heads and channels; w has no meaning there.
Subject make_chunk_summary(const golden::CaseSpec& spec) {
    const Shape& shape = spec.problem.shape;
    golden::ChunkSummarySpec of;
    of.problem.batch = shape.batch;
    of.problem.seq_len = shape.seq_k;
    of.problem.heads = shape.heads_q;
    of.problem.hidden = of.problem.embed = shape.heads_q * shape.head_dim;
    of.problem.chunk_size = spec.problem.chunk.chunk_size;
    of.problem.dtype = spec.problem.dtype;
    of.recipe = {.seed = spec.recipe.seed, .gradient = spec.recipe.gradient};
    auto inputs = std::make_shared<const chunk_summary::Inputs>(golden::make_chunk_summary_inputs(of));
    Subject subject;
    std::int64_t parameters = 0;
    for (const std::vector<double>& tensor : inputs->tensors.of) {
        parameters += static_cast<std::int64_t>(tensor.size());
    }
    const auto dout = static_cast<std::int64_t>(inputs->dout.size());
    const std::int64_t out = chunk_summary::element_count(chunk_summary::out_extents(of.problem));
    subject.input_bytes = (parameters + dout) * double_bytes;
    subject.output_bytes = (out + (dout > 0 ? parameters : 0)) * double_bytes;
    subject.call = [inputs, problem = of.problem] {
        (void)chunk_summary::forward(problem, *inputs);
        if (!inputs->dout.empty()) (void)chunk_summary::backward(problem, *inputs);
    };
    return subject;
}

}  // namespace

const std::vector<SubjectInfo>& subjects() {
    static const std::vector<SubjectInfo> all{
        {"reference", "the double-precision reference, blocked like FlashAttention", "", true, true, make_reference},
        {"plain_causal", "the reference with one chunk: plain causal attention", "", true, true, make_plain_causal},
        {"three_call", "the recipe of public code: one call per mode, then a merge", "", false, true, make_three_call},
        {"oracle", "the definition pair by pair, in double", "", true, true, make_oracle},
        {"peer", "an honest flash-style kernel, plain loops on one thread", "", true, true, make_peer},
        {"chunk_summary", "the attention layer of chunk-summary attention, another algorithm", "", true, false,
         make_chunk_summary},
        {"emulated", "this project's kernels, emulated on the processor", "", false, true, make_emulated},
        {"emulated_three_call", "the same, one launch per mode and the merge kernel", "", false, true,
         make_emulated_three_call},
        {"cuda", "this project's kernels on a GPU", gpu::available().reason, false, true, make_cuda},
    };
    return all;
}

const SubjectInfo& find_subject(const std::string& name, Pass pass) {
    std::vector<std::string_view> names;
    for (const SubjectInfo& one : subjects()) {
        names.emplace_back(one.name);
        if (one.name != name) continue;
        if (!one.absent.empty()) throw Unsupported("candidate " + name + ": not available here: " + one.absent);
        if (pass == Pass::backward && !one.backward) throw Unsupported("candidate " + name + " has no backward pass");
        return one;
    }
    throw InvalidProblem("--candidate: there is no candidate '" + golden::printable(name) + "' to measure" +
                         golden::suggestion(name, names) + " (dca measure --help)");
}

}  // namespace dca::measure
