#include "verify/judge/kernel.hpp"

#include <algorithm>

#include "verify/candidate/poisoned_buffer.hpp"
#include "verify/judge/lent_buffer.hpp"
#include "verify/judge/problem.hpp"

namespace dca::judge {
namespace {

using verify::BufferFault;
using verify::ElementType;

ElementType stored_as(Dtype dtype) {
    switch (dtype) {
        case Dtype::f64: return ElementType::f64;
        case Dtype::f32:
        case Dtype::tf32: return ElementType::f32;
        case Dtype::f16: return ElementType::f16;
        case Dtype::bf16: return ElementType::bf16;
        case Dtype::e4m3: return ElementType::e4m3;
        case Dtype::e5m2: return ElementType::e5m2;
    }
    throw ContractError("unknown dtype");
}

template <class Void, std::size_t Rank>
TensorRef<Void> ref(Void* data, Dtype dtype, const std::array<std::int64_t, Rank>& extents) {
    TensorRef<Void> tensor;
    tensor.data = data;
    tensor.dtype = dtype;
    tensor.rank = static_cast<int>(Rank);
    std::int64_t stride = 1;
    for (std::size_t axis = Rank; axis-- > 0;) {
        tensor.shape[axis] = extents[axis];
        tensor.stride[axis] = stride;
        stride *= extents[axis];
    }
    return tensor;
}

/// An input tensor lent to the kernel; none where there is no tensor.
class Lent {
public:
    Lent(const char* name, Dtype dtype, const Tensor4* values) {
        if (values == nullptr) return;
        buffer_.emplace(name, dtype, values->values());
        tensor_ = ref(buffer_->data(), dtype, values->extents());
    }
    [[nodiscard]] InputTensor tensor() const { return tensor_; }
    /// Throws BufferFault unless it is as it was lent.
    void take_back() const {
        const std::string fault = buffer_ ? buffer_->inspect() : std::string();
        if (!fault.empty()) throw BufferFault(fault);
    }

private:
    std::optional<LentBuffer> buffer_;
    InputTensor tensor_;
};

/// An output tensor that the kernel writes; none where it is not wanted.
template <int Rank>
class Written {
public:
    Written(const char* name, Dtype dtype, const Extents<Rank>& extents, bool wanted) : extents_(extents) {
        if (!wanted) return;
        const std::vector<std::int64_t> shape(extents.begin(), extents.end());
        buffer_.emplace(name, stored_as(dtype), shape);
        tensor_ = ref(buffer_->data(), dtype, extents);
    }
    [[nodiscard]] OutputTensor tensor() const { return tensor_; }
    /// Throws BufferFault where something is not written, or something else is.
    [[nodiscard]] std::optional<Tensor<double, Rank>> result() const {
        if (!buffer_) return std::nullopt;
        const std::vector<double> values = buffer_->values();
        Tensor<double, Rank> tensor(extents_);
        std::copy(values.begin(), values.end(), tensor.values().begin());
        return tensor;
    }

private:
    Extents<Rank> extents_;
    std::optional<verify::PoisonedBuffer> buffer_;
    OutputTensor tensor_;
};

}  // namespace

verify::Support Kernel::supports(const dca::Problem& problem) const {
    Support support = candidate_.supports(to_public(problem));
    return {support.yes, std::move(support.reason)};
}

golden::Results Kernel::run(const dca::Problem& problem, const dca::Inputs& inputs) {
    const Problem asked = to_public(problem);
    const Support support = candidate_.supports(asked);
    const Lent q("q", asked.dtype, &inputs.q), k("k", asked.dtype, &inputs.k), v("v", asked.dtype, &inputs.v),
        dout("dout", asked.dtype, inputs.dout ? &*inputs.dout : nullptr);

    const Dtype out_dtype = support.out_dtype.value_or(asked.output_dtype);
    const Dtype lse_dtype = support.lse_dtype.value_or(asked.accumulator == Dtype::f64 ? Dtype::f64 : Dtype::f32);
    const Dtype gradient_dtype = support.gradient_dtype.value_or(asked.output_dtype);
    const bool gradients = inputs.dout && support.gradients;
    const Shape& shape = problem.shape;
    const Written<4> out("out", out_dtype, out_extents(shape), true);
    const Written<3> lse("lse", lse_dtype, lse_extents(shape), support.lse);
    const Written<4> dq("dq", gradient_dtype, q_extents(shape), gradients),
        dk("dk", gradient_dtype, k_extents(shape), gradients), dv("dv", gradient_dtype, v_extents(shape), gradients);

    candidate_.run(asked, {q.tensor(), k.tensor(), v.tensor(), dout.tensor()},
                   {out.tensor(), lse.tensor(), dq.tensor(), dk.tensor(), dv.tensor()});

    for (const Lent* input : {&q, &k, &v, &dout}) input->take_back();
    return {out.result(), lse.result(), dq.result(), dk.result(), dv.result()};
}

}  // namespace dca::judge
