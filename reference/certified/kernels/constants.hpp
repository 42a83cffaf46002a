// Constants of the double-double exp; the table of 2^(j/16) is reference/tiles/exp_table.hpp. Tests recompute them.
#pragma once

namespace dca::certified {

/// 1/n!, n = 0 .. 14, as the nearest double and the nearest double to what is left.
inline constexpr double inverse_factorial[15] = {
    1.0,
    1.0,
    0x1p-1,
    0x1.5555555555555p-3,
    0x1.5555555555555p-5,
    0x1.1111111111111p-7,
    0x1.6c16c16c16c17p-10,
    0x1.a01a01a01a01ap-13,
    0x1.a01a01a01a01ap-16,
    0x1.71de3a556c734p-19,
    0x1.27e4fb7789f5cp-22,
    0x1.ae64567f544e4p-26,
    0x1.1eed8eff8d898p-29,
    0x1.6124613a86d09p-33,
    0x1.93974a8c07c9dp-37,
};
inline constexpr double inverse_factorial_lo[8] = {
    0.0,
    0.0,
    0.0,
    0x1.5555555555555p-57,
    0x1.5555555555555p-59,
    0x1.1111111111111p-63,
    -0x1.f49f49f49f49fp-65,
    0x1.a01a01a01a01ap-73,
};

/// ln 2 / 16 in three parts; the first has 29 bits, so that its product with an integer below 2^24 is exact.
inline constexpr double ln2_16[3] = {0x1.62e42fep-5, 0x1.f473de6af278fp-34, -0x1.8cff81a12a17ep-89};

}  // namespace dca::certified
