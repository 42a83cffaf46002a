// The header of a dataset in an untrusted file: what its elements are and whether the file can really hold them.
#pragma once

#include <cstdint>
#include <vector>

#include "golden/h5_dataset.hpp"

namespace dca::golden::h5 {

struct Header {
    ElementType type;
    std::vector<std::int64_t> extents;
    std::int64_t count = 0;
    bool chunked = false;
};

/// Throws FormatError (without the dataset's name) for anything Dataset does not accept.
[[nodiscard]] Header check_header(hid_t dataset);

}  // namespace dca::golden::h5
