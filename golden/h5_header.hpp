// The header of a dataset in an untrusted file: what its elements are and whether the file can really hold them.
#pragma once

#include <hdf5.h>

#include "golden/h5_node.hpp"

namespace dca::golden::h5 {

/// Accepts: a plain integer or floating-point type that the file does not name; contiguous, compact or chunked layout
/// inside this file; no filters but deflate, shuffle and fletcher32; no more elements than the file really stores, and
/// of what deflate packs not beyond most_expansion. Throws FormatError (without the dataset's name) for anything else.
[[nodiscard]] Header check_header(hid_t dataset);

/// Deflate can make 1032 bytes of one. Elements seldom pack better than to a tenth, constant ones do: they are accepted
/// up to this size, larger ones up to this ratio.
inline constexpr std::uint64_t always_expanded = std::uint64_t{256} << 20, most_expansion = 64;

}  // namespace dca::golden::h5
