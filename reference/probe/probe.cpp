// The passes over a probe: far keys of every chunk, then the rows chunk by chunk, then the keys chunk by chunk. Every
// element has one writer, and sums over chunks have a fixed order.
#include "reference/probe/probe.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <mutex>
#include <string>

#include "reference/math/parallel.hpp"
#include "reference/noise/tie_noise.hpp"
#include "reference/probe/key_chunk.hpp"
#include "reference/probe/key_noise.hpp"
#include "reference/probe/query_noise.hpp"
#include "reference/refusals.hpp"
#include "reference/spec/error.hpp"

namespace dca::reference::probe {
namespace {

/// Matrices of d x d doubles are kept for every chunk; beyond this many bytes the chunks are too small for a probe.
constexpr double largest_sums = 8e9;

void require_constant_factors(const Problem& problem, const Sequence& sequence) {
    const TemperatureLaw law(problem, sequence);
    if (law.off()) return;
    const std::int64_t first = std::max<std::int64_t>(0, sequence.offset),
                       end = sequence.offset + sequence.query_count();
    bool constant = true;
    for (std::int64_t i = first + 1; i < end && constant; ++i)
        constant = law.query(QueryIndex(i)) == law.query(QueryIndex(first));
    for (std::int64_t j = 1; j < sequence.key_count() && constant; ++j)
        constant = law.key(KeyIndex(j)) == law.key(KeyIndex(0));
    if (constant) return;
    throw Unsupported(
        "a probe needs logits that depend on rotary positions alone, but here the length factor of dialect " +
        problem.dialect +
        " differs between the rows or keys of a sequence; leave its reference length out "
        "(dialect_original_max_position_embeddings, dialect_max_position_embeddings)");
}

void require_inputs(const Problem& problem, const ProbeInputs& inputs, const Wanted& wanted) {
    const Shape& s = problem.shape;
    const bool fits = inputs.q.extents() == Extents<2>{s.heads_q, s.head_dim} &&
                      inputs.k.extents() == Extents<2>{s.heads_kv, s.head_dim} && inputs.v.extents() == v_extents(s) &&
                      (!inputs.dout || inputs.dout->extents() == out_extents(s));
    expects(fits, "probe: inputs of another problem");
    expects(!wanted.gradients() || inputs.dout.has_value(), "probe: inputs.dout is needed");
}

ProbeResults empty_results(const Shape& s, const Wanted& wanted) {
    ProbeResults results;
    const auto make = [&](bool asked, auto& tensor, auto& sigma, const auto& extents) {
        if (!asked) return;
        tensor.emplace(extents);
        if (wanted.scales) sigma.emplace(extents);
    };
    // The pages of large tensors are first touched here, which one thread alone would take long for.
    parallel_for(5, 5.0 * static_cast<double>(element_count(out_extents(s))), [&](std::int64_t n) {
        if (n == 0) make(wanted.out, results.out, results.sigma_out, out_extents(s));
        if (n == 1) make(wanted.dq, results.dq, results.sigma_dq, q_extents(s));
        if (n == 2) make(wanted.dk, results.dk, results.sigma_dk, k_extents(s));
        if (n == 3) make(wanted.dv, results.dv, results.sigma_dv, v_extents(s));
        if (n == 4) make(wanted.lse, results.lse, results.sigma_lse, lse_extents(s));
    });
    if (results.lse) std::ranges::fill(results.lse->values(), -std::numeric_limits<double>::infinity());
    return results;
}

/// Tells how many of the items 0, 1, ... are done when they end in any order; `tell` is called by one thread at a time.
class DonePrefix {
public:
    DonePrefix(std::int64_t count, std::function<void(std::int64_t)> tell)
        : done_(static_cast<std::size_t>(count)), tell_(std::move(tell)) {}
    void add(std::int64_t item) {
        const std::lock_guard lock(mutex_);
        done_[static_cast<std::size_t>(item)] = 1;
        if (item != count_) return;
        while (count_ < static_cast<std::int64_t>(done_.size()) && done_[static_cast<std::size_t>(count_)] != 0)
            ++count_;
        tell_(count_);
    }

private:
    std::mutex mutex_;
    std::vector<char> done_;
    std::int64_t count_ = 0;
    std::function<void(std::int64_t)> tell_;
};

/// The error model of one query head.
struct HeadNoise {
    HeadNoise(const Head& head, const noise::Call& call, const Wanted& wanted, bool backward)
        : noise(head, call), far_keys(noise, backward) {
        const SequenceContext& c = head.context;
        if (wanted.out) noise.v_concentration = concentration(head.values_at(0, static_cast<int>(c.key_count)));
        if (!wanted.dv) return;
        const Sequence& s = c.sequence;
        const std::int64_t first_row_index = s.offset;
        noise.dout_concentration = concentration(head.dout(first_row_index, static_cast<int>(s.query_count())));
    }
    NoiseHead noise;
    FarKeyNoise far_keys;
    std::unique_ptr<FarRowNoise> far_rows;
};

/// One kv head of one sequence.
class Group {
public:
    Group(const SequenceContext& context, const ProbeInputs& inputs, const Wanted& wanted, std::int64_t kv_head,
          const TieFlip* flip, const Watch* watch, ProbeResults& results)
        : context_(context),
          inputs_(inputs),
          wanted_(wanted),
          kv_head_(kv_head),
          flip_(flip),
          watch_(kv_head + 1 == context.problem.shape.heads_kv ? watch : nullptr),
          results_(results),
          call_(context, none_, all_, family_profile(context.problem)),
          backward_(wanted.dq || (wanted.scales && wanted.dk)) {}

