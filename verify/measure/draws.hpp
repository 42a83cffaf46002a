// Random numbers of the bootstrap: a function of stream and replicate, so the same series gets the same interval, bit
// for bit, on every machine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace dca::measure {

class Draws {
public:
    Draws(std::uint32_t stream, std::uint32_t replicate) : stream_(stream), replicate_(replicate) {}
    [[nodiscard]] double uniform();                      ///< in [0, 1), 53 bits
    [[nodiscard]] std::size_t below(std::size_t count);  ///< 0 .. count - 1
    [[nodiscard]] double normal();                       ///< mean 0, variance 1
    [[nodiscard]] double chi_square(int degrees);        ///< degrees >= 1

private:
    [[nodiscard]] std::uint64_t bits();
    std::uint32_t stream_, replicate_, counter_ = 0;
};

}  // namespace dca::measure
