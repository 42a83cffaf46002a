#include "tests/fuzz/mutate.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "tests/damage/damage.hpp"

namespace dca::test {
namespace {

class Draws {
public:
    explicit Draws(std::uint64_t seed) : seed_(seed) {}
    std::uint64_t bits() { return mixed(seed_, next_++); }
    std::size_t below(std::size_t count) { return count == 0 ? 0 : bits() % count; }

private:
    std::uint64_t seed_, next_ = 0;
};

void set_integer(std::string& bytes, std::size_t at, Draws& draw) {
    constexpr std::array<std::uint64_t, 8> limits{0,          1,          0x7f,      0xffff,
                                                  0x7fffffff, 0xffffffff, INT64_MAX, ~std::uint64_t{0}};
    const std::uint64_t value = limits[draw.below(limits.size())] + draw.below(3) - 1;
    const std::size_t size = std::min(std::size_t{1} << draw.below(4), bytes.size() - at);
    std::memcpy(bytes.data() + at, &value, size);
}

void change(std::string& bytes, const std::vector<std::string>& words, const std::vector<std::string>& seeds,
            Draws& draw) {
    const std::size_t at = draw.below(bytes.size() + 1),
                      length = draw.below(std::min<std::size_t>(bytes.size(), 64) + 1);
    const bool inside = at < bytes.size();
    const std::size_t other = draw.below(bytes.size() + 1);
    switch (draw.below(9)) {
        case 0:
            if (inside) bytes[at] = static_cast<char>(bytes[at] ^ 1 << draw.below(8));
            return;
        case 1:
            if (inside) bytes[at] = static_cast<char>(draw.bits());
            return;
        case 2:
            if (inside) set_integer(bytes, at, draw);
            return;
        case 3: bytes.erase(at, length); return;
        case 4: bytes.insert(at, bytes.substr(other, length)); return;
        case 5: bytes.replace(at, std::min(length, bytes.size() - at), bytes.substr(other, length)); return;
        case 6: bytes.insert(at, words[draw.below(words.size())]); return;
        case 7: {
            const std::string& word = words[draw.below(words.size())];
            bytes.replace(at, std::min(word.size(), bytes.size() - at), word);
            return;
        }
        default: {
            const std::string& seed = seeds[draw.below(seeds.size())];
            bytes = bytes.substr(0, at) + seed.substr(draw.below(seed.size() + 1));
            return;
        }
    }
}

}  // namespace

std::string mutated(std::string bytes, const std::vector<std::string>& words, const std::vector<std::string>& seeds,
                    std::uint64_t number) {
    Draws draw(mixed(0x5eed, number));
    for (std::size_t changes = 1 + draw.below(8); changes > 0; --changes) change(bytes, words, seeds, draw);
    return bytes;
}

}  // namespace dca::test
