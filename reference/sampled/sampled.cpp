// Three passes over the keys of every batch entry: the softmax of the sampled rows; gradients, and sigma of what
// belongs to rows; sigma of dk and dv, which inherits from that. K and V are made again for each.
#include "reference/sampled/sampled.hpp"

#include <algorithm>
#include <string>

#include "reference/math/parallel.hpp"
#include "reference/refusals.hpp"
#include "reference/sampled/gradients.hpp"
#include "reference/sampled/noise.hpp"
#include "reference/sampled/radius.hpp"
#include "reference/sampled/softmax.hpp"

namespace dca::reference::sampled {
namespace {

std::size_t size(std::int64_t n) {
    return static_cast<std::size_t>(n);
}

void check(const Problem& problem, std::span<const std::int64_t> rows) {
    validate(problem);
    if (problem.dialect != "exact") {
        throw Unsupported("sampled rows are computed for the dialect exact, not for " + problem.dialect);
    }
    if (problem.packed()) throw Unsupported("sampled rows of packed sequences are not computed");
    if (problem.sparse_prefill()) throw Unsupported("sampled rows of a sparse prefill are not computed");
    require_reproducible(problem);
    const bool ordered = std::adjacent_find(rows.begin(), rows.end(), std::greater_equal<>()) == rows.end();
    if (rows.empty() || !ordered || rows.front() < 0 || rows.back() >= problem.shape.seq_q) {
        throw InvalidProblem("sampled rows must be ascending and within seq_q");
    }
}

/// The shape with as many query rows as there are samples, one batch entry.
Shape sample_shape(Shape shape, std::size_t samples) {
    shape.batch = 1;
    shape.seq_q = static_cast<std::int64_t>(samples);
    return shape;
}

Tensor4 gathered(const Source& source, InputKind kind, std::int64_t batch, std::span<const std::int64_t> rows,
                 const Extents<4>& extents) {
    Tensor4 out(extents);
    const std::size_t width = size(extents[2] * extents[3]);
    parallel_for(extents[1], 20.0 * static_cast<double>(out.size()), [&](std::int64_t r) {
        const std::int64_t row = rows[size(r)];
        source.fill(kind, batch, row, row + 1, out.values().subspan(size(r) * width, width));
    });
    return out;
}

/// One batch entry.
class Entry {
public:
    Entry(const Problem& problem, std::span<const std::int64_t> rows, bool gradient, const Source& source,
          const Sequence& sequence, const Memory& memory)
        : problem_(problem),
          source_(source),
          batch_(sequence.batch),
          inputs_(sample_inputs(rows, gradient)),
          context_(problem, inputs_, one_entry(sequence)),
          rows_(context_, rows),
          slices_(
              slices(problem,
                     problem.shape.heads_q * rows_.count() * std::max(problem.shape.head_dim, problem.shape.head_dim_v),
                     memory)),
          outputs_{Tensor4(out_extents(shape())), Tensor3(lse_extents(shape()))} {}

    void run(const KeySink& sink, const Step& step, RowResults& results) {
        const bool gradient = inputs_.dout.has_value();
        measure_concentrations(step);
        Softmax softmax(context_, rows_);
        Norms norms;
        pass("softmax", step, [&](const Slice& slice) {
            softmax.add(slice);
            norms.add(inputs_.k, inputs_.v);
            k_->add(inputs_.k.values());
            v_->add(inputs_.v.values());
        });
        softmax.finish(outputs_);
        concentrations_.k = k_->of_heads();
        concentrations_.v = v_->of_heads();

        const noise::Call call(context_, outputs_, nobody_, family_profile(context_.problem));
        QueryNoise query_noise(call, rows_);
        std::optional<Gradients> gradients;
        RowBounds bounds(context_, rows_, norms, softmax.rescales());
        if (gradient) gradients.emplace(context_, rows_, outputs_, bounds);
        std::vector<double> dk, dv;
        pass("gradients and error scales of rows", step, [&](const Slice& slice) {
            query_noise.add(slice);
            if (!gradient) return;
            dk.resize(inputs_.k.values().size());
            dv.resize(inputs_.v.values().size());
            gradients->add(slice, dk, dv);
            sink.gradients(dk, dv);
        });
        ErrorScales scales{Tensor<float, 4>(out_extents(shape())), Tensor<float, 3>(lse_extents(shape())), {}, {}, {}};
        noise::InheritedNoise inherited(shape());
        std::optional<Tensor4> dq;
        if (gradient) {
            scales.dq.emplace(q_extents(shape()));
            gradients->finish(dq.emplace(q_extents(shape())));
        }
        query_noise.finish(concentrations_, scales, inherited);
        if (gradient) {
            pass("error scales of keys", step, [&](const Slice& slice) {
                Tensor<float, 4> dk_scale(inputs_.k.extents()), dv_scale(inputs_.v.extents());
                key_noise(call, rows_, slice, concentrations_, inherited, dk_scale, dv_scale);
                sink.scales(dk_scale.values(), dv_scale.values());
            });
        }
        results.radii = larger(results.radii, bounds.radii(gradient ? gradients->column_bounds() : ColumnBounds{}));
        store(results, scales, dq);
    }

private:
    [[nodiscard]] Shape shape() const { return sample_shape(problem_.shape, size(rows_.count())); }

