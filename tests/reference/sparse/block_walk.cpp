#include "tests/reference/sparse/block_walk.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace dca::sparse_test {
namespace {

/// The walk as a state machine: the range being grown, and what has been emitted.
class Builder {
public:
    explicit Builder(const Walk& input)
        : in_(input), edge_((input.causal ? input.keys - input.rows : input.keys) + input.tile_start + input.block) {}

    std::set<std::int64_t> run() {
        open_first();
        for (;;) {
            if (current_vertical() < end_) {
                if (current_vertical() < start_) emit(current_vertical());
                ++vertical_;
            } else if (const auto next = next_slash()) {
                grow(end_of(*next));
            } else {
                store();
                if (in_.causal) return keys_;
                // Slashes are used up: an empty range at the end of the keys lets the other verticals through.
                start_ = in_.keys;
                end_ = in_.keys + in_.block;
                for (; current_vertical() < in_.keys; ++vertical_) emit(current_vertical());
                return keys_;
            }
        }
    }

private:
    [[nodiscard]] std::int64_t end_of(std::int64_t slash) const { return std::max(edge_ - slash, in_.block); }

    void open_first() {
        while (in_.slash[slash_] >= edge_ && slash_ + 1 < in_.slash.size()) ++slash_;
        const std::int64_t slash = in_.slash[slash_++];
        end_ = end_of(slash);
        if (slash > edge_) end_ = (in_.causal ? edge_ : in_.keys) + in_.block;
        start_ = end_ - in_.block;
    }

    [[nodiscard]] std::int64_t current_vertical() const {
        return vertical_ < in_.vertical.size() ? in_.vertical[vertical_] : edge_ + in_.block;
    }

    std::optional<std::int64_t> next_slash() {
        if (slash_ == in_.slash.size()) return std::nullopt;
        if (!in_.causal && in_.slash[slash_] < in_.tile_start) return std::nullopt;
        return in_.slash[slash_++];
    }

    void grow(std::int64_t end) {
        if (end > end_ + in_.block) {
            store();
            start_ = end - in_.block;
            end_ = end;
        } else if (end > end_) {
            end_ += in_.block;
        }
    }

    void store() {
        const std::int64_t stop = std::min(end_, in_.keys);
        for (std::int64_t first = start_; first < stop; first += in_.block) {
            for (std::int64_t key = first; key < std::min(first + in_.block, in_.keys); ++key) emit(key);
        }
    }

    void emit(std::int64_t key) {
        if (!keys_.insert(key).second) throw std::logic_error("block_walk: a key was emitted twice");
    }

    const Walk& in_;
    std::int64_t edge_, start_ = 0, end_ = 0;
    std::size_t vertical_ = 0, slash_ = 0;
    std::set<std::int64_t> keys_;
};

}  // namespace

std::set<std::int64_t> walk(const Walk& input) {
    return Builder(input).run();
}

}  // namespace dca::sparse_test
