// Elements of the merge kernel: 16 bytes of them as the numbers they are summed in, and back.
#pragma once

#include <cstdint>

#include "gpu/tile/number_format.hpp"

namespace dca::gpu {

/// Partial results that were left in float.
struct F32 {};
template <>
struct NumberFormat<F32> {
    using Storage = float;
    using Real = float;
};

/// Elements per 16 bytes.
template <class Element>
inline constexpr int vector_width = 16 / static_cast<int>(sizeof(Storage<Element>));

/// 16 bytes of elements that are their own Real.
template <class Element>
struct alignas(16) WideVector {
    Real<Element> value[vector_width<Element>];
};

template <class M, class Element>
DCA_DEVICE void unpack(Real<Element> (&x)[vector_width<Element>], Vector16 vector) {
    if constexpr (sizeof(Storage<Element>) == 2) {
        DCA_UNROLL
        for (int i = 0; i < 4; ++i) {
            x[2 * i] = low<M, Element>(vector.word[i]);
            x[2 * i + 1] = high<M, Element>(vector.word[i]);
        }
    } else {
        const auto values = __builtin_bit_cast(WideVector<Element>, vector);
        DCA_UNROLL
        for (int i = 0; i < vector_width<Element>; ++i) x[i] = values.value[i];
    }
}

/// Each rounded to nearest even.
template <class M, class Element>
DCA_DEVICE Vector16 pack(const Real<Element> (&x)[vector_width<Element>]) {
    if constexpr (sizeof(Storage<Element>) == 2) {
        Vector16 vector;
        DCA_UNROLL
        for (int i = 0; i < 4; ++i) vector.word[i] = M::template pack<Element>(x[2 * i], x[2 * i + 1]);
        return vector;
    } else {
        WideVector<Element> values;
        DCA_UNROLL
        for (int i = 0; i < vector_width<Element>; ++i) values.value[i] = x[i];
        return __builtin_bit_cast(Vector16, values);
    }
}

}  // namespace dca::gpu
