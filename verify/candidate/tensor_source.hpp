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
    /// All values, row-major. Precondition: as many as describe() says.
    virtual void read(const std::string& name, std::span<double> values) const = 0;
    /// Throws FormatError if the file says anything about the problem that is not the golden's; most formats say
    /// nothing.
    virtual void check_problem(const std::string& case_id, const golden::CaseData& golden) const {
        (void)case_id;
        (void)golden;
    }
};

[[nodiscard]] std::unique_ptr<TensorSource> open_h5(const std::filesystem::path& path);
[[nodiscard]] std::unique_ptr<TensorSource> open_npz(const std::filesystem::path& path);
[[nodiscard]] std::unique_ptr<TensorSource> open_safetensors(const std::filesystem::path& path);

}  // namespace dca::verify
