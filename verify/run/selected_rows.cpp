#include "verify/run/selected_rows.hpp"

#include <algorithm>

namespace dca::verify {
namespace {

std::vector<std::int64_t> with_rows(std::vector<std::int64_t> extents, std::size_t row_axis, std::size_t rows) {
    extents[row_axis] = static_cast<std::int64_t>(rows);
    return extents;
}

class SelectedRows final : public golden::TensorReader {
public:
    SelectedRows(std::unique_ptr<golden::TensorReader> whole, std::size_t row_axis, std::span<const std::int64_t> rows)
        : TensorReader(with_rows(whole->extents(), row_axis, rows.size())),
          whole_(std::move(whole)),
          rows_(whole_->extents()[row_axis]),
          kept_(static_cast<std::size_t>(rows_), false) {
        for (std::size_t a = row_axis + 1; a < extents().size(); ++a) width_ *= extents()[a];
        for (const std::int64_t row : rows) kept_[static_cast<std::size_t>(row)] = true;
    }
    [[nodiscard]] bool in_any_order() const override { return false; }

    Piece fetch(std::int64_t first, std::span<double> out) override {
        const Piece piece{first, static_cast<std::int64_t>(out.size()), 0};
        while (!out.empty()) {
            const auto ready = std::min(out.size(), selected_.size() - used_);
            std::copy_n(selected_.begin() + static_cast<std::ptrdiff_t>(used_), ready, out.begin());
            used_ += ready;
            out = out.subspan(ready);
            if (!out.empty()) refill();
        }
        return piece;
    }

    void accept(const Piece& piece) override {
        while (piece.first + piece.count == count() && whole_->left() > 0) refill();
    }

private:
    void refill() {
        constexpr std::int64_t most = std::int64_t{1} << 16;
        std::int64_t flat = whole_->count() - whole_->left();
        piece_.resize(static_cast<std::size_t>(std::min(most, whole_->left())));
        whole_->read(std::span(piece_));
        selected_.clear();
        used_ = 0;
        for (std::span<const double> rest = piece_; !rest.empty();) {
            const std::int64_t row = flat / width_ % rows_, left_in_row = width_ - flat % width_;
            const auto run = std::min(rest.size(), static_cast<std::size_t>(left_in_row));
            if (kept_[static_cast<std::size_t>(row)]) {
                selected_.insert(selected_.end(), rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(run));
            }
            rest = rest.subspan(run);
            flat += static_cast<std::int64_t>(run);
        }
    }

    std::unique_ptr<golden::TensorReader> whole_;
    std::int64_t rows_, width_ = 1;
    std::vector<bool> kept_;
    std::vector<double> piece_, selected_;
    std::size_t used_ = 0;
};

}  // namespace

std::unique_ptr<golden::TensorReader> select_rows(std::unique_ptr<golden::TensorReader> whole, std::size_t row_axis,
                                                  std::span<const std::int64_t> rows) {
    return std::make_unique<SelectedRows>(std::move(whole), row_axis, rows);
}

}  // namespace dca::verify
