#include "verify/judge/kernel.hpp"

#include "verify/judge/buffer.hpp"
#include "verify/judge/problem.hpp"

namespace dca::judge {
namespace {

template <class Void, std::size_t Rank>
TensorRef<Void> ref(Buffer& buffer, const std::array<std::int64_t, Rank>& extents) {
    TensorRef<Void> tensor;
    tensor.data = buffer.data();
    tensor.dtype = buffer.dtype();
    tensor.rank = static_cast<int>(Rank);
    std::int64_t stride = 1;
    for (std::size_t axis = Rank; axis-- > 0;) {
        tensor.shape[axis] = extents[axis];
        tensor.stride[axis] = stride;
        stride *= extents[axis];
    }
    return tensor;
}

void require_inside(const char* name, const Buffer& buffer) {
    const std::string damage = buffer.damage();
    if (!damage.empty()) throw Error(std::string("it wrote outside ") + name + ": " + damage);
}

/// An input tensor lent to the kernel.
class Lent {
public:
    Lent(const char* name, Dtype dtype, const Tensor4& values)
        : name_(name), values_(values), buffer_(dtype, values.size()) {
        buffer_.store(values.values());
    }
    [[nodiscard]] InputTensor tensor() { return ref<const void>(buffer_, values_.extents()); }
    /// Throws Error unless it is as it was lent.
    void require_unchanged() const {
        require_inside(name_, buffer_);
        if (!buffer_.holds(values_.values())) throw Error(std::string("it changed its input ") + name_);
    }

private:
    const char* name_;
    const Tensor4& values_;
    Buffer buffer_;
};

/// An output tensor that the kernel writes.
template <int Rank>
class Written {
public:
    Written(const char* name, Dtype dtype, const Extents<Rank>& extents)
        : name_(name), extents_(extents), buffer_(dtype, element_count(extents)) {}
    [[nodiscard]] OutputTensor tensor() { return ref<void>(buffer_, extents_); }
    void require_inside() const { judge::require_inside(name_, buffer_); }
    [[nodiscard]] Tensor<double, Rank> result() const {
        Tensor<double, Rank> values(extents_);
        buffer_.load(values.values());
        return values;
    }

private:
    const char* name_;
    Extents<Rank> extents_;
    Buffer buffer_;
};

}  // namespace

verify::Support Kernel::supports(const dca::Problem& problem) const {
    Support support = candidate_.supports(to_public(problem));
    return {support.yes, std::move(support.reason)};
}

golden::Results Kernel::run(const dca::Problem& problem, const dca::Inputs& inputs) {
    const Problem asked = to_public(problem);
    const Support support = candidate_.supports(asked);

    Lent q("q", asked.dtype, inputs.q), k("k", asked.dtype, inputs.k), v("v", asked.dtype, inputs.v);
    std::optional<Lent> dout;
    if (inputs.dout) dout.emplace("dout", asked.dtype, *inputs.dout);

    const Dtype lse_default = asked.accumulator == Dtype::f64 ? Dtype::f64 : Dtype::f32;
    const Dtype gradient_dtype = support.gradient_dtype.value_or(asked.output_dtype);
    Written<4> out("out", support.out_dtype.value_or(asked.output_dtype), out_extents(problem.shape));
    std::optional<Written<3>> lse;
    if (support.lse) lse.emplace("lse", support.lse_dtype.value_or(lse_default), lse_extents(problem.shape));
    std::optional<Written<4>> dq, dk, dv;
    if (inputs.dout && support.gradients) {
        dq.emplace("dq", gradient_dtype, q_extents(problem.shape));
        dk.emplace("dk", gradient_dtype, k_extents(problem.shape));
        dv.emplace("dv", gradient_dtype, v_extents(problem.shape));
    }

    const auto lent = [](std::optional<Lent>& tensor) { return tensor ? tensor->tensor() : InputTensor{}; };
    const auto written = [](auto& tensor) { return tensor ? tensor->tensor() : OutputTensor{}; };
    candidate_.run(asked, {q.tensor(), k.tensor(), v.tensor(), lent(dout)},
                   {out.tensor(), written(lse), written(dq), written(dk), written(dv)});

    for (const Lent* input : {&q, &k, &v}) input->require_unchanged();
    if (dout) dout->require_unchanged();
    out.require_inside();
    if (lse) lse->require_inside();
    if (dq) {
        for (const Written<4>* gradient : {&*dq, &*dk, &*dv}) gradient->require_inside();
    }

    golden::Results results;
    results.out = out.result();
    if (lse) results.lse = lse->result();
    if (dq) {
        results.dq = dq->result();
        results.dk = dk->result();
        results.dv = dv->result();
    }
    return results;
}

}  // namespace dca::judge
