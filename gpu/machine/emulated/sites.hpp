// Lines of kernel text by number, so that the record of an access needs twelve bits for its line.
#pragma once

#include <cstdint>
#include <cstring>
#include <source_location>
#include <vector>

namespace dca::gpu::emulated {

using Where = std::source_location;
using Site = std::uint32_t;

/// Calls on one line of one function have one number. Beyond 4095 lines all further ones share number 0.
class Sites {
public:
    static constexpr Site most = 4095;
    Sites() : table_(table_size), places_(1) {}

    [[nodiscard]] Site operator()(const Where& at) {
        const std::uint64_t key = key_of(at);
        std::size_t slot = static_cast<std::size_t>(key * 0x9e3779b97f4a7c15u >> 51);
        while (table_[slot].key != key) {
            if (table_[slot].key == 0) return add(slot, key, at);
            slot = (slot + 1) % table_size;
        }
        return table_[slot].site;
    }
    [[nodiscard]] const Where& operator[](Site site) const { return places_[site]; }

private:
    static constexpr std::size_t table_size = 8192;  // twice what it holds
    struct Entry {
        std::uint64_t key = 0;
        Site site = 0;
    };
    static std::uint64_t key_of(const Where& at) {
        // With g++ a place is one pointer; where it is more, the pointer to its file comes first.
        std::uint64_t key;
        std::memcpy(&key, &at, sizeof key);
        return sizeof(Where) == sizeof key ? key : key * 0x9e3779b97f4a7c15u + at.line();
    }
    Site add(std::size_t slot, std::uint64_t key, const Where& at) {
        if (places_.size() > most) return 0;
        places_.push_back(at);
        table_[slot] = {key, static_cast<Site>(places_.size() - 1)};
        return table_[slot].site;
    }

    std::vector<Entry> table_;
    std::vector<Where> places_;
};

}  // namespace dca::gpu::emulated
