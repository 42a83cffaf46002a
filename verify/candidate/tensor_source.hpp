// What every candidate format offers: named tensors with a shape and values. Untrusted, so nothing is allocated from a
// size the file claims: the caller asks for the number of values the problem has.
#pragma once

#include <cstdint>
#include <filesystem>
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
    /// The values of a tensor of a float type, a piece at a time.
    [[nodiscard]] virtual std::unique_ptr<golden::TensorReader> open(const std::string& name) const = 0;
    /// All values of a list of integers. Precondition: as many as describe() says, and describe() says integers.
    virtual void read_integers(const std::string& name, std::span<double> values) const = 0;
    /// Throws FormatError if the file says anything about the problem that is not the golden's; most formats say
    /// nothing.
    virtual void check_problem(const std::string& case_id, const golden::CaseData& golden) const {
        (void)case_id;
        (void)golden;
    }
};

/// Elements of a shape that has been checked.
[[nodiscard]] inline std::size_t element_count(std::span<const std::int64_t> extents) {
    std::size_t count = 1;
    for (const std::int64_t extent : extents) count *= static_cast<std::size_t>(extent);
    return count;
}

[[nodiscard]] std::unique_ptr<TensorSource> open_h5(const std::filesystem::path& path);
[[nodiscard]] std::unique_ptr<TensorSource> open_npz(const std::filesystem::path& path);
[[nodiscard]] std::unique_ptr<TensorSource> open_safetensors(const std::filesystem::path& path);

}  // namespace dca::verify