    void run() {
        const std::int64_t first = kv_head_ * context_.group;
        for (std::int64_t head = first; head < first + context_.group; ++head) {
            if (!run_head(head)) return;
        }
        if (!wanted_.dk && !wanted_.dv) return;
        std::vector<FinishedHead> finished;
        std::vector<KeyNoise::OfHead> noise;
        for (std::size_t n = 0; n < heads_.size(); ++n) {
            finished.push_back({heads_[n].get(), far_rows_[n].get(), plain_far_rows_[n].get()});
            if (wanted_.scales) noise.push_back({&noise_[n]->noise, &noise_[n]->far_keys, noise_[n]->far_rows.get()});
        }
        std::vector<double> largest(static_cast<std::size_t>(heads_.front()->geometry.key_chunks()));
        const Geometry& g = heads_.front()->geometry;
        DonePrefix done(g.key_chunks(), [&](std::int64_t chunks) {
            const std::int64_t keys = std::min(chunks * g.chunk_len, context_.key_count);
            if (watch_ != nullptr) watch_->keys(results_, context_.sequence.batch, context_.sequence.key_begin + keys);
        });
        parallel_for(g.key_chunks(), context_.head_work(), [&](std::int64_t chunk) {
            std::optional<KeyNoise> of_chunk;
            if (wanted_.scales) of_chunk.emplace(noise, chunk, wanted_.dk, wanted_.dv);
            KeyChunk keys(finished, chunk, of_chunk ? &*of_chunk : nullptr);
            keys.run(results_);
            largest[static_cast<std::size_t>(chunk)] = keys.largest_key_sum();
            done.add(chunk);
        });
        for (const double sum : largest) results_.largest_key_sum = std::max(results_.largest_key_sum, sum);
    }

private:
    /// False where no row of the sequence sees a key.
    bool run_head(std::int64_t query_head) {
        heads_.push_back(std::make_unique<Head>(context_, inputs_, query_head, flip_));
        Head& head = *heads_.back();
        if (head.geometry.empty()) return false;
        head.far.sum(head, backward_);
        HeadNoise* noise = nullptr;
        if (wanted_.scales) {
            noise_.push_back(std::make_unique<HeadNoise>(head, call_, wanted_, backward_));
            noise = noise_.back().get();
        }
        const std::vector<Block> blocks = head.geometry.blocks();
        const std::int64_t first = head.geometry.first_chunk(), chunks = head.geometry.last_chunk() - first + 1;
        const bool last = query_head + 1 == (kv_head_ + 1) * context_.group;
        DonePrefix done(chunks, [&](std::int64_t count) {
            const std::int64_t end = std::min((first + count) * head.geometry.chunk_len, head.geometry.end_index);
            if (watch_ != nullptr && last) watch_->queries(results_, context_.sequence.batch, head.row(end));
        });
        parallel_for(chunks, context_.head_work(), [&](std::int64_t n) {
            for (const Block& block : blocks) {
                QueryBlock rows(head, first + n, block);
                if (rows.present.begin >= rows.present.end) continue;
                rows.forward(results_);
                std::optional<QueryNoise> of_rows;
                if (noise != nullptr) {
                    of_rows.emplace(noise->noise, noise->far_keys, rows);
                    of_rows->finish_forward(results_);
                }
                if (backward_) rows.backward(results_, of_rows ? &*of_rows : nullptr);
            }
            done.add(n);
        });
        head.far.release();
        if (!wanted_.dk && !wanted_.dv) return true;
        far_rows_.push_back(std::make_unique<FarRows>(head, GradientOf::dialect));
        plain_far_rows_.emplace_back();
        if (noise != nullptr && head.own_gradient()) {
            plain_far_rows_.back() = std::make_unique<FarRows>(head, GradientOf::plain_softmax);
        }
        if (noise == nullptr) return true;
        noise->far_keys.release();
        noise->far_rows = std::make_unique<FarRowNoise>(noise->noise, noise->far_keys, wanted_.dk);
        return true;
    }

