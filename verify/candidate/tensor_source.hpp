// What every candidate format offers: named tensors with a shape and values. Untrusted, so nothing is allocated from a
// size the file claims: the caller asks for the number of values the problem has.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "golden/store.hpp"

namespace dca::verify {

struct TensorInfo {
    std::vector<std::int64_t> extents;
    bool floating = true;  ///< false: integers
};

class TensorSource {
public:
    virtual ~TensorSource() = default;
    [[nodiscard]] virtual const std::filesystem::path& path() const = 0;
    /// Names of all tensors, each once.
    [[nodiscard]] virtual std::vector<std::string> names() const = 0;
    /// Shape and kind. The functions below throw FormatError whose text does not repeat path and name.
    [[nodiscard]] virtual TensorInfo describe(const std::string& name) const = 0;
    /// All values, row-major. Precondition: as many as describe() says.
    virtual void read(const std::string& name, std::span<double> values) const = 0;
    /// The same in order and a piece at a time, for tensors that need not be in memory whole.
    using TakePiece = std::function<void(std::span<const double> values)>;
    virtual void read_pieces(const std::string& name, const TakePiece& take) const = 0;
    /// Throws FormatError if the file says anything about the problem that is not the golden's; most formats say
    /// nothing.
    virtual void check_problem(const std::string& case_id, const golden::CaseData& golden) const {
        (void)case_id;
        (void)golden;
    }
};

inline constexpr std::size_t piece_elements = std::size_t{1} << 16;

/// Elements of a shape that has been checked.
[[nodiscard]] inline std::size_t element_count(std::span<const std::int64_t> extents) {
    std::size_t count = 1;
    for (const std::int64_t extent : extents) count *= static_cast<std::size_t>(extent);
    return count;
}

/// Takes pieces into `values`, which they must fill.
[[nodiscard]] inline TensorSource::TakePiece collecting(std::span<double> values) {
    return [values, done = std::size_t{0}](std::span<const double> piece) mutable {
        expects(piece.size() <= values.size() - done, "read: more values than asked for");
        std::copy(piece.begin(), piece.end(), values.begin() + static_cast<std::ptrdiff_t>(done));
        done += piece.size();
    };
}

[[nodiscard]] std::unique_ptr<TensorSource> open_h5(const std::filesystem::path& path);
[[nodiscard]] std::unique_ptr<TensorSource> open_npz(const std::filesystem::path& path);
[[nodiscard]] std::unique_ptr<TensorSource> open_safetensors(const std::filesystem::path& path);

}  // namespace dca::verify
