// How the elements of a kernel are stored and what it computes in: Bf16 and F16 in float, F64 in double.
#pragma once

#include <cstdint>

#include "gpu/machine/types.hpp"

namespace dca::gpu {

struct F64 {};

template <class Element>
struct NumberFormat {
    using Storage = std::uint16_t;
    using Real = float;
};
template <>
struct NumberFormat<F64> {
    using Storage = double;
    using Real = double;
};

template <class Element>
using Storage = typename NumberFormat<Element>::Storage;
template <class Element>
using Real = typename NumberFormat<Element>::Real;

template <class M, class Element>
DCA_DEVICE Real<Element> widen(Storage<Element> x) {
    if constexpr (sizeof(x) == 2) {
        return M::template from_element<Element>(x);
    } else {
        return x;
    }
}

/// Rounded to nearest even.
template <class M, class Element>
DCA_DEVICE Storage<Element> narrow(Real<Element> x) {
    if constexpr (sizeof(Storage<Element>) == 2) {
        return M::template to_element<Element>(x);
    } else {
        return x;
    }
}

/// The two 16-bit elements of a word.
template <class M, class Element>
DCA_DEVICE float low(std::uint32_t word) {
    return M::template from_element<Element>(static_cast<std::uint16_t>(word));
}
template <class M, class Element>
DCA_DEVICE float high(std::uint32_t word) {
    return M::template from_element<Element>(static_cast<std::uint16_t>(word >> 16));
}

/// Whether every row of a tensor begins at a multiple of 16 bytes.
template <class T>
DCA_DEVICE bool whole_vectors(Global<T> tensor, std::int64_t batch, std::int64_t row, std::int64_t head) {
    constexpr std::int64_t n = 16 / sizeof(T);
    return (reinterpret_cast<std::uintptr_t>(tensor.data) % 16 == 0) & (((batch | row | head) & (n - 1)) == 0);
}

}  // namespace dca::gpu
