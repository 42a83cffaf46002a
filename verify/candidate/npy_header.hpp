// The header of a .npy array, format versions 1 to 3: a magic number and a Python dictionary as text. Only what NumPy
// itself writes is accepted.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "verify/candidate/element_type.hpp"

namespace dca::verify {

struct NpyHeader {
    ElementType type;
    bool big_endian = false;
    std::vector<std::int64_t> extents;
};

/// Bytes of the fixed part: magic number, version, and the length of the dictionary of version 1.
inline constexpr std::size_t npy_prelude_size = 10;
/// NumPy pads headers to multiples of 64 bytes and writes far less than this for every array a case has.
inline constexpr std::size_t npy_max_dictionary = 4096;

struct NpyPrelude {
    std::size_t read_more;   ///< bytes of the length field that follow the fixed part: 0, or 2 from version 2 on
    std::size_t low_length;  ///< the 16 bits of the length that are in the fixed part
};

/// Throws FormatError if it is not a .npy array of a known version. Precondition: npy_prelude_size characters.
[[nodiscard]] NpyPrelude parse_npy_prelude(std::string_view bytes);

/// `{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }` in any order of keys. Throws FormatError for anything
/// else, types that are no numbers, Fortran order, negative extents, more than 32 of them, and more elements than any
/// problem has.
[[nodiscard]] NpyHeader parse_npy_dictionary(std::string_view text);

}  // namespace dca::verify
