// Elements of the merge kernel: how those of a tag lie in memory, in which type they are summed, and 16 bytes of them
// at once.
#pragma once

#include <cstdint>

#include "gpu/machine/types.hpp"

namespace dca::gpu {

/// Tag: Bf16, F16, float or double.
template <class Tag>
struct Elements {
    using Storage = std::uint16_t;
    using Real = float;
    static constexpr int width = 8;  ///< of them in 16 bytes

    template <class M>
    static DCA_DEVICE Real to_real(Storage bits) {
        return M::template from_element<Tag>(bits);
    }
    template <class M>
    static DCA_DEVICE Storage round(Real x) {
        return M::template to_element<Tag>(x);
    }
    template <class M>
    static DCA_DEVICE void unpack(Real (&x)[width], Vector16 vector) {
        DCA_UNROLL
        for (int i = 0; i < width; ++i)
            x[i] = to_real<M>(static_cast<std::uint16_t>(vector.word[i / 2] >> (16 * (i % 2))));
    }
    template <class M>
    static DCA_DEVICE Vector16 pack(const Real (&x)[width]) {
        Vector16 vector;
        DCA_UNROLL
        for (int i = 0; i < 4; ++i) vector.word[i] = M::template pack<Tag>(x[2 * i], x[2 * i + 1]);
        return vector;
    }
};

/// Elements that are summed in their own type.
template <class T>
struct WideElements {
    using Storage = T;
    using Real = T;
    static constexpr int width = 16 / sizeof(T);

    struct alignas(16) Values {
        T value[width];
    };
    template <class M>
    static DCA_DEVICE Real to_real(Storage x) {
        return x;
    }
    template <class M>
    static DCA_DEVICE Storage round(Real x) {
        return x;
    }
    template <class M>
    static DCA_DEVICE void unpack(Real (&x)[width], Vector16 vector) {
        const Values values = __builtin_bit_cast(Values, vector);
        DCA_UNROLL
        for (int i = 0; i < width; ++i) x[i] = values.value[i];
    }
    template <class M>
    static DCA_DEVICE Vector16 pack(const Real (&x)[width]) {
        Values values;
        DCA_UNROLL
        for (int i = 0; i < width; ++i) values.value[i] = x[i];
        return __builtin_bit_cast(Vector16, values);
    }
};

template <>
struct Elements<float> : WideElements<float> {};
template <>
struct Elements<double> : WideElements<double> {};

}  // namespace dca::gpu
