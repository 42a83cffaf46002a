// gpu/api/launch.hpp on a GPU: tensors of doubles to the device in the problem's dtype, kernels, results back. Not for
// speed; the gate's candidate `cuda`.
#include <algorithm>
#include <cstring>
#include <vector>

#include "gpu/api/launch.hpp"
#include "gpu/cuda/device_plan.cuh"
#include "gpu/host/guarded_output.hpp"

namespace dca::gpu {
namespace {

using cuda::check;
using cuda::DeviceBuffer;
using host::GuardedOutput;

/// How the elements of a dtype travel: Bits are those of an element, RealBits those of lse.
struct SixteenBits {
    using Element = std::uint16_t;
    using Real = float;
    using Bits = std::uint16_t;
    using RealBits = std::uint32_t;
    Dtype dtype;
    [[nodiscard]] Element to_element(double x) const { return encode(dtype, x); }
    [[nodiscard]] double to_double(Element bits) const { return decode(dtype, bits); }
};
struct Doubles {
    using Element = double;
    using Real = double;
    using Bits = std::uint64_t;
    using RealBits = std::uint64_t;
    [[nodiscard]] Element to_element(double x) const { return x; }
    [[nodiscard]] double to_double(Element x) const { return x; }
};

template <class Format>
DeviceBuffer<typename Format::Element> upload(const Format& format, std::span<const double> values) {
    std::vector<typename Format::Element> elements(values.size());
    std::transform(values.begin(), values.end(), elements.begin(), [&](double x) { return format.to_element(x); });
    return DeviceBuffer<typename Format::Element>(std::span<const typename Format::Element>(elements));
}

/// An output on the device, poisoned, and what the kernel made of it.
template <class T, class Bits>
class DeviceOutput {
public:
    explicit DeviceOutput(std::int64_t size) : host_(size), device_(host_.whole()) {
        static_assert(sizeof(T) == sizeof(Bits));
    }
    [[nodiscard]] T* data() const { return reinterpret_cast<T*>(device_.data() + GuardedOutput<Bits>::guard); }
    /// Throws Error where the kernel left elements unwritten or wrote beside them.
    template <class Convert>
    void fetch(const char* name, std::span<double> to, Convert convert) {
        device_.copy_to(host_.whole());
        if (const std::string fault = host_.inspect(name); !fault.empty()) throw Error("the kernel is wrong: " + fault);
        const std::span<const Bits> values = host_.values();
        for (std::size_t i = 0; i < values.size(); ++i) {
            T value;
            std::memcpy(&value, &values[i], sizeof(T));
            to[i] = convert(value);
        }
    }

private:
    GuardedOutput<Bits> host_;
    DeviceBuffer<Bits> device_;
};

template <class Format>
Outputs run(const Format& format, const Problem& problem, const Inputs& inputs) {
    using Element = typename Format::Element;
    using Real = typename Format::Real;
    const cuda::DevicePlan plan(problem);
    const auto q = upload(format, inputs.q.values()), k = upload(format, inputs.k.values()),
               v = upload(format, inputs.v.values());
    Outputs outputs{Tensor4(out_extents(problem.shape)), Tensor3(lse_extents(problem.shape))};
    DeviceOutput<Element, typename Format::Bits> out(outputs.out.size());
    DeviceOutput<Real, typename Format::RealBits> lse(outputs.lse.size());
    const DeviceBuffer<unsigned char> workspace(static_cast<std::int64_t>(plan.workspace_bytes()));

    host::Call<Element, Real> call;
    host::set_dense(call, problem.shape);
    call.q = q.data();
    call.k = k.data();
    call.v = v.data();
    call.out = out.data();
    call.lse = lse.data();
    plan.attach(call, workspace.data());
    plan.rotate(call, nullptr);
    plan.forward(call, mode_all, nullptr);
    check(cudaDeviceSynchronize(), "running the kernels");

    out.fetch("out", outputs.out.values(), [&](Element x) { return format.to_double(x); });
    lse.fetch("lse", outputs.lse.values(), [](Real x) { return static_cast<double>(x); });
    return outputs;
}

}  // namespace

Support available() {
    return cuda::device_supports(Dtype::bf16);
}

Support supports(const Problem& problem) {
    if (Support support = host::supports(problem); !support.ok()) return support;
    return cuda::device_supports(problem.dtype);
}

Outputs forward(const Problem& problem, const Inputs& inputs) {
    validate(problem, inputs);
    if (const Support support = supports(problem); !support.ok()) throw Unsupported(support.reason);
    return problem.dtype == Dtype::f64 ? run(Doubles{}, problem, inputs)
                                       : run(SixteenBits{problem.dtype}, problem, inputs);
}

}  // namespace dca::gpu
