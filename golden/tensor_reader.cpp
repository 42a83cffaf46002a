#include "golden/tensor_reader.hpp"

#include <algorithm>

#include "golden/text.hpp"
#include "reference/spec/error.hpp"

namespace dca::golden {
namespace {

class Wrapper : public TensorReader {
public:
    explicit Wrapper(std::unique_ptr<TensorReader> inner) : TensorReader(inner->extents()), inner_(std::move(inner)) {}
    [[nodiscard]] bool in_any_order() const override { return inner_->in_any_order(); }
    Piece fetch(std::int64_t first, std::span<double> out) override { return inner_->fetch(first, out); }
    Piece fetch(std::int64_t first, std::span<float> out) override { return inner_->fetch(first, out); }
    void accept(const Piece& piece) override { inner_->accept(piece); }

protected:
    TensorReader& inner() { return *inner_; }

private:
    std::unique_ptr<TensorReader> inner_;
};

class Located final : public Wrapper {
    template <class Action>
    auto located(const Action& action) const {
        try {
            return action();
        } catch (const FormatError& error) {
            throw FormatError(where_ + error.what());
        }
    }

public:
    Located(std::unique_ptr<TensorReader> inner, std::string where)
        : Wrapper(std::move(inner)), where_(std::move(where)) {}

    Piece fetch(std::int64_t first, std::span<double> out) override {
        return located([&] { return inner().fetch(first, out); });
    }
    Piece fetch(std::int64_t first, std::span<float> out) override {
        return located([&] { return inner().fetch(first, out); });
    }
    void accept(const Piece& piece) override {
        located([&] { inner().accept(piece); });
    }

private:
    std::string where_;
};

class WithoutNegatives final : public Wrapper {
public:
    using Wrapper::Wrapper;
    Piece fetch(std::int64_t first, std::span<double> out) override { return checked(first, out); }
    Piece fetch(std::int64_t first, std::span<float> out) override { return checked(first, out); }

private:
    template <class T>
    Piece checked(std::int64_t first, std::span<T> out) {
        const Piece piece = inner().fetch(first, out);
        int sound = 1;
        for (const T value : out) sound &= static_cast<int>(value >= 0);
        if (sound == 1) return piece;
        const auto bad = std::find_if(out.begin(), out.end(), [](T value) { return !(value >= 0); });
        throw FormatError("element " + coordinates(extents(), first + (bad - out.begin())) + " is " +
                          shortest(static_cast<double>(*bad)) + ": an error scale must be at least 0");
    }
};

class InMemory final : public TensorReader {
public:
    InMemory(std::vector<std::int64_t> extents, std::span<const double> values)
        : TensorReader(std::move(extents)), values_(values) {
        expects(static_cast<std::int64_t>(values.size()) == count(), "in_memory: values do not fill the extents");
    }
    [[nodiscard]] bool in_any_order() const override { return true; }
    Piece fetch(std::int64_t first, std::span<double> out) override {
        const auto values = values_.subspan(static_cast<std::size_t>(first), out.size());
        std::copy(values.begin(), values.end(), out.begin());
        return {first, static_cast<std::int64_t>(out.size()), 0};
    }
    void accept(const Piece&) override {}

private:
    std::span<const double> values_;
};

}  // namespace

std::int64_t TensorReader::count() const {
    std::int64_t count = 1;
    for (const std::int64_t extent : extents_) count *= extent;
    return count;
}

TensorReader::Piece TensorReader::fetch(std::int64_t first, std::span<float> out) {
    std::vector<double> wide(out.size());
    const Piece piece = fetch(first, std::span<double>(wide));
    std::transform(wide.begin(), wide.end(), out.begin(), [](double value) { return static_cast<float>(value); });
    return piece;
}

std::unique_ptr<TensorReader> with_location(std::unique_ptr<TensorReader> inner, std::string where) {
    return std::make_unique<Located>(std::move(inner), std::move(where));
}

std::unique_ptr<TensorReader> without_negatives(std::unique_ptr<TensorReader> inner) {
    return std::make_unique<WithoutNegatives>(std::move(inner));
}

std::unique_ptr<TensorReader> in_memory(std::vector<std::int64_t> extents, std::span<const double> values) {
    return std::make_unique<InMemory>(std::move(extents), values);
}

}  // namespace dca::golden