    const SequenceContext& context_;
    const ProbeInputs& inputs_;
    const Wanted& wanted_;
    std::int64_t kv_head_;
    const TieFlip* flip_;
    const Watch* watch_;  ///< of the last head: only then rows are final
    ProbeResults& results_;
    const Outputs none_;
    const AttendedKeys all_;
    const noise::Call call_;
    bool backward_;
    std::vector<std::unique_ptr<Head>> heads_;
    std::vector<std::unique_ptr<FarRows>> far_rows_, plain_far_rows_;
    std::vector<std::unique_ptr<HeadNoise>> noise_;
};

}  // namespace

void require_probe(const Problem& problem, bool gradients) {
    validate(problem);
    require_reproducible(problem, gradients);
    require_dense(problem);
    if (problem.work != WorkTypes{}) {
        throw Unsupported("the error scales of a probe know no p_dtype, accumulator or output_dtype; leave them out");
    }
    for (const Sequence& sequence : sequences(problem)) {
        require_constant_factors(problem, sequence);
        const double chunks =
            static_cast<double>(sequence.key_count()) / static_cast<double>(problem.chunk.chunk_len());
        const double size = static_cast<double>(std::max(problem.shape.head_dim, problem.shape.head_dim_v));
        if (gradients && chunks * size * size * 8 > largest_sums) {
            throw Unsupported("a probe with gradients keeps matrices of head_dim x head_dim for every chunk; " +
                              std::to_string(static_cast<std::int64_t>(chunks)) +
                              " chunks are too many, make chunk_size - local_size larger or set gradient=0");
        }
    }
}

namespace {

void run(const Problem& problem, const ProbeInputs& inputs, const Wanted& wanted, const TieFlip* flip,
         const Watch* watch, ProbeResults& results) {
    results = empty_results(problem.shape, wanted);
    Inputs none;  // the context's rows of q, k and v are those of the probe
    if (wanted.gradients()) none.dout.emplace();
    for (const Sequence& sequence : sequences(problem)) {
        const SequenceContext context(problem, none, sequence);
        for (std::int64_t kv_head = 0; kv_head < problem.shape.heads_kv; ++kv_head) {
            Group(context, inputs, wanted, kv_head, flip, watch, results).run();
        }
    }
}

void widen(const std::optional<Tensor4>& before, const std::optional<Tensor4>& after,
           std::optional<Tensor<float, 4>>& sigma) {
    if (!sigma) return;
    const auto dim = static_cast<std::size_t>(before->extent(3));
    for (std::size_t row = 0; row < before->values().size(); row += dim) {
        widen_by_change(before->values().subspan(row, dim), after->values().subspan(row, dim),
                        sigma->values().subspan(row, dim));
    }
}

/// As add_tie_noise: everything again with the near ties of each mode gone the other way.
void add_flips(const Problem& problem, const ProbeInputs& inputs, Wanted wanted, ProbeResults& results) {
    wanted.lse = wanted.scales = false;
    for (const Mode mode : all_modes) {
        const TieFlip flip{mode, *results.sigma_lse};
        ProbeResults other;
        run(problem, inputs, wanted, &flip, nullptr, other);
        widen(results.out, other.out, results.sigma_out);
        widen(results.dq, other.dq, results.sigma_dq);
        widen(results.dk, other.dk, results.sigma_dk);
        widen(results.dv, other.dv, results.sigma_dv);
    }
}

}  // namespace

namespace {

void compute(const Problem& problem, const ProbeInputs& inputs, const Wanted& wanted, const Watch* watch,
             ProbeResults& results) {
    require_probe(problem, wanted.gradients());
    require_inputs(problem, inputs, wanted);
    const bool flips = wanted.scales && has_tie_noise(problem);
    Wanted first = wanted;
    first.lse = wanted.lse || flips;
    run(problem, inputs, first, nullptr, flips ? nullptr : watch, results);
    if (flips) add_flips(problem, inputs, wanted, results);
    if (!wanted.lse) {
        results.lse.reset();
        results.sigma_lse.reset();
    }
}

}  // namespace

ProbeResults probe(const Problem& problem, const ProbeInputs& inputs, const Wanted& wanted) {
    ProbeResults results;
    compute(problem, inputs, wanted, nullptr, results);
    return results;
}

void probe(const Problem& problem, const ProbeInputs& inputs, const Wanted& wanted, const Watch& watch,
           ProbeResults& results) {
    compute(problem, inputs, wanted, &watch, results);
    watch.queries(results, problem.shape.batch - 1, problem.shape.seq_q);
    watch.keys(results, problem.shape.batch - 1, problem.shape.seq_k);
}

}  // namespace dca::reference::probe
