// A run of elements in row-major order as hyperslabs.
#pragma once

#include <hdf5.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace dca::golden::h5 {

struct Box {
    std::vector<hsize_t> start, extent;
    std::int64_t count;  ///< elements
};

/// As many of the `count` elements from flat index `at` on as make one box: whole slabs of the slowest axis of which
/// one begins there and fits. Precondition: count >= 1, and the elements exist.
[[nodiscard]] inline Box next_box(std::span<const std::int64_t> extents, std::int64_t at, std::int64_t count) {
    std::int64_t slab = 1;  // elements of one index of the axis
    for (const std::int64_t extent : extents) slab *= extent;
    std::size_t axis = 0;
    for (;; ++axis) {
        slab /= extents[axis];
        if (at % slab == 0 && count >= slab) break;
    }
    Box box{std::vector<hsize_t>(extents.size(), 0), std::vector<hsize_t>(extents.begin(), extents.end()), 0};
    std::int64_t rest = at / slab;
    for (std::size_t a = axis + 1; a-- > 0;) {
        box.start[a] = static_cast<hsize_t>(rest % extents[a]);
        rest /= extents[a];
        box.extent[a] = 1;
    }
    box.extent[axis] =
        std::min(static_cast<hsize_t>(count / slab), static_cast<hsize_t>(extents[axis]) - box.start[axis]);
    box.count = static_cast<std::int64_t>(box.extent[axis]) * slab;
    return box;
}

}  // namespace dca::golden::h5
