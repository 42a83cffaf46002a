#include "golden/regenerate.hpp"

#include <algorithm>
#include <string>

#include "golden/make_inputs.hpp"

namespace dca::golden {
namespace {

/// 1 GiB of doubles.
constexpr std::int64_t most_elements = std::int64_t{1} << 27;

std::int64_t input_elements(const CaseSpec& spec) {
    const Shape& shape = spec.problem.shape;
    const std::int64_t gradient = spec.recipe.gradient ? element_count(out_extents(shape)) : 0;
    return element_count(q_extents(shape)) + element_count(k_extents(shape)) + element_count(v_extents(shape)) +
           gradient;
}

class MadeInput final : public TensorReader {
public:
    MadeInput(const CaseSpec& spec, InputTensor which, const Extents<4>& extents)
        : TensorReader({extents.begin() + (spec.problem.packed() ? 1 : 0), extents.end()}),
          source_(spec),
          which_(which),
          rows_(extents[1]),
          width_(extents[2] * extents[3]) {}
    [[nodiscard]] bool in_any_order() const override { return false; }

    Piece fetch(std::int64_t first, std::span<double> out) override {
        const Piece piece{first, static_cast<std::int64_t>(out.size()), 0};
        while (!out.empty()) {
            if (first >= end_ || first < begin_) make_rows(first / width_);
            const auto at = static_cast<std::size_t>(first - begin_);
            const std::size_t count = std::min(out.size(), made_.size() - at);
            std::copy_n(made_.begin() + static_cast<std::ptrdiff_t>(at), count, out.begin());
            out = out.subspan(count);
            first += static_cast<std::int64_t>(count);
        }
        return piece;
    }
    void accept(const Piece&) override {}

private:
    /// About 2^16 elements, of one batch entry.
    void make_rows(std::int64_t row) {
        const std::int64_t step = std::max<std::int64_t>(1, (std::int64_t{1} << 16) / width_), in_batch = row % rows_;
        const std::int64_t count = std::min(step, rows_ - in_batch);
        made_.resize(static_cast<std::size_t>(count * width_));
        source_.fill_rows(which_, row / rows_, in_batch, in_batch + count, made_);
        begin_ = row * width_;
        end_ = begin_ + count * width_;
    }

    InputSource source_;
    InputTensor which_;
    std::int64_t rows_, width_, begin_ = 0, end_ = 0;
    std::vector<double> made_;
};

}  // namespace

std::unique_ptr<TensorReader> made_input(const CaseSpec& spec, std::string_view tensor) {
    if (tensor == "dout" && !spec.recipe.gradient) return nullptr;
    const InputTensor which = tensor == "q"   ? InputTensor::q
                              : tensor == "k" ? InputTensor::k
                              : tensor == "v" ? InputTensor::v
                                              : InputTensor::dout;
    return std::make_unique<MadeInput>(spec, which, InputSource(spec).extents(which));
}

bool inputs_fit(const CaseData& data) {
    return !data.regenerates || input_elements(*data.regenerates) <= most_elements;
}

void load_inputs(CaseData& data) {
    if (!data.regenerates) return;
    if (!inputs_fit(data)) {
        throw Unsupported("its inputs are not stored and have " + std::to_string(input_elements(*data.regenerates)) +
                          " elements, more than the " + std::to_string(most_elements) +
                          " that are made in memory; dca generate computes it from its case text");
    }
    data.inputs = make_inputs(*data.regenerates);
    data.regenerates.reset();
}

}  // namespace dca::golden