    [[nodiscard]] Inputs sample_inputs(std::span<const std::int64_t> rows, bool gradient) const {
        const Shape shape = sample_shape(problem_.shape, rows.size());
        Inputs inputs;
        inputs.q = gathered(source_, InputKind::q, batch_, rows, q_extents(shape));
        if (gradient) inputs.dout = gathered(source_, InputKind::dout, batch_, rows, out_extents(shape));
        return inputs;
    }

    /// inputs_ holds one batch entry.
    static Sequence one_entry(Sequence sequence) {
        sequence.batch = 0;
        return sequence;
    }

    /// Every slice in turn, loaded.
    template <class Work>
    void pass(std::string_view what, const Step& step, const Work& work) {
        for (const Slice& slice : slices_) {
            if (step) {
                step(what, static_cast<double>(slice.begin()) / static_cast<double>(problem_.shape.seq_k));
            }
            load(slice, source_, batch_, problem_.shape, inputs_);
            context_.first_stored_key = slice.begin();
            work(slice);
        }
    }

    /// Those of q, of which every row counts, and of dout, which is 0 on all but the samples.
    void measure_concentrations(const Step& step) {
        const Shape& shape = problem_.shape;
        k_.emplace(shape.heads_kv, context_.head_dim);
        v_.emplace(shape.heads_kv, context_.head_dim_v);
        if (!inputs_.dout) return;
        Concentration dout(shape.heads_q, context_.head_dim_v), q(shape.heads_q, context_.head_dim);
        dout.add(inputs_.dout->values());
        concentrations_.dout = dout.of_heads();
        constexpr std::int64_t piece = 512;
        const std::int64_t width = shape.heads_q * shape.head_dim;
        const std::int64_t step_rows = std::max(piece, (std::int64_t{1} << 21) / width / piece * piece);
        std::vector<double> values;
        for (std::int64_t begin = 0; begin < shape.seq_q; begin += step_rows) {
            if (step) step("queries", static_cast<double>(begin) / static_cast<double>(shape.seq_q));
            const std::int64_t rows = std::min(step_rows, shape.seq_q - begin);
            values.resize(size(rows * width));
            parallel_for((rows + piece - 1) / piece, 20.0 * static_cast<double>(values.size()), [&](std::int64_t n) {
                const std::int64_t first = n * piece, count = std::min(piece, rows - first);
                source_.fill(InputKind::q, batch_, begin + first, begin + first + count,
                             std::span(values).subspan(size(first * width), size(count * width)));
            });
            q.add(values);
        }
        concentrations_.q = q.of_heads();
    }

    template <class T, int Rank>
    void copy(const Tensor<T, Rank>& from, Tensor<T, Rank>& to) const {
        std::copy(from.values().begin(), from.values().end(),
                  to.values().begin() + static_cast<std::ptrdiff_t>(batch_ * from.size()));
    }

    void store(RowResults& results, const ErrorScales& scales, const std::optional<Tensor4>& dq) const {
        copy(outputs_.out, results.outputs.out);
        copy(outputs_.lse, results.outputs.lse);
        copy(scales.out, results.scales.out);
        copy(scales.lse, results.scales.lse);
        if (!dq) return;
        copy(*dq, *results.dq);
        copy(*scales.dq, *results.scales.dq);
    }

    const Problem& problem_;
    const Source& source_;
    std::int64_t batch_;
    Inputs inputs_;  ///< q and dout of the samples, k and v of the slice
    SequenceContext context_;
    Rows rows_;
    std::vector<Slice> slices_;
    Outputs outputs_;
    std::optional<Concentration> k_, v_;
    Concentrations concentrations_;
    const AttendedKeys nobody_;
};

}  // namespace

RowResults compute(const Problem& problem, std::span<const std::int64_t> rows, bool gradient, const Source& source,
                   const KeySink& sink, const Step& step, const Memory& memory) {
    check(problem, rows);
    Shape shape = sample_shape(problem.shape, rows.size());
    shape.batch = problem.shape.batch;
    RowResults results{
        Outputs{Tensor4(out_extents(shape)), Tensor3(lse_extents(shape))},
        std::nullopt,
        ErrorScales{Tensor<float, 4>(out_extents(shape)), Tensor<float, 3>(lse_extents(shape)), {}, {}, {}},
        {}};
    if (gradient) {
        results.dq.emplace(q_extents(shape));
        results.scales.dq.emplace(q_extents(shape));
    }
    for (const Sequence& sequence : sequences(problem)) {
        Entry(problem, rows, gradient, source, sequence, memory).run(sink, step, results);
    }
    return results;
}

}  // namespace dca::reference::sampled
