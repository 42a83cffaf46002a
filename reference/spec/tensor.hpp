// Tensors: an owning row-major array and a non-owning strided view. No arithmetic.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "reference/spec/error.hpp"

namespace dca {

template <int Rank>
using Extents = std::array<std::int64_t, Rank>;

/// Number of elements of a shape. Precondition: the product fits (validate(Problem) and the file loader check it).
template <std::size_t Rank>
[[nodiscard]] constexpr std::int64_t element_count(const std::array<std::int64_t, Rank>& extents) {
    std::int64_t count = 1;
    for (std::int64_t extent : extents) count *= extent;
    return count;
}

/// A view of Rank-dimensional data with element strides; the data outlives the view.
template <class T, int Rank>
class TensorView {
public:
    TensorView(T* data, Extents<Rank> extents, Extents<Rank> strides)
        : data_(data), extents_(extents), strides_(strides) {}

    /// A row-major view, last axis contiguous.
    TensorView(T* data, Extents<Rank> extents) : data_(data), extents_(extents) {
        std::int64_t stride = 1;
        for (int axis = Rank - 1; axis >= 0; --axis) {
            strides_[axis] = stride;
            stride *= extents_[axis];
        }
    }

    template <class... I>
    requires(sizeof...(I) == Rank) [[nodiscard]] T& operator()(I... index) const {
        const Extents<Rank> at{static_cast<std::int64_t>(index)...};
        std::int64_t offset = 0;
        for (int axis = 0; axis < Rank; ++axis) {
#ifndef NDEBUG
            expects(at[axis] >= 0 && at[axis] < extents_[axis], "tensor index out of range");
#endif
            offset += at[axis] * strides_[axis];
        }
        return data_[offset];
    }

    [[nodiscard]] T* data() const {
        return data_;
    }
    [[nodiscard]] const Extents<Rank>& extents() const {
        return extents_;
    }
    [[nodiscard]] std::int64_t extent(int axis) const {
        return extents_[axis];
    }
    [[nodiscard]] std::int64_t stride(int axis) const {
        return strides_[axis];
    }

private:
    T* data_;
    Extents<Rank> extents_;
    Extents<Rank> strides_{};
};

/// A row-major array of Rank dimensions that owns its elements; value-initialised.
template <class T, int Rank>
class Tensor {
public:
    Tensor() = default;
    explicit Tensor(Extents<Rank> extents)
        : extents_(extents), values_(static_cast<std::size_t>(element_count(extents))) {}

    [[nodiscard]] TensorView<T, Rank> view() { return {values_.data(), extents_}; }
    [[nodiscard]] TensorView<const T, Rank> view() const { return {values_.data(), extents_}; }

    template <class... I>
    [[nodiscard]] T& operator()(I... index) {
        return view()(index...);
    }
    template <class... I>
    [[nodiscard]] const T& operator()(I... index) const {
        return view()(index...);
    }

    [[nodiscard]] const Extents<Rank>& extents() const { return extents_; }
    [[nodiscard]] std::int64_t extent(int axis) const { return extents_[axis]; }
    [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(values_.size()); }
    [[nodiscard]] std::span<T> values() { return values_; }
    [[nodiscard]] std::span<const T> values() const { return values_; }
    friend bool operator==(const Tensor&, const Tensor&) = default;

private:
    Extents<Rank> extents_{};
    std::vector<T> values_;
};

}  // namespace dca
