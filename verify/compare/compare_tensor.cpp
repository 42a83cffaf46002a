// One tensor, in one pass: from memory or from readers to its report.
#include "verify/compare/tensor_pass.hpp"

namespace dca::verify {
namespace {

class MemorySource final : public PassSource {
public:
    MemorySource(std::span<const double> expected, std::span<const double> got, std::span<const float> sigma)
        : expected_(expected), got_(got), sigma_(sigma) {}
    [[nodiscard]] bool in_any_order() const override { return true; }
    Piece get(std::int64_t first, std::int64_t count, Buffers&) override {
        const auto begin = static_cast<std::size_t>(first), length = static_cast<std::size_t>(count);
        return {expected_.subspan(begin, length),
                got_.subspan(begin, length),
                sigma_.empty() ? sigma_ : sigma_.subspan(begin, length),
                {}};
    }
    void accept(const Read&) override {}

private:
    std::span<const double> expected_, got_;
    std::span<const float> sigma_;
};

class ReaderSource final : public PassSource {
public:
    explicit ReaderSource(const TensorReaders& readers) : readers_(readers) {}
    [[nodiscard]] bool in_any_order() const override {
        return readers_.expected.in_any_order() && readers_.got.in_any_order() &&
               (readers_.sigma == nullptr || readers_.sigma->in_any_order());
    }
    Piece get(std::int64_t first, std::int64_t count, Buffers& buffers) override {
        const auto length = static_cast<std::size_t>(count);
        buffers.expected.resize(length);
        buffers.got.resize(length);
        buffers.sigma.resize(readers_.sigma == nullptr ? 0 : length);
        Piece piece{buffers.expected, buffers.got, buffers.sigma, {}};
        piece.read[0] = readers_.expected.fetch(first, std::span(buffers.expected));
        piece.read[1] = readers_.got.fetch(first, std::span(buffers.got));
        if (readers_.sigma != nullptr) piece.read[2] = readers_.sigma->fetch(first, std::span(buffers.sigma));
        return piece;
    }
    void accept(const Read& read) override {
        readers_.expected.accept(read[0]);
        readers_.got.accept(read[1]);
        if (readers_.sigma != nullptr) readers_.sigma->accept(read[2]);
    }

private:
    TensorReaders readers_;
};

}  // namespace

TensorReport compare_tensor(const std::string& tensor, std::span<const std::int64_t> extents,
                            std::span<const double> expected, std::span<const double> got, std::span<const float> sigma,
                            std::span<const Region> region_of_row, double natural_size, const PassSettings& settings) {
    expects(extents.size() == 3 || extents.size() == 4, "compare_tensor: rank 3 or 4");
    std::size_t count = 1;
    for (const std::int64_t extent : extents) {
        expects(extent >= 0, "compare_tensor: negative extent");
        count *= static_cast<std::size_t>(extent);
    }
    expects(expected.size() == count && got.size() == count, "compare_tensor: values do not fill the extents");
    expects(sigma.empty() || sigma.size() == count, "compare_tensor: sigma does not fill the extents");
    expects(natural_size >= 0, "compare_tensor: natural_size");

    const RowJudge judge(tensor, extents, {}, region_of_row);
    MemorySource source(expected, got, sigma);
    return judge.finish(
        judge_all(judge, source, settings), [&] { return natural_size; }, !sigma.empty() || count == 0);
}

TensorReport compare_readers(const std::string& tensor, std::span<const std::int64_t> extents,
                             const TensorReaders& readers, std::span<const std::int64_t> row_numbers,
                             std::span<const Region> region_of_row, const std::function<double()>& natural_size,
                             const PassSettings& settings) {
    expects(extents.size() == 3 || extents.size() == 4, "compare_readers: rank 3 or 4");
    expects(readers.expected.count() == readers.got.count() &&
                (readers.sigma == nullptr || readers.sigma->count() == readers.got.count()),
            "compare_readers: sizes differ");
    const RowJudge judge(tensor, extents, row_numbers, region_of_row);
    expects(judge.count() * judge.channels() == readers.got.count(), "compare_readers: values do not fill the extents");
    ReaderSource source(readers);
    return judge.finish(judge_all(judge, source, settings), natural_size, readers.sigma != nullptr);
}

}  // namespace dca::verify
